"""Where somebody who colours a drawing by clicks would click."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

_AROUND = 2  # pixels whose median is the colour of a place


def clicks(
    segments: Int32[np.ndarray, "h w"], color: UInt8[np.ndarray, "h w 3"], count: int
) -> list[tuple[int, int, str]]:
    """Return the innermost pixel (y, x) of the largest segments, largest first, and its colour.

    Colours are ``#rrggbb``, the median of what is around.
    """
    numbers, sizes = np.unique(segments, return_counts=True)
    found = []
    for number in numbers[np.argsort(-sizes, kind="stable")][:count]:
        inside = np.pad((segments == number).astype(np.uint8), 1)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = divmod(int(depth.argmax()), depth.shape[1])
        around = color[max(0, y - _AROUND) : y + _AROUND + 1, max(0, x - _AROUND) : x + _AROUND + 1]
        median = np.median(around.reshape(-1, 3), axis=0).astype(np.uint8)
        found.append((y, x, "#" + median.tobytes().hex()))
    return found
