"""Convert between sRGB, Y'CbCr and Lab, and join chroma to an exact luma.

All functions take tensors whose third axis from the end is the channel: ``* c h w``, any float
dtype, any device, and are differentiable.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

# BT.601 luma weights of gamma-coded R, G, B (ITU-R BT.601-7, section 2.5.1); OpenCV's gray.
LUMA_WEIGHTS = (0.299, 0.587, 0.114)
# Cb = (B - Y') / 1.772 and Cr = (R - Y') / 1.402 fill [-0.5, 0.5] (full range, as in JPEG).
_CB_SCALE = 2 * (1 - LUMA_WEIGHTS[2])
_CR_SCALE = 2 * (1 - LUMA_WEIGHTS[0])

# Linear sRGB -> XYZ for a D65 white (IEC 61966-2-1), and that white (2 degree observer).
_RGB_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
_LAB_EPSILON = (6 / 29) ** 3


def rgb_to_luma(rgb: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 1 h w"]:
    """Return BT.601 luma Y' of gamma-coded ``rgb``, in the range of its input."""
    red, green, blue = rgb.unbind(-3)
    luma = LUMA_WEIGHTS[0] * red + LUMA_WEIGHTS[1] * green + LUMA_WEIGHTS[2] * blue
    return luma.unsqueeze(-3)


def rgb_to_chroma(rgb: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 2 h w"]:
    """Return full-range (Cb, Cr) in [-0.5, 0.5] of gamma-coded ``rgb`` in [0, 1]."""
    red, _, blue = rgb.unbind(-3)
    luma = rgb_to_luma(rgb).squeeze(-3)
    return torch.stack([(blue - luma) / _CB_SCALE, (red - luma) / _CR_SCALE], dim=-3)


def _chroma_to_offsets(chroma: Float[Tensor, "*b 2 h w"]) -> Float[Tensor, "*b 3 h w"]:
    """Return RGB - Y' for (Cb, Cr); its own luma is zero by construction."""
    cb, cr = chroma.unbind(-3)
    red, blue = _CR_SCALE * cr, _CB_SCALE * cb
    green = -(LUMA_WEIGHTS[0] * red + LUMA_WEIGHTS[2] * blue) / LUMA_WEIGHTS[1]
    return torch.stack([red, green, blue], dim=-3)


def join(
    luma: Float[Tensor, "*#b 1 h w"], chroma: Float[Tensor, "*#b 2 h w"]
) -> Float[Tensor, "*c 3 h w"]:
    """Join (Cb, Cr) to luma in [0, 1] without clipping: RGB may leave [0, 1], luma is exact.

    Training uses it, where clipping would stop the gradient; what is shown or saved goes through
    :func:`join_in_gamut`.
    """
    return luma + _chroma_to_offsets(chroma)


def join_in_gamut(
    luma: Float[Tensor, "*#b 1 h w"], chroma: Float[Tensor, "*#b 2 h w"]
) -> Float[Tensor, "*c 3 h w"]:
    """Join (Cb, Cr) to luma in [0, 1], moving colours outside the RGB cube towards gray.

    Each pixel's chroma is scaled by the largest factor in [0, 1] that keeps RGB in [0, 1]; hue in
    the CbCr plane and Y' stay exactly as they are.
    """
    offsets = _chroma_to_offsets(chroma)
    room = torch.where(offsets > 0, 1 - luma, luma)
    scale = (room / offsets.abs().clamp_min(1e-8)).amin(dim=-3, keepdim=True).clamp(0, 1)
    return (luma + scale * offsets).clamp(0, 1)


def displayable(
    outputs: Float[Tensor, "b k 3 h w"],
    gray: Float[Tensor, "b 1 h w"],
    *,
    luma: Literal["free", "keep"],
) -> Float[Tensor, "b k 3 h w"]:
    """Bring raw outputs of a model into [0, 1].

    ``luma="keep"``: at constant luma (:func:`join_in_gamut`); ``"free"``: by clipping each channel.
    """
    if luma == "free":
        return outputs.clamp(0, 1)
    return join_in_gamut(gray.unsqueeze(1), rgb_to_chroma(outputs))


def rgb_to_lab(rgb: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
    """Return CIE L*a*b* (D65) of gamma-coded sRGB in [0, 1]: L in [0, 100], a, b about ±128.

    Source: IEC 61966-2-1 for the transfer curve, CIE 15:2004 for Lab.
    """
    # The where-branches are evaluated on safe inputs so that no NaN gradient leaks through.
    linear = torch.where(
        rgb > 0.04045, ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92
    )
    matrix = linear.new_tensor(_RGB_TO_XYZ)
    xyz = torch.einsum("ij,...jhw->...ihw", matrix, linear)
    xyz = xyz / linear.new_tensor(_WHITE)[:, None, None]
    root = xyz.clamp_min(_LAB_EPSILON) ** (1 / 3)
    x, y, z = torch.where(xyz > _LAB_EPSILON, root, xyz * (841 / 108) + 4 / 29).unbind(-3)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-3)


def lab_to_rgb(lab: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
    """Return gamma-coded sRGB of CIE L*a*b* (D65); colours outside the gamut leave [0, 1]."""
    lightness, a, b = lab.unbind(-3)
    y = (lightness + 16) / 116
    f = torch.stack([y + a / 500, y, y - b / 200], dim=-3)
    xyz = torch.where(f > 6 / 29, f**3, (f - 4 / 29) * (108 / 841))
    xyz = xyz * lab.new_tensor(_WHITE)[:, None, None]
    inverse = torch.linalg.inv(torch.tensor(_RGB_TO_XYZ, dtype=torch.float64)).to(lab)
    linear = torch.einsum("ij,...jhw->...ihw", inverse, xyz)
    gamma = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, gamma, linear * 12.92)
