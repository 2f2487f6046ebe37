"""Teach a network the errors that it is to expect of its colours."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.imaging.color import rgb_to_chroma
from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth

_LEAST = 1e-4  # of a spread: errors of chroma below it are rounding


def spread_distance(
    error: Float[Tensor, "n 2 h w"], spread: Float[Tensor, "n 1 h w"]
) -> Float[Tensor, " n"]:
    """Return the mean of log s + e² / (2 s²) of each frame; least where s is the root of mean e².

    ``error`` e is that of (Cb, Cr), of which the mean square counts; ``spread`` s is what was
    expected.

    Source: Nix & Weigend 1994, Estimating the mean and variance of the target probability
    distribution, eq. 4.
    """
    square = error.float().square().mean(dim=1, keepdim=True)
    expected = spread.float().clamp_min(_LEAST)
    return (expected.log() + square / (2 * expected.square())).mean(dim=(1, 2, 3))


class Uncertainty(Loss):
    """How far the errors that a network expects of its colours are from those that it makes.

    Only what it expects is taught; its colours are not, so that nothing is gained by sure errors.
    """

    needs = frozenset({"own", "own_spread", "spread"})

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss, the mean of that of the result and of the network's own colours.

        Targets, of the b t frames in order: ``own`` (n 2 h w) chroma, ``own_spread`` and
        ``spread`` (n 1 h w).
        """
        true = rgb_to_chroma(truth.flatten(0, 1))
        result = rgb_to_chroma(outputs[:, :, 0].flatten(0, 1)).detach()
        first = spread_distance(result - true, targets["spread"])
        second = spread_distance(targets["own"].detach() - true, targets["own_spread"])
        return torch.cat([first, second]).mean()
