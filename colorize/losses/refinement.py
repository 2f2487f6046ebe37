"""Ask the refinement network for the truth, without flicker where there was some."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth


def refinement(
    refined: Float[Tensor, "b t k 3 h w"],
    truth: Truth,
    warped: Float[Tensor, "b t k 3 h w"],
    unrefined: Float[Tensor, "b t k 3 h w"],
    flicker: Bool[Tensor, "b t k 1 h w"],
) -> Scalar:
    """Return mean|C1 - g| + mean(low·|W(c0) - g|) + mean((1 - low)·|c1 - g|).

    ``refined`` is g, ``warped`` is W(c0), ``unrefined`` is c1, ``flicker`` is low: gray agrees with
    the warped frame before, colour does not. All belong to frames that have a frame before them;
    with none of those (t = 0, stills) the loss is 0.

    Source: Lei & Chen 2019.
    """
    refined = refined.to(torch.promote_types(refined.dtype, torch.float32))
    if refined.numel() == 0:
        return 0.0 * refined.sum()
    wanted = torch.where(flicker, warped, unrefined)
    return (truth.unsqueeze(2) - refined).abs().mean() + (wanted - refined).abs().mean()


class Refinement(Loss):
    """The loss of the refinement network g; see :func:`refinement`.

    ``outputs`` and ``truth`` are those of the refined frames only. The targets are made by whoever
    runs g, on detached outputs of the main network, not by a loader.
    """

    needs = frozenset({"warped", "unrefined", "flicker"})
    frames = 2
    trains = "refiner"

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; targets ``warped``, ``unrefined`` and ``flicker`` as in the formula."""
        return refinement(
            outputs, truth, targets["warped"], targets["unrefined"], targets["flicker"]
        )
