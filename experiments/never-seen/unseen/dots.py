"""Where a user would put the next dot of colour, and how dots are handed over."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

SIDE = 3  # pixels of a dot at the working size
_HIGH = 0.8  # quantile of the error above which it is high


def next_dot(
    error: Float[np.ndarray, "h w"], marked: Bool[np.ndarray, "h w"]
) -> tuple[slice, slice]:
    """Return the rows and columns of a dot in the middle of the worst region of a result.

    ``error`` is of each pixel, at least 0. High is what is above the 80 % quantile of what is not
    marked yet; the worst region is the connected one (8 neighbours) of the largest summed error;
    its middle is the pixel farthest from its border. The dot lies within the picture.
    """
    soft = cv2.blur(np.where(marked, 0.0, error).astype(np.float32), (SIDE, SIDE))
    high = (soft >= np.quantile(soft[~marked], _HIGH)) & (soft > 0) & ~marked
    if not high.any():  # nothing is wrong
        high = ~marked
    count, labels = cv2.connectedComponents(high.astype(np.uint8), connectivity=8)
    sums = np.bincount(labels.ravel(), weights=soft.ravel(), minlength=count)
    worst = 1 + int(sums[1:].argmax())
    # A border all around, so that the edge of the picture is one of the region too.
    region = np.pad((labels == worst).astype(np.uint8), 1)
    inside = cv2.distanceTransform(region, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    height, width = error.shape
    top = int(np.clip(row - SIDE // 2, 0, height - SIDE))
    left = int(np.clip(column - SIDE // 2, 0, width - SIDE))
    return slice(top, top + SIDE), slice(left, left + SIDE)


def with_alpha(
    picture: UInt8[np.ndarray, "h w 3"], marked: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 4"]:
    """Return a picture that shows nothing but its marked pixels."""
    return np.dstack([picture, np.where(marked, 255, 0).astype(np.uint8)])
