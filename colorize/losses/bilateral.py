"""Ask pixels that are near in true colour and position for near outputs."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Int
from torch import Tensor

from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth


def bilateral(outputs: Outputs, neighbors: Int[Tensor, "b t q h w"]) -> Scalar:
    """Return Σ_k mean |f_k(p) - f_k(q)| over pixels p, their neighbours q and the channels.

    ``neighbors`` are flat indices into a frame, p itself counted in (its difference is 0). Frames
    are averaged.

    Source: Lei & Chen 2019, with the mean of the released code.
    """
    # One pixel's K colourings are one row, so that a neighbour costs one run of memory.
    pixels = rearrange(outputs, "b t k c h w -> (b t h w) (k c)")
    pixels = pixels.to(torch.promote_types(pixels.dtype, torch.float32))
    index = rearrange(neighbors, "b t q h w -> q (b t) (h w)").long()
    _, frames, size = index.shape
    index = (index + torch.arange(frames, device=index.device)[:, None] * size).flatten(1)
    differences = [(pixels - pixels.index_select(0, near)).abs().mean() for near in index]
    return outputs.shape[2] * torch.stack(differences).mean()


class Bilateral(Loss):
    """The bilateral loss; 0 when all neighbours agree. See :func:`bilateral`.

    How many neighbours, and how far colour and position count, is set where the target is computed
    (``neighbors.count``, ``neighbors.spatial_scale``).

    Differs: from the released code of Lei & Chen, which computes the term and leaves it out of the
    total.
    """

    needs = frozenset({"neighbors"})

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; the target ``neighbors`` is ``b t q h w``."""
        return bilateral(outputs, targets["neighbors"])
