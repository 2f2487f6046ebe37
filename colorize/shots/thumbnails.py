"""Shrink frames to thumbnails, say which show nothing, and how unlike two pictures are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Shaped, UInt8

Luma = UInt8[np.ndarray, "h w"] | Float32[np.ndarray, "h w"]
Thumbnail = Float64[np.ndarray, "th tw"]

_SIZE = (18, 32)  # height, width
_BLOCKS = 4  # a side of each cell that a large frame is first summed to, by whole pixels
_CHANGED = 0.25  # of the standard deviation: a place that differs by more has changed
_FIGURE = 0.2  # share of the picture that one figure may change
# In [0, 1] units of thumbnails. 0.003 is less than a step of 8 bits, averaged over a cell.
_FLAT, _FLAT_IN_GRAIN = 0.003, 2.0
_STABILISER, _STABILISER_IN_GRAIN = 1e-5, 4.0
_MOST_GRAIN = 0.02
_GRAIN_FRAMES = 96  # four seconds: somewhere in them nothing moves
_MEDIAN_TO_DEVIATION = 1 / 0.6745  # of a normal distribution


def thumbnail(luma: Shaped[np.ndarray, "h w"]) -> Thumbnail:
    """Shrink by the area filter, blur, and take away the mean: contrast alone, in [-1, 1].

    Large frames are summed by whole pixels first, which is fast; up to 1 % of the picture at the
    right and lower edge is then left out.
    """
    height, width = luma.shape
    step = min(height // (_BLOCKS * _SIZE[0]), width // (_BLOCKS * _SIZE[1]))
    if step > 1:
        rows, columns = height // step, width // step
        whole = luma[: rows * step, : columns * step]
        luma = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    scaled = luma.astype(np.float64) / (255 if luma.dtype == np.uint8 else 1)
    small = cv2.resize(scaled, _SIZE[::-1], interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (3, 3), 0)
    return small - small.mean()


class Grain:
    """The deviation of film grain in thumbnails, from what changes where nothing moves.

    ``opening`` are the film's first thumbnails, by which its very first frame is judged.
    """

    def __init__(self, opening: Iterable[Thumbnail] = ()) -> None:
        self._before: Thumbnail | None = None
        self._levels: deque[float] = deque(maxlen=_GRAIN_FRAMES)
        for picture in opening:
            self.level(picture)

    def level(self, picture: Thumbnail) -> float:
        """Take the next frame and return the deviation of now, in [0, 1] units.

        A median over the picture ignores figures, a low quantile over the frames moves of the
        camera; a held drawing shows grain alone.
        """
        if self._before is not None:
            change = float(np.median(np.abs(picture - self._before)))
            self._levels.append(change * _MEDIAN_TO_DEVIATION / np.sqrt(2))
        self._before = picture
        return min(_MOST_GRAIN, float(np.quantile(self._levels, 0.1))) if self._levels else 0.0


def is_blank(picture: Thumbnail, grain: float) -> bool:
    """Return whether nothing is seen in a thumbnail: black, white or one gray, but for grain."""
    spread = np.mean(np.abs(picture - np.median(picture)))
    return bool(spread < max(_FLAT, _FLAT_IN_GRAIN * grain))


def differences(
    picture: Thumbnail, others: Float64[np.ndarray, "n th tw"], *, grain: float
) -> Float64[np.ndarray, " n"]:
    """Return (1 - correlation) x changed area, from 0, between a thumbnail and each other.

    A place has changed if it differs by a quarter of the standard deviation. The area counts from
    a fifth of the picture up, so that one figure alone makes no difference. Pictures that hardly
    rise above the grain are alike.
    """
    stabiliser = max(_STABILISER, _STABILISER_IN_GRAIN * grain**2)
    own = np.mean(picture**2) + stabiliser
    variances = own * (np.mean(others**2, axis=(1, 2)) + stabiliser)
    correlation = (np.mean(picture * others, axis=(1, 2)) + stabiliser) / np.sqrt(variances)
    limit = _CHANGED * variances[:, None, None] ** 0.25
    changed = np.mean(np.abs(picture - others) > limit, axis=(1, 2))
    return (1 - correlation) * np.maximum(0, (changed - _FIGURE) / (1 - _FIGURE))
