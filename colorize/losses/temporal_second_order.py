"""Ask outputs two frames apart for the same colour along the composed flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from colorize.losses.temporal import temporal


class TemporalSecondOrder(nn.Module):
    """The temporal loss between frames t and t-2; 0 for clips of fewer than three frames.

    Neighbouring frames may differ by little and yet drift; the wider step sees it. It needs batches
    of three frames or more: with pairs it is 0.

    Source: the idea of TCVC (Liu et al. 2021, Temporally Consistent Video Colorization).
    Differs: L1 under a visibility mask, as the first-order loss here; the flow over two steps is
    composed from two, and a pixel is visible if both steps see it.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"flow_second", "visible_second"})

    def __init__(self, *, weight: float = 5.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(
        self,
        outputs: Float[Tensor, "b t k 3 h w"],
        truth: Float[Tensor, "b t 3 h w"],
        guides: Mapping[str, Tensor],
    ) -> Float[Tensor, ""]:
        """Return the loss; guides ``flow_second`` (b t 2 h w), ``visible_second`` (b t 1 h w)."""
        return temporal(outputs, guides["flow_second"], guides["visible_second"], distance=2)
