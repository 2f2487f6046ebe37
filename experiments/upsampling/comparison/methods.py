"""Ways to upsample chroma, ours and those it is compared with; plain, not fast."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from colorize.imaging.upsampling import upsample_chroma

Method = Callable[[Tensor, Tensor], Tensor]


def resized(chroma: Tensor, luma: Tensor, *, mode: str) -> Tensor:
    """Return chroma resized without regard to luma."""
    return functional.interpolate(chroma, size=luma.shape[-2:], mode=mode)


def guided(chroma: Tensor, luma: Tensor, *, epsilon: float) -> Tensor:
    """Return chroma as a linear function of luma in windows of 3 x 3 cells (He and Sun 2015)."""
    small = functional.adaptive_avg_pool2d(luma, chroma.shape[-2:])
    mean, chroma_mean = _box(small), _box(chroma)
    covariance = _box(small * chroma) - mean * chroma_mean
    slope = covariance / (_box(small * small) - mean**2 + epsilon)
    offset = chroma_mean - slope * mean
    enlarge = partial(resized, luma=luma, mode="bilinear")
    return enlarge(_box(slope)) * luma + enlarge(_box(offset))


def _box(values: Tensor) -> Tensor:
    return functional.avg_pool2d(functional.pad(values, (1, 1, 1, 1), mode="replicate"), 3, 1)


def kopf(chroma: Tensor, luma: Tensor, *, tolerance: float) -> Tensor:
    """Return joint bilateral upsampling as published, over the same cells and spline as ours."""
    small = functional.adaptive_avg_pool2d(luma, chroma.shape[-2:])
    total, weights = torch.zeros_like(luma), torch.zeros_like(luma)
    axes = [_taps(n, count) for n, count in zip(luma.shape[-2:], small.shape[-2:], strict=True)]
    for (row, down), (column, across) in itertools.product(*axes):
        mean, near = (values[..., row, :][..., column] for values in (small, chroma))
        weight = torch.exp(-((luma - mean) ** 2) / (2 * tolerance**2)) + 1e-6
        weight = weight * down[:, None] * across
        total, weights = total + weight * near, weights + weight
    return total / weights


def _taps(pixels: int, cells: int) -> list[tuple[Tensor, Tensor]]:
    place = (torch.arange(pixels) + 0.5) * cells / pixels
    own = place.floor().long()
    t = place - own - 0.5
    spline = ((0.5 - t) ** 2 / 2, 0.75 - t**2, (0.5 + t) ** 2 / 2)
    return [((own + k - 1).clamp(0, cells - 1), weight) for k, weight in enumerate(spline)]


METHODS: dict[str, Method] = {
    "bilinear": partial(resized, mode="bilinear"),
    "bicubic": partial(resized, mode="bicubic"),
    "fast guided filter": partial(guided, epsilon=1e-3),
    "joint bilateral, Gaussian": partial(kopf, tolerance=0.05),
    "bilateral": upsample_chroma,
}
