"""Teach what references propose directly: the matching, and the fusion that judges them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import UserError
from colorize.imaging.color import join, rgb_to_chroma
from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth
from colorize.losses.color import check_beta, color_distance

STRIDE = 4  # of the grid of the matching, pixels: that of colorize.networks.guided.matching


class Proposals(Loss):
    """Distance of proposed colours to the true ones, where there is a reference.

    The fused proposals count fully, those of soft matching by ``matching``; both as the loss
    :mod:`colorize.losses.color`. Without it the matching would learn only through the eyes of the
    judge and the U-Net behind it, which do not trust it before it has learnt.
    """

    needs = frozenset({"fused", "attended", "served"})

    def __init__(self, *, weight: float = 1.0, beta: float = 0.1, matching: float = 0.6) -> None:
        super().__init__(weight=weight)
        check_beta("proposals", beta)
        if matching < 0:
            raise UserError(f"loss.proposals.matching is {matching}: expected 0 or more")
        self.beta = beta
        self.matching = matching

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; targets, of the b t frames in order:

        ``fused`` (n 2 h w) and ``attended`` (n 2 p q, of the frame padded below and to the right)
        chroma, and ``served`` (n, bool), where there is a reference.
        """
        true = rgb_to_chroma(truth.flatten(0, 1))
        fused, attended = targets["fused"].float(), targets["attended"].float()
        served = targets["served"][:, None, None, None]
        coarse = _shrink(true, attended.shape[-2:])
        first = _distance(fused, true, served, beta=self.beta)
        return first + self.matching * _distance(attended, coarse, served, beta=self.beta)


def _distance(
    chroma: Float[Tensor, "n 2 h w"],
    true: Float[Tensor, "n 2 h w"],
    served: Tensor,
    *,
    beta: float,
) -> Scalar:
    """Return the distance of colours of the same luma, frames without reference being right."""
    difference = join(torch.zeros_like(chroma[:, :1]), (chroma - true) * served)
    return color_distance(difference, torch.zeros_like(difference), beta=beta)


def _shrink(planes: Float[Tensor, "n 2 h w"], size: Sequence[int]) -> Float[Tensor, "n 2 p q"]:
    """Average the blocks of a grid over a frame that is padded to whole blocks."""
    height, width = planes.shape[-2:]
    below, right = (
        max(0, STRIDE * cells - side) for cells, side in zip(size, (height, width), strict=True)
    )
    padded = functional.pad(planes, (0, right, 0, below), mode="replicate")
    return functional.adaptive_avg_pool2d(padded, (size[0], size[1]))
