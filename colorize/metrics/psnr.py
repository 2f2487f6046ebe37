"""Measure the peak signal-to-noise ratio."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.metrics.diverse import FrameMetric

# Identical frames have no noise; a finite stand-in keeps means over frames finite.
CEILING = 100.0


def psnr(
    prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Return 10·log10(1 / MSE) in dB of each frame, RGB in [0, 1], computed in float64.

    Frames that differ by less than an MSE of 1e-10, identical ones too, count as 100 dB.
    """
    error = (prediction.double() - truth.double()).square().mean(dim=(1, 2, 3))
    return (-10 * torch.log10(error)).clamp_max(CEILING)


class Psnr(FrameMetric):
    """Peak signal-to-noise ratio per frame, in dB."""

    name = "PSNR (dB) ↑"
    better = "higher"
    digits = 2
    note = "identical frames count as 100 dB"
    measure = staticmethod(psnr)
