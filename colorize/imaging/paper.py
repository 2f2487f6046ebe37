"""Find the white paper that a model sheet is drawn on: it shows nothing of a film."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

_WHITE = 0.94  # least channel of paper, in [0, 1]
_TINT = 0.04  # largest difference of its channels
_BORDER = 0.9  # of the pixels along the border of a sheet are paper
_SHARE = 0.25  # of a sheet is paper, at least

Picture = Float32[np.ndarray, "h w 3"]


def paper(picture: Picture) -> Bool[np.ndarray, "h w"] | None:
    """Return where a picture in [0, 1] is the paper around what is drawn, None if it is no sheet.

    Paper is what is white and reaches the border; white inside an outline is part of the drawing. A
    picture is a sheet if nearly all of its border and a quarter of it are paper.
    """
    white = (picture.min(axis=2) >= _WHITE) & (np.ptp(picture, axis=2) <= _TINT)
    edges = np.concatenate([white[0], white[-1], white[:, 0], white[:, -1]])
    if edges.mean() < _BORDER:
        return None
    _, labels = cv2.connectedComponents(white.astype(np.uint8), connectivity=4)
    outer = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    found = np.isin(labels, outer[outer > 0])
    return found if found.mean() >= _SHARE else None
