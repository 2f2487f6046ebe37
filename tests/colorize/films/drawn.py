"""Frames of a few shots, drawn for tests of jobs, and their colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def moving_blocks(lengths: Sequence[int]) -> list[np.ndarray]:
    """Frames of shots of these lengths, each a still background with a bright block that moves."""
    random = np.random.default_rng(1)
    frames = []
    for length in lengths:
        coarse = random.integers(30, 200, (6, 8), dtype=np.uint8)
        background = cv2.resize(coarse, (96, 64), interpolation=cv2.INTER_CUBIC)
        for step in range(length):
            frame = background.copy()
            frame[20:36, 4 + 3 * step : 20 + 3 * step] = 240
            frames.append(frame)
    return frames


def write_frames(folder: Path, pictures: Sequence[np.ndarray]) -> Path:
    """Write pictures as ``0.png``, ``1.png`` … into a new folder."""
    folder.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return folder


def tinted(gray: np.ndarray, *, red: int = 40) -> np.ndarray:
    """A colour picture of this luma in three upright bands, where luma is within 60 to 190."""
    plane = np.clip(gray.astype(float), 60, 190)
    bands = np.linspace(0, 3, gray.shape[1], endpoint=False).astype(int)
    reds, blues = np.array([red, -30, 10])[bands], np.array([-30, 50, -40])[bands]
    greens = -(0.299 * reds + 0.114 * blues) / 0.587
    shifted = [plane + shift for shift in (reds, greens, blues)]
    return np.stack(shifted, axis=-1).round().astype(np.uint8)


def save(path: Path, rgb: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path
