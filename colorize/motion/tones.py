"""Find how bright one print of a drawing is in another: gamma, contrast, brightness."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

_GAMMAS, _STEP = 29, 0.1  # that are tried, around 1, and the step of their logarithms to base 2
_PRIOR = 0.02  # of all pairs count as many that do not change, spread from black to white
_PRIOR_TONES = 9
_OUTLIER = 0.08  # of luma: a pair that far off counts e⁻¹ of one that fits
_ROUNDS = 3
_GAIN = 0.75  # of the error without it: what a curve must get below, to be one


class Tones(NamedTuple):
    """Curves ``offset + factor * luma ** gamma`` of n prints, cut to [0, 1]."""

    gamma: Float[Tensor, " n"]
    factor: Float[Tensor, " n"]
    offset: Float[Tensor, " n"]

    def __call__(self, luma: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 1 h w"]:
        """Return each picture in [0, 1] in the tones of the other print."""
        gamma, factor, offset = (each[:, None, None, None] for each in self)
        curved = (offset + factor * luma.clamp(0, 1) ** gamma).clamp(0, 1)
        return torch.where((gamma == 1) & (factor == 1), luma, curved)


@torch.no_grad()
def fit_tones(
    first: Float[Tensor, "n m"], second: Float[Tensor, "n m"], weight: Float[Tensor, "n m"]
) -> Tones:
    """Return the curves from m lumas of one print to those of the same places in another.

    ``weight`` says how sure it is that two are of one place, 0 to 1. Pairs that do not fit count
    less and less. A curve that makes no clear difference is none: the luma stays to the bit.
    Nothing is waited for on a device.

    Source: ours; least squares in the factor and the offset, by a search over gammas, reweighted as
    in Holland & Welsch 1977, Robust regression using iteratively reweighted least-squares.
    """
    steps = torch.linspace(0, 1, _PRIOR_TONES, device=first.device).expand(len(first), -1)
    fixed = torch.full_like(steps, _PRIOR * first.shape[1] / _PRIOR_TONES)
    x, y = (torch.cat([each.clamp(0, 1), steps], dim=1) for each in (first, second))
    sure = torch.cat([weight, fixed], dim=1)
    gammas = 2 ** (_STEP * (torch.arange(_GAMMAS, device=first.device) - _GAMMAS // 2))
    powers = x[:, None] ** gammas[:, None]
    rows = torch.arange(len(x), device=x.device)
    trusted = sure
    for _ in range(_ROUNDS):
        w = trusted[:, None]
        total = w.sum(dim=2)
        mean_p, mean_y = (w * powers).sum(dim=2) / total, (w * y[:, None]).sum(dim=2) / total
        from_p, from_y = powers - mean_p[:, :, None], y[:, None] - mean_y[:, :, None]
        factor = (w * from_p * from_y).sum(dim=2) / (w * from_p.square()).sum(dim=2).clamp_min(1e-9)
        error = (w * (from_y - factor[:, :, None] * from_p).square()).sum(dim=2)
        best = error.argmin(dim=1)
        gamma, slope = gammas[best], factor[rows, best]
        offset = mean_y[:, 0] - slope * mean_p[rows, best]
        fitted = offset[:, None] + slope[:, None] * powers[rows, best]
        trusted = sure * torch.exp(-((y - fitted) / _OUTLIER).square())
    with_it = (trusted * (y - fitted).square()).sum(dim=1)
    without = (trusted * (y - x).square()).sum(dim=1)
    clear = (with_it < _GAIN**2 * without) & (slope > 0)
    one = torch.ones_like(gamma)
    return Tones(
        torch.where(clear, gamma, one),
        torch.where(clear, slope, one),
        torch.where(clear, offset, torch.zeros_like(one)),
    )
