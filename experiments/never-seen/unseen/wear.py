"""What befalls a film or a print of it: another gamma, flicker of exposure, weave, grain.

Pictures are RGB, 8 bits, of one shot in order (t h w 3). Randomness comes from ``rng`` alone.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.imaging.tensors import to_picture, to_tensor

Frames = UInt8[np.ndarray, "t h w 3"]


def with_luma(frames: Frames, luma: Float32[np.ndarray, "t h w"]) -> Frames:
    """Return frames of another luma (clipped to [0, 1]), their chroma kept as far as it fits."""
    planes = torch.from_numpy(luma.clip(0, 1).astype(np.float32))[:, None]
    colored = join_in_gamut(planes, rgb_to_chroma(to_tensor(frames)))
    return np.stack([to_picture(each) for each in colored])


def luma_of(frames: Frames) -> Float32[np.ndarray, "t h w"]:
    """Return BT.601 luma in [0, 1]."""
    return rgb_to_luma(to_tensor(frames))[:, 0].numpy()


def printed(frames: Frames, *, gamma: float) -> Frames:
    """Return a print of another gamma: its luma to that power, its chroma as it was."""
    return with_luma(frames, luma_of(frames) ** gamma)


def developed(frames: Frames, *, gamma: float) -> Frames:
    """Return a print of another gamma in red, green and blue: its colours change as well."""
    return np.round(255 * (frames / 255) ** gamma).astype(np.uint8)


def flickering(frames: Frames, *, most: float, rng: np.random.Generator) -> Frames:
    """Return frames whose luma is multiplied by 1 ± up to ``most``, anew in each."""
    gains = 1 + rng.uniform(-most, most, len(frames)).astype(np.float32)
    return with_luma(frames, luma_of(frames) * gains[:, None, None])


def weaving(frames: Frames, *, most: float, rng: np.random.Generator) -> Frames:
    """Return frames shifted by up to ``most`` of their size each way, by fractions of a pixel."""
    height, width = frames.shape[1:3]
    moved = []
    for frame in frames:
        dx, dy = rng.uniform(-most, most, 2) * (width, height)
        shift = np.array([[1.0, 0, dx], [0, 1, dy]])
        moved.append(
            cv2.warpAffine(
                frame, shift, (width, height), flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT,
            )
        )  # fmt: skip
    return np.stack(moved)


def grainy(frames: Frames, *, sigma: float, rng: np.random.Generator) -> Frames:
    """Return frames with grain of deviation ``sigma`` of their luma, in clumps of about a pixel."""
    noise = rng.standard_normal(frames.shape[:3], dtype=np.float32)
    clumps = np.stack([cv2.GaussianBlur(each, (0, 0), 0.6) for each in noise])
    return with_luma(frames, luma_of(frames) + sigma * clumps / clumps.std())
