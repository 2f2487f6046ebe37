"""Give frames other colours of the same luma, so that colours must be looked up, not remembered."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def turned(chroma: Float[Tensor, "*b 2 h w"], *, turns: float) -> Float[Tensor, "*b 2 h w"]:
    """Return (Cb, Cr) after ``turns`` full turns of the hue."""
    cosine, sine = math.cos(math.tau * turns), math.sin(math.tau * turns)
    cb, cr = chroma.unbind(-3)
    return torch.stack([cosine * cb - sine * cr, sine * cb + cosine * cr], dim=-3)


@dataclass(frozen=True)
class Recoloring:
    """One smooth map of (Cb, Cr), the same for all frames it is applied to; luma stays.

    Hues turn by ``turn`` radians, by ``waves`` (amplitude and phase of the first and the second
    harmonic over the hue circle) and by ``tilt`` radians from black to white; with ``mirror`` the
    circle runs backwards first. ``gain`` multiplies saturation.
    """

    turn: float
    waves: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))
    tilt: float = 0.0
    mirror: bool = False
    gain: float = 1.0

    def __call__(
        self, luma: Float[Tensor, "*b 1 h w"], chroma: Float[Tensor, "*b 2 h w"]
    ) -> Float[Tensor, "*b 2 h w"]:
        """Return the chroma of recoloured frames; RGB may leave the gamut, as in training."""
        cb, cr = chroma.unbind(-3)
        hue = torch.atan2(-cr if self.mirror else cr, cb)
        angle = hue + self.turn + self.tilt * (luma.squeeze(-3) - 0.5)
        for harmonic, (amplitude, phase) in enumerate(self.waves, start=1):
            if amplitude:
                angle = angle + amplitude * torch.sin(harmonic * hue + phase)
        radius = self.gain * torch.hypot(cb, cr)
        return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-3)


def draw_recoloring(random: np.random.Generator) -> Recoloring:
    """Draw a map: any turn, half of them mirrored, half with waves, half with a tilt."""
    turn, first, second = random.uniform(0, math.tau, 3)
    amplitudes = random.normal(0, 0.5, 2)
    tilt = random.normal(0, 1.5)
    gain = random.uniform(0.6, 1.15)
    waved, tilted, mirrored = random.random(3) < 0.5
    waves = ((float(amplitudes[0]), float(first)), (float(amplitudes[1]), float(second)))
    return Recoloring(
        turn=float(turn),
        waves=waves if waved else ((0.0, 0.0), (0.0, 0.0)),
        tilt=float(tilt) if tilted else 0.0,
        mirror=bool(mirrored),
        gain=float(gain),
    )
