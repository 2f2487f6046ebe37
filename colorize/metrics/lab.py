"""Measure colour differences in CIE Lab."""

from __future__ import annotations

import torch
from jaxtyping import Float
from skimage.color import deltaE_ciede2000
from torch import Tensor

from colorize.imaging.color import rgb_to_lab
from colorize.metrics.diverse import FrameMetric


def mse_lab(
    prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Return each frame's mean squared difference of (L/100, (a+128)/255, (b+128)/255).

    RGB in [0, 1]; the mean is over pixels and the three channels, in float64.
    """
    difference = rgb_to_lab(prediction.double()) - rgb_to_lab(truth.double())
    # The offset of 128 cancels in the difference; only the scales remain.
    scale = difference.new_tensor([100.0, 255.0, 255.0])[:, None, None]
    return (difference / scale).square().mean(dim=(1, 2, 3))


def ciede2000(
    lab: Float[Tensor, "b 3 h w"], other: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, "b h w"]:
    """Return the CIEDE2000 difference of each pixel of two Lab pictures, on the CPU.

    Source: Sharma, Wu and Dalal 2005, The CIEDE2000 Color-Difference Formula, by scikit-image;
    kL = kC = kH = 1.
    """
    difference = deltaE_ciede2000(lab.cpu().numpy(), other.cpu().numpy(), channel_axis=1)
    return torch.from_numpy(difference).to(lab.device)


def delta_e_2000(
    prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Return each frame's mean CIEDE2000 difference, RGB in [0, 1], in float64.

    One unit is about the smallest difference that an eye notices.
    """
    lab, true_lab = rgb_to_lab(prediction.double()), rgb_to_lab(truth.double())
    return ciede2000(lab, true_lab).mean(dim=(1, 2))


class MseLab(FrameMetric):
    """Mean squared error in normalised Lab per frame."""

    name = "MSE Lab ↓"
    better = "lower"
    digits = 5
    note = "of (L/100, (a+128)/255, (b+128)/255)"
    measure = staticmethod(mse_lab)


class DeltaE2000(FrameMetric):
    """Mean CIEDE2000 colour difference per frame."""

    name = "ΔE2000 ↓"
    better = "lower"
    digits = 2
    measure = staticmethod(delta_e_2000)
