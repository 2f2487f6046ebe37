"""Wear a film as old prints are worn, and let lightning strike in it."""

from __future__ import annotations

import cv2
import numpy as np

from shot_films.joints import Film, Frames

_CLEAR = 7  # frames between a flash and the nearest joint, so that either is what it is


def worn(
    frames: Frames,
    rng: np.random.Generator,
    *,
    grain: float,
    weave: float,
    flicker: float,
    dust: float,
) -> Frames:
    """Add grain (deviation of luma in [0, 1]), gate weave (pixels), flicker (of gain) and dust.

    ``dust`` is the mean number of specks a frame; every tenth frame of dust has a hair as well.
    """
    result = np.empty_like(frames)
    for index, frame in enumerate(frames):
        moved = _shifted(frame, rng.uniform(-weave, weave, 2))
        _sprinkle(moved, rng, dust)
        gain = 1 + np.clip(rng.normal(0, flicker), -2 * flicker, 2 * flicker)
        noise = cv2.GaussianBlur(rng.standard_normal(frame.shape, dtype=np.float32), (0, 0), 0.6)
        light = moved * gain + 255 * grain * noise / noise.std()
        result[index] = np.clip(np.round(light), 0, 255).astype(np.uint8)
    return result


def _shifted(frame: np.ndarray, shift: np.ndarray) -> np.ndarray:
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    return cv2.warpAffine(frame, matrix, frame.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def _sprinkle(frame: np.ndarray, rng: np.random.Generator, dust: float) -> None:
    height, width = frame.shape
    for _ in range(rng.poisson(dust)):
        place = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(1, 4)), int(rng.integers(1, 3)))
        level = int(rng.choice([10, 245]))
        cv2.ellipse(frame, place, axes, float(rng.uniform(0, 180)), 0, 360, level, -1)
        if rng.random() < 0.1:
            end = (place[0] + int(rng.integers(-6, 6)), int(rng.integers(height)))
            cv2.line(frame, place, end, level, 1)


def lightning(film: Film, rng: np.random.Generator, *, count: int) -> Film:
    """Put flashes of 1 to 3 white frames, or lightning of up to 5 light ones, between the joints.

    A flash in black stands for a missing exposure, of 1 or 2 frames.
    """
    frames, taken = film.frames.copy(), [joint.first for joint in film.joints]
    free = [i for i in range(_CLEAR, len(frames) - _CLEAR - 5)
            if all(not -_CLEAR - 5 < i - start < _CLEAR for start in taken)]  # fmt: skip
    for start in sorted(int(i) for i in rng.choice(free, min(count, len(free)), replace=False)):
        kind = str(rng.choice(["white", "white", "lightning", "black"]))
        if kind == "lightning":
            for i in range(start, start + int(rng.integers(2, 6))):
                strength = float(rng.uniform(0, 0.9))
                frames[i] = np.round(frames[i] * (1 - strength) + 255 * strength)
        else:
            length = int(rng.integers(1, 4 if kind == "white" else 3))
            frames[start : start + length] = 255 if kind == "white" else 0
    return Film(film.name, film.category, frames, film.joints)
