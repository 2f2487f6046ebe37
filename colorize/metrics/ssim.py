"""Measure structural similarity."""

from __future__ import annotations

import torch
from jaxtyping import Float
from skimage.metrics import structural_similarity
from torch import Tensor

from colorize.base.errors import UserError
from colorize.metrics.diverse import FrameMetric

# The Gaussian window of Wang et al. (sigma 1.5) spans 11 pixels.
SMALLEST_SIDE = 11


def ssim(
    prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Return the mean SSIM of each frame over R, G and B, RGB in [0, 1], in float64 on the CPU.

    Raises: ValueError when a side is shorter than the 11-pixel window.
    Source: Wang et al. 2004, Image Quality Assessment, section III-C, by scikit-image; Gaussian
    window of sigma 1.5, population covariance, L = 1.
    Differs: the paper measures luminance alone and shrinks the picture first; here every channel
    counts, at full size, since colour is what is judged.
    """
    height, width = truth.shape[-2:]
    if min(height, width) < SMALLEST_SIDE:
        raise UserError(
            f"SSIM: frames of {height}x{width} pixels are smaller than its {SMALLEST_SIDE}-pixel "
            "window; evaluate at a larger size or leave the metric ssim out"
        )
    pairs = zip(prediction.double().cpu().numpy(), truth.double().cpu().numpy(), strict=True)
    values = [
        structural_similarity(
            predicted,
            true,
            data_range=1.0,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for predicted, true in pairs
    ]
    return torch.tensor(values, dtype=torch.float64, device=prediction.device)


class Ssim(FrameMetric):
    """Structural similarity per frame, over R, G and B."""

    name = "SSIM ↑"
    better = "higher"
    digits = 4
    measure = staticmethod(ssim)
