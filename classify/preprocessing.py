"""Turn a picture file into the 8-bit planes that a network takes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor

from colorize.base.errors import UserError
from colorize.media import IMAGE_SUFFIXES

PICTURE_SUFFIXES = IMAGE_SUFFIXES | {".gif"}
_DEEP = frozenset({"I;16", "I;16B", "I;16L"})


class PictureError(UserError):
    """A file that is no picture, or a damaged one; one line that names it."""


class Preprocessing:
    """Size and colours that a network takes: gray (1 channel) or RGB (3), scaled to ``size``.

    Pictures are stretched to ``size`` whatever their shape, as all the sources do.
    """

    def __init__(self, *, size: Sequence[int], channels: int) -> None:
        if len(size) != 2 or min(size) < 1:
            raise UserError(
                f"preprocessing.size is {list(size)}: expected [height, width] in pixels"
            )
        if channels not in (1, 3):
            raise UserError(f"preprocessing.channels is {channels}: expected 1 (gray) or 3 (RGB)")
        self.size = (int(size[0]), int(size[1]))
        self.channels = channels

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of every picture."""
        return (self.channels, *self.size)

    def of_file(self, content: bytes, name: str) -> UInt8[np.ndarray, "c h w"]:
        """Decode a picture file and bring it to the network's size and colours.

        Raises:
            PictureError: It is no picture, or damaged; ``name`` says which.
        """
        return self.of_image(decode(content, name))

    def of_array(self, pixels: UInt8[np.ndarray, "h w *rgb"]) -> UInt8[np.ndarray, "c _h _w"]:
        """Bring a gray (h w) or RGB (h w 3) picture to the network's size and colours."""
        return self.of_image(Image.fromarray(pixels))

    def of_image(self, image: Image.Image) -> UInt8[np.ndarray, "c h w"]:
        """Bring an upright picture without transparency to the network's size and colours."""
        flat = image.convert("L" if self.channels == 1 else "RGB")
        height, width = self.size
        if flat.size != (width, height):
            # Pillow's filter is as wide as the reduction when shrinking.
            flat = flat.resize((width, height), Image.Resampling.BILINEAR)
        planes = np.asarray(flat).reshape(height, width, self.channels)
        return np.ascontiguousarray(planes.transpose(2, 0, 1))


def decode(content: bytes, name: str) -> Image.Image:
    """Decode the first picture of a file: upright, 8 bits, transparency shown on white paper.

    Raises:
        PictureError: It is no picture, or damaged; ``name`` says which.
    """
    try:
        # Pillow warns of odd tags and large pictures, which are no concern of the user here.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as image:
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode in _DEEP:
                # 65535 = 255 * 257
                return Image.fromarray((np.asarray(upright) // 257).astype(np.uint8))
            if upright.has_transparency_data:
                return _on_white(upright.convert("RGBA"))
            return upright.convert("L" if upright.mode in ("1", "L") else "RGB")
    except Image.UnidentifiedImageError:
        raise PictureError(f"{name} is not a picture that can be read") from None
    # Pillow's decoders raise SyntaxError, ValueError and others on broken files.
    except (OSError, SyntaxError, ValueError, IndexError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise PictureError(f"{name} is damaged ({reason})") from None


def _on_white(picture: Image.Image) -> Image.Image:
    paper = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(paper, picture).convert("RGB")


def to_unit(pictures: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Return 8-bit pictures as floats in [0, 1]; the only place that divides by 255."""
    return pictures.to(torch.float32) / 255
