"""Whether a picture is drawn as a frame is, however somebody painted it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from colorize.media import Frame
from colorize.media.frame import opacity

_SIZE, _BLOCK = (192, 108), 12  # pixels (width, height) that drawings are compared at, in blocks
_FAINT = 1e-4  # mean square of luma less its surroundings, below which a block has no lines
_UNKNOWN = 0.5  # how well something fits that shows no line
# Of pixels left gray: what compression adds to their channels and their luma; which tones they are.
_COLORLESS, _ALIKE, _TONES = 0.04, 0.03, (0.12, 0.92)


class Drawing(NamedTuple):
    """A small picture of a reference in [0, 1], its luma, and which pixels show something."""

    rgb: Float32[np.ndarray, "h w 3"]
    luma: Float32[np.ndarray, "h w"]
    shown: Bool[np.ndarray, "h w"]

    @classmethod
    def of(cls, picture: Frame) -> Drawing:
        """Return what is compared of a picture."""
        mask = opacity(picture)
        rgb = picture.rgb / np.float32(np.iinfo(picture.rgb.dtype).max)
        if mask is None:
            return cls(small(rgb), small(picture.gray()), np.ones(_SIZE[::-1], dtype=bool))
        share = small(mask)
        shown = share > 0.99
        if not shown.any():  # hints too small to fill a pixel here
            shown = share > 0
        # Colours of what is shown alone: anything may lie under the rest.
        opaque = [small(plane * mask) / np.maximum(share, 1e-6) for plane in np.moveaxis(rgb, 2, 0)]
        luma = small(picture.gray() * mask) / np.maximum(share, 1e-6)
        return cls(np.stack(opaque, axis=2), luma, shown)

    def gray_share(self, luma: Float32[np.ndarray, "h w"]) -> float:
        """Return the share of what it shows, 0 to 1, that is as gray as a frame of ``luma``."""
        gray = left_gray(self.rgb, luma) & self.shown
        return float(gray.sum() / max(1, self.shown.sum()))

    def fit(self, luma: Float32[np.ndarray, "h w"]) -> float:
        """Return how well it is drawn as a frame of small ``luma`` is, -1 to 1.

        It is the mean correlation of luma less its surroundings, block by block: lines count, and
        where they are; how bright somebody painted between them does not. Blocks in which neither
        has a line say nothing; where no block does, brightness alone is compared,
        unless it shows less than half a picture: that fits half as well as can be.
        """
        if not self.shown.any():
            return 0.0
        own, other = (_lines(each) for each in (np.where(self.shown, self.luma, luma), luma))
        own, other, shown = (_blocks(each) for each in (own, other, self.shown))
        energies = (own**2).mean(axis=1), (other**2).mean(axis=1)
        telling = (np.maximum(*energies) > _FAINT) & (shown.mean(axis=1) > 0.5)
        if not telling.any():
            if self.shown.mean() < 0.5:  # a few painted areas: nothing contradicts the name
                return _UNKNOWN
            return float(np.abs(self.luma - luma)[self.shown].mean() < 0.05)
        products = (own * other).mean(axis=1)
        norm = np.sqrt(energies[0] * energies[1]) + 1e-9
        return float((products / norm)[telling].mean())


def left_gray(
    rgb: Float32[np.ndarray, "h w 3"], luma: Float32[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Return where a picture in [0, 1] is as gray as a frame of this luma: left, not painted.

    Black and white are colours of their own: lines, eyes, paper.
    """
    own = rgb @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    spread = rgb.max(axis=2) - rgb.min(axis=2)
    low, high = _TONES
    return (spread < _COLORLESS) & (np.abs(own - luma) < _ALIKE) & (own > low) & (own < high)


def small(plane: Float32[np.ndarray, "_ _ *_"]) -> Float32[np.ndarray, "h w *_"]:
    """Return a plane of a picture, or all of them, at the size at which drawings are compared."""
    return cv2.resize(plane, _SIZE, interpolation=cv2.INTER_AREA)


def _lines(luma: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Return luma less that of its surroundings."""
    return luma - cv2.GaussianBlur(luma, (0, 0), 3)


def _blocks(plane: np.ndarray) -> np.ndarray:
    """Return the pixels of a small plane block by block, as (blocks, pixels of one)."""
    height, width = plane.shape
    cut = plane.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    return cut.swapaxes(1, 2).reshape(-1, _BLOCK**2).astype(np.float32)
