"""Draw the shots of a test film: luma of procedural cartoons, in every rhythm and move."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.cartoon import CartoonSeries
from shot_films.joints import Frames

_DRAWN = 2  # frames that a procedural cartoon holds each drawing


def series(
    seed: int, *, size: tuple[int, int], shots: int, frames: tuple[int, int], scenes: int
) -> CartoonSeries:
    """Return a cartoon without effects of its own: what happens at its cuts is known."""
    return CartoonSeries(
        seed=seed, size=size, shots=shots, frames_per_shot=frames, characters=4, scenes=scenes,
        effects=False,
    )  # fmt: skip


def luma(cartoon: CartoonSeries, index: int) -> Frames:
    """Return the luma of one shot, drawn on twos."""
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in cartoon.color(index)])


def held(shot: Frames, count: int) -> Frames:
    """Show each drawing of a shot for ``count`` frames; the shot keeps its length.

    On ones the action ends early, at half of the shot, and runs back.
    """
    drawings = shot[::_DRAWN]
    there_and_back = np.concatenate([drawings, drawings[-2::-1]])
    return np.repeat(there_and_back, count, axis=0)[: len(shot)]


def panned(shot: Frames, width: int, *, start: int, length: int, back: bool) -> Frames:
    """Look at a wide shot through a window that moves from end to end in ``length`` frames.

    It rests before ``start`` and after, and eases in and out.
    """
    progress = np.clip((np.arange(len(shot)) - start) / length, 0, 1)
    eased = progress**2 * (3 - 2 * progress)
    lefts = np.round((1 - eased if back else eased) * (shot.shape[2] - width)).astype(int)
    return np.stack([frame[:, x : x + width] for frame, x in zip(shot, lefts, strict=True)])


def crossed(shot: Frames, *, start: int, length: int, back: bool, on: int) -> Frames:
    """Let a big dark figure with a light face run across the picture, drawn on ``on`` frames."""
    height, width = shot.shape[1:]
    result = shot.copy()
    for frame in range(start, min(start + length, len(shot))):
        progress = ((frame - start) // on * on) / max(length - 1, 1)
        x = int((1 - progress if back else progress) * 1.9 * width - 0.45 * width)
        picture = result[frame]
        body, head = (x, int(0.75 * height)), (x + width // 16, int(0.28 * height))
        cv2.ellipse(picture, body, (int(0.28 * width), int(0.5 * height)), 0, 0, 360, 30, -1)
        cv2.circle(picture, head, int(0.27 * height), 40, -1)
        cv2.circle(picture, head, int(0.19 * height), 200, -1)
    return result


def darkened(shot: Frames, gain: float, *, floor: float) -> Frames:
    """Show a shot by night: its luma between ``floor`` and ``floor`` + 255 ``gain``, in bytes."""
    return np.round(shot * gain + floor).astype(np.uint8)


def still(shot: Frames, length: int) -> Frames:
    """Hold the middle picture of a shot."""
    return np.repeat(shot[len(shot) // 2][None], length, axis=0)
