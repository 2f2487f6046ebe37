"""Spoil true chroma the way a network does, each way by itself."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

Degradation = Callable[[Float[Tensor, "t 2 h w"], np.random.Generator], Float[Tensor, "t 2 h w"]]

_SOFT, _NOISE, _GRAIN = 1.0, 0.04, 1.0  # pixels; deviation of chroma; pixels
_BLEED = (2.0, 4.0)  # pixels
_PATCH, _TURN, _GAIN = 8.0, 0.5, 0.35  # pixels; deviations: of hue in radians, of log saturation


def exact(chroma: Float[Tensor, "t 2 h w"], rng: np.random.Generator) -> Float[Tensor, "t 2 h w"]:
    """Return chroma as it is: what is spoilt where there was nothing to mend."""
    return chroma


def noisy(chroma: Float[Tensor, "t 2 h w"], rng: np.random.Generator) -> Float[Tensor, "t 2 h w"]:
    """Return chroma blurred by a pixel, plus noise that is new in every frame."""
    noise = _smooth(rng, tuple(chroma.shape), _GRAIN)
    return _blurred(chroma, _SOFT) + torch.from_numpy(_NOISE * noise)


def bleeding(
    chroma: Float[Tensor, "t 2 h w"], rng: np.random.Generator
) -> Float[Tensor, "t 2 h w"]:
    """Return chroma blurred across lines by 2 to 4 pixels, the same in all frames."""
    return _blurred(chroma, rng.uniform(*_BLEED))


def patchy(chroma: Float[Tensor, "t 2 h w"], rng: np.random.Generator) -> Float[Tensor, "t 2 h w"]:
    """Return chroma of wrong hue and saturation in smooth patches that stand still in the picture.

    Hue turns by a random angle of deviation 0.5, saturation is multiplied by e to the 0.35.
    """
    turn, gain = torch.from_numpy(_smooth(rng, (1, 2, *chroma.shape[-2:]), _PATCH)[0])
    cosine, sine, scale = (_TURN * turn).cos(), (_TURN * turn).sin(), (_GAIN * gain).exp()
    blue, red = chroma.unbind(1)
    turned = torch.stack([cosine * blue - sine * red, sine * blue + cosine * red], dim=1)
    return scale * turned


DEGRADATIONS: dict[str, Degradation] = {
    "blur and noise": noisy,
    "bleeding": bleeding,
    "patches": patchy,
    "exact": exact,
}


def _blurred(chroma: Float[Tensor, "t 2 h w"], sigma: float) -> Float[Tensor, "t 2 h w"]:
    planes = [[cv2.GaussianBlur(plane, (0, 0), sigma) for plane in each] for each in chroma.numpy()]
    return torch.from_numpy(np.array(planes))


def _smooth(
    rng: np.random.Generator, shape: tuple[int, ...], sigma: float
) -> Float32[np.ndarray, "t c h w"]:
    """Return noise of deviation 1, blurred by ``sigma`` pixels."""
    white = rng.standard_normal(shape).astype(np.float32)
    planes = np.array([[cv2.GaussianBlur(p, (0, 0), sigma) for p in each] for each in white])
    return planes / planes.std()
