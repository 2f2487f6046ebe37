"""Measure how steadily the colours of a shot are distributed (CDC)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import UserError
from colorize.metrics.diverse import Better

DISTANCES = (1, 2, 4)  # frames apart
_BINS = 256
_THOUSANDTHS = 1000


def histograms(frames: Float[Tensor, "t 3 h w"]) -> Float[Tensor, "t 3 bins"]:
    """Return the share of pixels of each of the 256 values of each channel; RGB in [0, 1]."""
    values = (frames * (_BINS - 1)).round().long().clamp(0, _BINS - 1).flatten(2)
    counts = torch.zeros(*values.shape[:2], _BINS, dtype=torch.float64, device=frames.device)
    counts.scatter_add_(2, values, torch.ones_like(values, dtype=torch.float64))
    return counts / values.shape[2]


def jensen_shannon(
    first: Float[Tensor, "*b bins"], second: Float[Tensor, "*b bins"]
) -> Float[Tensor, "*b"]:
    """Return the Jensen-Shannon divergence of distributions in nats, in [0, ln 2]."""
    middle = (first + second) / 2

    def information(shares: Tensor) -> Tensor:
        return torch.special.xlogy(shares, shares / middle.clamp_min(1e-300)).sum(dim=-1)

    return (information(first) + information(second)) / 2


def color_distribution_consistency(shares: Float[Tensor, "t 3 bins"]) -> Float[Tensor, ""]:
    """Return the mean over R, G, B of ⅓(JS¹ + JS² + JS⁴) of the histograms of one shot.

    JSᵈ is the mean divergence of frames d apart; 0 is a film whose distributions never change.

    Raises: ValueError for fewer than 5 frames, which are never 4 apart.
    Source: Liu et al. 2021, Temporally Consistent Video Colorization (TCVC), where it is called
    CDC; NTIRE 2023 Video Colorization Challenge.
    """
    if len(shares) <= max(DISTANCES):
        raise UserError(f"CDC: {len(shares)} frames; it needs {max(DISTANCES) + 1} or more")
    steps = [jensen_shannon(shares[:-d], shares[d:]).mean() for d in DISTANCES]
    return torch.stack(steps).mean()


class ColorDistribution(nn.Module):
    """Colour distribution consistency of a shot, in thousandths; needs 5 frames.

    Gray scores well, so the best value is the true colours' own.
    """

    name: str = "CDC ×1000 (→ truth)"
    better: Better = "closer"
    digits: int = 2
    note: str = (
        "colour distribution consistency of shots of 5 frames or more; best where nearest to the "
        "true colours' own, which gray can undercut"
    )
    per: str = "shot"
    basis: None = None

    def prepare(self, truth: Float[Tensor, "t 3 h w"]) -> None:
        """Need nothing of the true frames."""

    @torch.no_grad()
    def observe(
        self, prediction: Float[Tensor, "t 3 h w"], prepared: None
    ) -> Float[Tensor, "t 3 bins"]:
        """Return the histograms of every frame; see :func:`histograms`."""
        return histograms(prediction)

    def conclude(self, entries: Float[Tensor, "t 3 bins"]) -> Float[Tensor, " t"]:
        """Return the shot's one value at its last frame; NaN elsewhere, and in a short shot."""
        values = entries.new_full((len(entries),), torch.nan)
        if len(entries) > max(DISTANCES):
            values[-1] = _THOUSANDTHS * color_distribution_consistency(entries)
        return values
