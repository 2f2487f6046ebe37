"""Pictures whose chroma is known, and what a method is given of them."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional

from colorize.imaging import color
from colorize.imaging.geometry import working_size

CONDITIONS = ("exact", "as a network", "grain")
# Blur of about one cell, then half a cell to the right and down: what a network's chroma is like.
_NETWORK = ((0.06, 0.24, 0.4, 0.24, 0.06), (0.5, 0.5, 0.0))
_GRAIN = 3 / 255
_INK = (22, 18, 20)
_EDGE = 8.0  # step in Lab from pixel to pixel


def fills(size: tuple[int, int], *, seed: int) -> UInt8[np.ndarray, "h w 3"]:
    """Draw ellipses of random flat fills, outlined in ink 2 to 6 pixels wide."""
    rng = np.random.default_rng(seed)
    height, width = (2 * side for side in size)  # drawn at twice the size, for soft edges
    picture = np.full((height, width, 3), rng.integers(40, 255, 3), np.uint8)
    for _ in range(60):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = [int(rng.integers(height // 18, height // 4)) for _ in range(2)]
        paint, line = rng.integers(40, 255, 3).tolist(), 2 * int(rng.integers(2, 7))
        shape = (picture, centre, axes, float(rng.uniform(0, 180)), 0, 360)
        cv2.ellipse(*shape, paint, -1)
        cv2.ellipse(*shape, _INK, line)
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)


def stripes(size: tuple[int, int], *, seed: int) -> UInt8[np.ndarray, "h w 3"]:
    """Draw slanted stripes of fills of luma 0.55, parted by ink lines 2 to 6 pixels wide."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    across = x + 0.4 * y
    picture = np.zeros((*size, 3), np.uint8)
    start = 0.0
    while start < across.max():
        angle, end = rng.uniform(0, 2 * np.pi), start + rng.uniform(25, 60)
        chroma = 0.18 * torch.tensor([np.cos(angle), np.sin(angle)]).float().view(2, 1, 1)
        paint = color.join(torch.full((1, 1, 1), 0.55), chroma).flatten().numpy()
        picture[across >= start] = np.rint(255 * paint)
        start = end + rng.integers(2, 7)
        picture[(across >= end) & (across < start)] = _INK
    return picture


def given(
    picture: Float[Tensor, "1 3 h w"], condition: str, *, short_side: int
) -> tuple[Float[Tensor, "1 2 _h _w"], Float[Tensor, "1 1 h w"], Float[Tensor, "1 3 h w"]]:
    """Return the chroma and luma that are given in a condition, and the truth for them."""
    luma, chroma = color.rgb_to_luma(picture), color.rgb_to_chroma(picture)
    small = functional.adaptive_avg_pool2d(chroma, working_size(luma.shape[-2:], short_side))
    if condition == "as a network":
        for kernel in _NETWORK:
            small = _filtered(small, torch.tensor(kernel))
    if condition == "grain":
        noise = torch.randn(luma.shape, generator=torch.Generator().manual_seed(0))
        luma = (luma + _GRAIN * noise).clamp(0, 1)
        return small, luma, color.join_in_gamut(luma, chroma)
    return small, luma, picture


def _filtered(values: Tensor, kernel: Tensor) -> Tensor:
    both = torch.outer(kernel, kernel).expand(values.shape[1], 1, -1, -1)
    padded = functional.pad(values, (len(kernel) // 2,) * 4, mode="replicate")
    return functional.conv2d(padded, both, groups=values.shape[1])


def near_edges(lab: Float[Tensor, "1 3 h w"], *, pixels: float) -> Bool[np.ndarray, "h w"]:
    """Return which pixels lie within a distance of a step in Lab."""
    planes = lab[0].numpy()
    steps = [np.hypot(cv2.Sobel(p, -1, 1, 0), cv2.Sobel(p, -1, 0, 1)) / 4 for p in planes]
    edge = (np.max(steps, axis=0) > _EDGE).astype(np.uint8)
    return cv2.dilate(edge, np.ones((2 * round(pixels) + 1,) * 2, np.uint8)) > 0
