"""The Python API: gray frames in, colours out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

from colorize.base.errors import UserError
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.painted import read_painted
from colorize.inference.settings import RenderSettings
from colorize.media import Frame

Image: TypeAlias = np.ndarray | Tensor
Shot = TypeVar("Shot", np.ndarray, Tensor, list[np.ndarray])
Given: TypeAlias = np.ndarray | Tensor | str | Path

_DEPTHS = (np.uint8, np.uint16)
_DEFAULTS = RenderSettings()


class Colorizer(LoadedNetworks):
    """Networks that colour gray frames, as the command ``colorize`` does.

    >>> import numpy as np
    >>> from colorize import Colorizer
    >>> colorizer = Colorizer.load()
    >>> gray = np.full((90, 160), 128, dtype=np.uint8)
    >>> colorizer(gray).shape
    (90, 160, 3)
    >>> painted = np.full((90, 160, 3), (90, 140, 160), dtype=np.uint8)
    >>> shot = colorizer([gray, gray], references=[painted])
    >>> len(shot), shot[0].dtype
    (2, dtype('uint8'))
    """

    def __call__(
        self,
        frames: Shot,
        *,
        references: Sequence[Given] | Mapping[int, Given] = (),
        variant: int | None = None,
        settings: RenderSettings = _DEFAULTS,
    ) -> Shot:
        """Return a frame, or the frames of one shot, in colour; their luma stays as it is.

        A NumPy frame is uint8 or uint16, h w (gray) or h w 3 (its BT.601 luma is coloured), and
        comes back as h w 3 of its depth; a list of frames is a shot. A tensor is float in [0, 1],
        1 h w or t 1 h w, and comes back with 3 channels.

        ``references`` are pictures in colour: arrays h w 3 (or h w 4, where what is transparent
        shows nothing), tensors 3 h w in [0, 1], or files. A mapping says which frame of the shot
        each one is, counted from 0; that frame comes out with its colours. ``settings`` are those
        of the command line, ``variant`` is which of the K colourings: None is what they say, or
        the first.

        Raises:
            UserError: A wrong shape, type or range, a variant that there is not, or references for
                a model that takes none.
        """
        if variant is None:
            variant = settings.variant if isinstance(settings.variant, int) else 0
        self.check_variant(variant)
        shot = _frames(frames)
        library = Library(self, _pictures(references, shot))
        engine = ShotEngine(self, settings, library=library if library.pictures else None)
        names = list(library.pictures)
        colored = [each.rgb for (each,) in engine(shot, names=names, variant=variant)]
        if isinstance(frames, np.ndarray):
            return colored[0]
        if isinstance(frames, Tensor):
            planes = torch.from_numpy(np.stack(colored).astype(np.float32) / 65535)
            channels_first = planes.permute(0, 3, 1, 2).to(frames.device)
            return channels_first if frames.ndim == 4 else channels_first[0]
        return colored


def _frames(frames: Image | Sequence[np.ndarray]) -> list[Frame]:
    """Return the frames of a shot."""
    if isinstance(frames, Tensor):
        if frames.ndim not in (3, 4) or frames.shape[-3] != 1 or not frames.numel():
            raise UserError(
                f"frames is a tensor of shape {tuple(frames.shape)}: expected 1 h w or t 1 h w"
            )
        planes = frames if frames.ndim == 4 else frames[None]
        return [Frame(n, "", _deep(each.expand(3, -1, -1))) for n, each in enumerate(planes)]
    if not isinstance(frames, (np.ndarray, Sequence)):
        raise UserError(
            f"frames is {type(frames).__name__}: expected a NumPy array or a list of them; "
            "np.asarray(picture) makes one of a picture"
        )
    arrays = [frames] if isinstance(frames, np.ndarray) else list(frames)
    if not arrays:
        raise UserError("frames is empty: expected one frame or more")
    shot = [Frame(n, "", _colors(each, "frames", "h w or h w 3")) for n, each in enumerate(arrays)]
    for frame in shot:
        if frame.rgb.shape != shot[0].rgb.shape or frame.rgb.dtype != shot[0].rgb.dtype:
            raise UserError(
                f"frame {frame.index} is {_form(frame)}, frame 0 {_form(shot[0])}: expected "
                "frames of one size and depth; colour each size by itself"
            )
    return shot


def _form(frame: Frame) -> str:
    return f"{frame.rgb.shape[:2]} of {frame.rgb.dtype}"


def _pictures(
    references: Sequence[Given] | Mapping[int, Given], shot: Sequence[Frame]
) -> list[ColoredPicture]:
    """Return references by name; those of a mapping are frames of the shot."""
    if isinstance(references, (str, Path, np.ndarray, Tensor)):
        raise UserError("references is one picture: pass a list of pictures")
    if not isinstance(references, (Sequence, Mapping)):
        raise UserError(
            f"references is {type(references).__name__}: expected a list of pictures, or none: ()"
        )
    given = (
        list(references.items())
        if isinstance(references, Mapping)
        else [(None, each) for each in references]
    )
    found = []
    for place, (number, picture) in enumerate(given):
        if number is not None and number not in range(len(shot)):
            raise UserError(f"references names frame {number}: the shot has 0 to {len(shot) - 1}")
        read = _picture(picture)
        drawing = None if number is None else partial(_same, shot[number])
        found.append(ColoredPicture(f"reference {place}", partial(_same, read), number, drawing))
    return found


def _same(frame: Frame) -> Frame:
    return frame


def _picture(picture: Given) -> Frame:
    if isinstance(picture, (str, Path)):
        return read_painted(Path(picture))
    if isinstance(picture, Tensor):
        if picture.ndim != 3 or picture.shape[0] != 3 or not picture.numel():
            raise UserError(
                f"references holds a tensor of shape {tuple(picture.shape)}: expected 3 h w"
            )
        return Frame(0, "", _deep(picture))
    planes = _colors(picture, "references", "h w 3 or h w 4")
    alpha = np.ascontiguousarray(planes[..., 3]) if planes.shape[2] == 4 else None
    return Frame(0, "", np.ascontiguousarray(planes[..., :3]), alpha)


def _colors(array: np.ndarray, option: str, shapes: str) -> np.ndarray:
    """Return an array of one of some ``shapes`` with its channels, three for those of h w."""
    if not isinstance(array, np.ndarray) or array.dtype not in _DEPTHS:
        kind = getattr(array, "dtype", type(array).__name__)
        raise UserError(
            f"{option} holds {kind}: expected NumPy arrays of uint8 or uint16; of values in [0, 1] "
            "(255 * array).round().astype(np.uint8) makes one"
        )
    channels = f" {array.shape[2]}" if array.ndim == 3 else ""
    if array.ndim not in (2, 3) or 0 in array.shape or f"h w{channels}" not in shapes.split(" or "):
        raise UserError(f"{option} holds an array of shape {array.shape}: expected {shapes}")
    return np.ascontiguousarray(array if channels else np.repeat(array[..., None], 3, axis=2))


def _deep(image: Tensor) -> np.ndarray:
    """Return an RGB image in [0, 1] as 16-bit h w 3."""
    low, high = (float(edge) for edge in torch.aminmax(image.detach()))
    if not (image.is_floating_point() and low >= 0 and high <= 1):
        raise UserError(
            f"a tensor of {image.dtype} from {low:g} to {high:g}: expected float in [0, 1]"
        )
    pixels = (image.detach().double().cpu() * 65535).round().numpy().astype(np.uint16)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))
