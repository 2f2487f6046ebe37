"""Ask outputs two frames apart for the same colour along the composed flow."""

from __future__ import annotations

from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth
from colorize.losses.temporal import temporal


class TemporalSecondOrder(Loss):
    """The temporal loss between frames t and t-2; 0 for clips of fewer than three frames.

    Neighbouring frames may differ by little and yet drift; the wider step sees it.

    Source: the idea of TCVC (Liu et al. 2021, Temporally Consistent Video Colorization).
    Differs: L1 under a visibility mask, as the first-order loss here; the flow over two steps is
    composed from two, and a pixel is visible if both steps see it.
    """

    needs = frozenset({"flow_second", "visible_second"})
    frames = 3

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; targets ``flow_second`` (b t 2 h w), ``visible_second`` (b t 1 h w)."""
        return temporal(outputs, targets["flow_second"], targets["visible_second"], distance=2)
