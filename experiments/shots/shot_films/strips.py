"""Draw the films as strips, a row for each category: frames about one of its joints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from shot_films.joints import Film

_COLUMNS, _SIZE, _MARGIN = 12, (45, 80), 5  # size is height, width; margin in frames
_TITLE = 96  # pixels of width


def write_strips(path: Path, films: Sequence[Film]) -> None:
    """Write a PNG with the first film of each category."""
    first = {film.category: film for film in reversed(films)}
    rows = [_row(film) for film in reversed(first.values())]
    if not cv2.imwrite(str(path), np.concatenate(rows)):
        raise ValueError(f"{path}: cannot be written; give a .png in a folder that exists")


def _row(film: Film) -> np.ndarray:
    """Return the category's name and frames from before a joint to after it."""
    title = np.full((_SIZE[0], _TITLE), 255, np.uint8)
    cv2.putText(title, film.category, (4, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 0, 1, cv2.LINE_AA)
    joint = film.joints[len(film.joints) // 2]
    shown = np.linspace(joint.first - _MARGIN, joint.last + _MARGIN, _COLUMNS).round().astype(int)
    pictures = [
        cv2.resize(film.frames[each], _SIZE[::-1], interpolation=cv2.INTER_AREA)
        for each in np.clip(shown, 0, len(film.frames) - 1)
    ]
    return np.concatenate([title, *pictures], axis=1)
