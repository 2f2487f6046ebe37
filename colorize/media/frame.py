"""One picture of a film or of a folder, with what must survive its colouring."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from colorize.base.errors import UserError

Picture: TypeAlias = UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"]
Alpha: TypeAlias = UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]

# BT.601 luma weights in thousandths, so that a gray pixel's luma is exactly its own value.
_LUMA_THOUSANDTHS = np.array([299, 587, 114], dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: sRGB, full range, 8 or 16 bits a channel, upright.

    ``index`` counts from 0 in its source. ``name`` is the file's name in a folder or of the single
    image, "" in a video. ``alpha`` has the bit depth of ``rgb``. ``time`` and ``duration`` are in
    seconds for a video's frame, else None; a duration the file does not tell is None too.
    """

    index: int
    name: str
    rgb: Picture
    alpha: Alpha | None = None
    time: Fraction | None = None
    duration: Fraction | None = None

    def gray(self) -> Float32[np.ndarray, "h w"]:
        """Return BT.601 luma Y' in [0, 1]; a gray pixel keeps its exact value.

        Source: ITU-R BT.601-7, section 2.5.1.
        """
        red, green, blue = np.moveaxis(self.rgb, 2, 0)
        largest = int(np.iinfo(self.rgb.dtype).max)
        if np.array_equal(red, green) and np.array_equal(green, blue):  # several times faster
            return (np.arange(largest + 1) / largest).astype(np.float32)[red]
        return (self.rgb @ _LUMA_THOUSANDTHS / (1000 * largest)).astype(np.float32)

    def with_rgb(self, rgb: Picture) -> Frame:
        """Return this frame with other colours; alpha follows the bit depth of ``rgb``.

        Raises:
            ValueError: ``rgb`` has another size than this frame.
        """
        if rgb.shape != self.rgb.shape:
            raise UserError(f"frame {self.index} is {self.rgb.shape}, its colours {rgb.shape}")
        alpha = None if self.alpha is None else to_depth(self.alpha, rgb.dtype)
        return dataclasses.replace(self, rgb=rgb, alpha=alpha)


def opacity(frame: Frame) -> Float32[np.ndarray, "h w"] | None:
    """Return how opaque a picture is, 0 to 1; None if it is so everywhere."""
    if frame.alpha is None:
        return None
    largest = np.iinfo(frame.alpha.dtype).max
    return None if (frame.alpha == largest).all() else (frame.alpha / largest).astype(np.float32)


def to_depth(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return 8- or 16-bit ``values`` at the depth of ``dtype``, rounded; 0 and white stay exact."""
    if values.dtype == dtype:
        return values
    if dtype == np.uint16:
        return values.astype(np.uint16) * np.uint16(257)
    # 65535 = 255 * 257, so that division by 257 is the inverse of the line above.
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
