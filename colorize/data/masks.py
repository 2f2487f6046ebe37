"""Draw what a reference shows of its picture: dots and strokes as hints, or parts of it."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from colorize.imaging.segments import watershed

_MOST_HINTS = 30
_DOT, _STROKE = 0.6, 0.25  # of hints; the rest are fills
_DOT_SIDES = (1, 2, 3, 3, 5)  # pixels
_STROKE_LENGTH = (0.05, 0.3)  # of the short side
_FEWEST_SHOWN = 0.02  # of a picture, where parts of it are shown

Picture = UInt8[np.ndarray, "h w 3"]
Mask = Float32[np.ndarray, "h w"]


def draw_hints(picture: Picture, random: np.random.Generator) -> Mask:
    """Return a mask of 1 to 30 hints: dots, strokes, and fills of segments of the picture.

    Few are drawn more often than many, as by somebody who stops when the colours are right. The
    small ones lie anywhere, the fills cover one segment of a watershed each.
    """
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.float32)
    count = int(np.exp(random.uniform(0, np.log(_MOST_HINTS + 1))))
    labels = None
    for _ in range(count):
        y, x = int(random.integers(height)), int(random.integers(width))
        kind = random.random()
        if kind < _DOT:
            side = int(random.choice(_DOT_SIDES))
            mask[y : y + side, x : x + side] = 1
        elif kind < _DOT + _STROKE:
            length = random.uniform(*_STROKE_LENGTH) * min(height, width)
            angle = random.uniform(0, np.pi)
            end = (round(x + length * np.cos(angle)), round(y + length * np.sin(angle)))
            cv2.line(mask, (x, y), end, 1.0, thickness=int(random.integers(1, 4)))
        else:
            labels = watershed(picture) if labels is None else labels
            mask[labels == labels[y, x]] = 1
    return mask


def draw_parts(picture: Picture, random: np.random.Generator) -> Mask:
    """Return a mask of some segments of the picture, of those in a box of it half of the time.

    It is what a sheet cut out of a frame shows, or a frame that is painted in part.
    """
    height, width = picture.shape[:2]
    labels = watershed(picture)
    kept = random.random(int(labels.max()) + 1) < random.uniform(0.15, 0.9)
    mask = kept[labels]
    if random.random() < 0.5:
        (top, bottom), (left, right) = (
            sorted(random.integers(side + 1, size=2)) for side in (height, width)
        )
        box = np.zeros_like(mask)
        box[top:bottom, left:right] = True
        mask = box if random.random() < 0.5 else mask & box
    if mask.mean() < _FEWEST_SHOWN:
        mask = labels == labels[height // 2, width // 2]
    return mask.astype(np.float32)
