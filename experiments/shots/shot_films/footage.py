"""Join clips into one film: a joint where one ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from colorize.media import open_source
from shot_films.joints import Film, Frames, Joint

_SIZE = (108, 192)  # height, width: no detector looks at more


def joined(paths: Iterable[Path], first_frame: int) -> Film:
    """Read clips in order, without the first frames of each; pictures are shrunk to 108x192."""
    clips: list[Frames] = []
    joints: list[Joint] = []
    count = 0
    for path in paths:
        if count:
            joints.append(Joint("cut", count, count))
        clips.append(_luma(path, first_frame))
        count += len(clips[-1])
    return Film("footage", "footage", np.concatenate(clips), tuple(joints))


def _luma(path: Path, first_frame: int) -> Frames:
    with open_source(path) as source:
        small = [
            cv2.resize(frame.gray(), _SIZE[::-1], interpolation=cv2.INTER_AREA)
            for frame in source.frames(first_frame)
        ]
    if not small:
        raise ValueError(f"{path}: no frame is left after the first {first_frame}; skip fewer")
    return np.round(np.stack(small) * 255).astype(np.uint8)
