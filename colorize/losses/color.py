"""Ask for the true colours, pixel by pixel: references show them, so there is less to guess."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import UserError
from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth


def color_distance(
    prediction: Float[Tensor, "*b 3 h w"], truth: Float[Tensor, "*b 3 h w"], *, beta: float
) -> Scalar:
    """Return the mean of |d| - beta / 2 where a channel differs by |d| > beta, else d² / (2 beta).

    Source: Girshick 2015, Fast R-CNN, eq. 3 (beta = 1 there): it pulls evenly on large errors, and
    towards the mean, not the median, of what a pixel may be where errors are small.
    """
    dtype = torch.promote_types(prediction.dtype, torch.float32)
    return functional.smooth_l1_loss(prediction.to(dtype), truth.to(dtype), beta=beta)


def check_beta(loss: str, beta: float) -> None:
    """Refuse a ``beta`` of a loss that no difference of colours in [0, 1] could reach.

    Raises: ValueError naming the option.
    """
    if not 0 < beta <= 1:
        raise UserError(f"loss.{loss}.beta is {beta}: expected above 0, at most 1")


class Color(Loss):
    """Distance of every colouring to the true colours in RGB: see :func:`color_distance`.

    ``beta`` in (0, 1] is where the distance turns from square to absolute.
    """

    def __init__(self, *, weight: float = 1.0, beta: float = 0.1) -> None:
        super().__init__(weight=weight)
        check_beta("color", beta)
        self.beta = beta

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; no targets are needed."""
        return color_distance(outputs, truth.unsqueeze(2).expand_as(outputs), beta=self.beta)
