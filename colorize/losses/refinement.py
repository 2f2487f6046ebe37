"""Ask the refinement network for the truth, without flicker where there was some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def refinement(
    refined: Float[Tensor, "b t k 3 h w"],
    truth: Float[Tensor, "b t 3 h w"],
    warped: Float[Tensor, "b t k 3 h w"],
    unrefined: Float[Tensor, "b t k 3 h w"],
    flicker: Bool[Tensor, "b t k 1 h w"],
) -> Float[Tensor, ""]:
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


class Refinement(nn.Module):
    """The loss of the refinement network g; see :func:`refinement`.

    ``outputs`` and ``truth`` are those of the refined frames only. The guides are made by whoever
    runs g, on detached outputs of the main network, not by a loader.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"warped", "unrefined", "flicker"})

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(
        self,
        outputs: Float[Tensor, "b t k 3 h w"],
        truth: Float[Tensor, "b t 3 h w"],
        guides: Mapping[str, Tensor],
    ) -> Float[Tensor, ""]:
        """Return the loss; guides ``warped``, ``unrefined`` and ``flicker`` as in the formula."""
        return refinement(outputs, truth, guides["warped"], guides["unrefined"], guides["flicker"])
