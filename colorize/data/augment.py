"""Vary colour clips for training: crop, flip, tone and hue; one draw for all frames of a clip.

Gray is taken after all of it, so that it stays the exact luma of the colours. Clips here are
NumPy ``t h w 3``; sizes are (height, width). What is drawn is apart from what it is applied to, so
that true flow and segments can go the way of their frames (:mod:`colorize.data.targets.truth`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float32, Shaped, UInt8, UInt16

from colorize.base.errors import require
from colorize.data.recolor import turned
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.media.frame import to_depth

Bytes = UInt8[np.ndarray, "t h w 3"]
Floats = Float32[np.ndarray, "t h w 3"]
Box = tuple[int, int, int, int]
# An aspect ratio that differs by less is stretched even under "crop": it cannot be seen, and
# keeps a border that a rounded size would cut.
_SAME_ASPECT = 0.02


def resize(
    frames: Shaped[np.ndarray, "t h w *c"], size: tuple[int, int]
) -> Shaped[np.ndarray, "t th tw *c"]:
    """Resize to exactly ``size``: by the area filter where it shrinks, else bilinearly.

    An axis ratio that differs is stretched.
    """
    height, width = size
    if frames.shape[1:3] == size:
        return frames
    shrinks = height <= frames.shape[1] and width <= frames.shape[2]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.stack([cv2.resize(frame, (width, height), interpolation=how) for frame in frames])


def centre_box(source: tuple[int, int], target: tuple[int, int], *, scale: float = 1.0) -> Box:
    """Return (top, left, height, width) of the largest central box of ``target``'s aspect.

    ``scale`` in (0, 1] shortens both of its sides.
    """
    enlarge = min(source[0] / target[0], source[1] / target[1]) * scale
    height = min(source[0], max(1, round(target[0] * enlarge)))
    width = min(source[1], max(1, round(target[1] * enlarge)))
    return (source[0] - height) // 2, (source[1] - width) // 2, height, width


def fit_frame(
    picture: UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"],
    size: tuple[int, int],
    fit: str,
) -> UInt8[np.ndarray, "th tw 3"]:
    """Return ``picture`` at ``size``, 8-bit: the largest central part of its aspect, or stretched.

    Pixels are taken as square.
    """
    rgb = to_depth(picture, np.dtype(np.uint8))
    height, width = rgb.shape[:2]
    stretch = (width / height) / (size[1] / size[0])
    if fit == "crop" and abs(np.log(stretch)) > np.log(1 + _SAME_ASPECT):
        top, left, height, width = centre_box((height, width), size)
        rgb = rgb[top : top + height, left : left + width]
    return resize(rgb[None], size)[0]


def random_box(
    source: tuple[int, int],
    target: tuple[int, int],
    *,
    scale: tuple[float, float],
    random: np.random.Generator,
) -> Box:
    """Return a box of ``target``'s aspect anywhere in ``source``, its side scaled by ``scale``."""
    _, _, height, width = centre_box(source, target, scale=float(random.uniform(*scale)))
    top = int(random.integers(source[0] - height + 1))
    left = int(random.integers(source[1] - width + 1))
    return top, left, height, width


@dataclass(frozen=True)
class Geometry:
    """Show ``box`` of stored frames at ``size`` (height, width), mirrored where ``flip``."""

    box: Box
    size: tuple[int, int]
    flip: bool = False

    @classmethod
    def central(cls, source: tuple[int, int], size: tuple[int, int]) -> Geometry:
        """Return the largest central box of the aspect of ``size``."""
        return cls(box=centre_box(source, size), size=size)

    def cut(self, values: np.ndarray) -> np.ndarray:
        """Return the box of arrays ``t h w …``, not resized and not mirrored."""
        top, left, height, width = self.box
        return values[:, top : top + height, left : left + width]

    def pictures(self, frames: Bytes) -> Float32[np.ndarray, "t th tw 3"]:
        """Return frames in [0, 1]."""
        shown = resize(self.cut(frames), self.size).astype(np.float32) / np.float32(255)
        return np.ascontiguousarray(shown[:, :, ::-1]) if self.flip else shown


def adjust_tone(frames: Floats, *, gamma: float, contrast: float, brightness: float) -> Floats:
    """Return ``(frames**gamma - 0.5) * contrast + 0.5 + brightness``, clipped to [0, 1]."""
    toned = (frames**gamma - 0.5) * contrast + 0.5 + brightness
    return np.clip(toned, 0, 1).astype(np.float32)


def rotate_hue(frames: Floats, *, turns: float) -> Floats:
    """Rotate (Cb, Cr) by ``turns`` of a full turn; luma stays, colours are brought into gamut."""
    rgb = torch.from_numpy(rearrange(frames, "t h w c -> t c h w"))
    joined = join_in_gamut(rgb_to_luma(rgb), turned(rgb_to_chroma(rgb), turns=turns)).numpy()
    return np.ascontiguousarray(rearrange(joined, "t c h w -> t h w c"))


@dataclass(frozen=True)
class Variation:
    """One draw for all frames of a clip: a geometry, a tone and a turn of the hue.

    ``tone`` holds the arguments of :func:`adjust_tone`; None of either leaves it as it is.
    """

    geometry: Geometry
    tone: Mapping[str, float] | None = None
    turns: float | None = None

    def __call__(self, frames: Bytes) -> Float32[np.ndarray, "t th tw 3"]:
        """Return ``frames`` varied, in [0, 1]."""
        varied = self.geometry.pictures(frames)
        if self.tone is not None:
            varied = adjust_tone(varied, **self.tone)
        return varied if self.turns is None else rotate_hue(varied, turns=self.turns)


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Draw one crop, flip, tone and hue per clip and bring it to the requested size.

    Args:
        flip: Probability of a horizontal flip.
        crop: Probability of a random crop instead of the central one.
        scale: Range of the crop's side, relative to the largest box of the requested aspect.
        tone: Probability of a change of tone.
        gamma: Range of the exponent's logarithm to base 2, ±.
        contrast: Range of the factor, 1 ±.
        brightness: Range of the offset, ±, on [0, 1].
        hue: Largest turn of the hue, ±, in full turns; 0 leaves hues alone. Characters keep their
            colours through a series, so the default is 0.
    """

    flip: float = 0.5
    crop: float = 1.0
    scale: Sequence[float] = (0.6, 1.0)
    tone: float = 0.0
    gamma: float = 0.3
    contrast: float = 0.15
    brightness: float = 0.05
    hue: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "crop", "tone"):
            value = getattr(self, name)
            require(f"augment.{name}", 0 <= value <= 1, value, "a probability in [0, 1]")
        low, high = self.scale
        require("augment.scale", 0 < low <= high <= 1, (low, high), "0 < low <= high <= 1")

    def draw(self, source: tuple[int, int], *, size: tuple[int, int], seed: int) -> Variation:
        """Return what brings frames of size ``source`` to ``size``; a function of ``seed``."""
        random = np.random.default_rng(seed)
        # All is drawn, used or not, so that one setting does not change what another draws.
        low, high = self.scale
        box = random_box(source, size, scale=(low, high), random=random)
        crops, flips, tones = random.random(3) < (self.crop, self.flip, self.tone)
        gamma, contrast, brightness, hue = random.uniform(-1, 1, 4)
        return Variation(
            geometry=Geometry(
                box=box if crops else centre_box(source, size), size=size, flip=bool(flips)
            ),
            tone={
                "gamma": 2 ** (gamma * self.gamma),
                "contrast": 1 + contrast * self.contrast,
                "brightness": brightness * self.brightness,
            }
            if tones
            else None,
            turns=hue * self.hue if self.hue else None,
        )
