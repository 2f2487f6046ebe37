"""Measure how much a colouring flickers: frames against the next ones, warped by the true flow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from colorize.base.errors import require_choice
from colorize.imaging.color import rgb_to_lab
from colorize.metrics.diverse import Better
from colorize.motion.estimators import FlowEstimator, FlowMethod, build_flow_estimator
from colorize.motion.warp import consistency, warp

Space = Literal["rgb", "ab"]

_THOUSANDTHS = 1000  # squared differences are small: tables show thousandths


class Motion(NamedTuple):
    """Where each pixel of a frame lies in the next one (dx, dy), and whether it is seen there."""

    flow: Float[Tensor, "p 2 h w"]
    visible: Bool[Tensor, "p 1 h w"]


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """How the flow of the true frames is estimated; see :func:`build_flow_estimator`."""

    method: FlowMethod = "dis"
    weights: str = "torchvision"
    input: Literal["gray", "color"] = "gray"


def warp_error(
    frame: Float[Tensor, "p c h w"], following: Float[Tensor, "p c h w"], motion: Motion
) -> Float[Tensor, " p"]:
    """Return Σ M‖W(following) − frame‖² / ΣM of every pair of frames, NaN where M is all zero.

    ‖·‖² sums over the channels, Σ over the pixels; W fetches the next frame along the flow, and M
    is the visibility. In float64.

    Source: Lai et al. 2018, Learning Blind Video Temporal Consistency, evaluation metrics.
    """
    fetched = warp(following.double(), motion.flow)
    squares = (fetched - frame.double()).square().sum(dim=1, keepdim=True)
    visible = motion.visible.double()
    return (visible * squares).sum(dim=(1, 2, 3)) / visible.sum(dim=(1, 2, 3))


def estimate_motion(truth: Float[Tensor, "t 3 h w"], estimator: FlowEstimator) -> Motion:
    """Return the motion from each frame but the last to the next; visible where both flows agree.

    Agreement of the flow with its reverse: :func:`colorize.motion.warp.consistency`.
    """
    frame, following = truth[:-1], truth[1:]
    # Estimators answer where a pixel of their first frame lies in their second.
    flow = estimator(frame, following)
    return Motion(flow, consistency(flow, estimator(following, frame)))


class WarpError(nn.Module):
    """Warp error of consecutive frames, in thousandths; flow and visibility are the true frames'.

    ``space`` is "rgb" in [0, 1], or "ab": Lab a and b divided by 255, so that luma plays no part.
    The true colours' own error is not zero (drawings deform, flow errs) and no goal lies below
    it: a gray film hardly flickers. A pair without a visible pixel has no value.
    """

    better: Better = "closer"
    per: str = "pair"

    def __init__(self, *, space: Space = "rgb", flow: FlowSettings | None = None) -> None:
        super().__init__()
        require_choice("metric.warp_error.space", space, Space)
        self.space = space
        self.basis = flow or FlowSettings()
        self.estimator = _estimator(self.basis)
        self.digits = 2 if space == "rgb" else 3
        self.name = f"Warp error {'RGB' if space == 'rgb' else 'ab'} ×1000 (→ truth)"
        self.note = (
            f"Lai et al. 2018, {'RGB in [0, 1]' if space == 'rgb' else 'Lab a, b / 255'}; flow "
            f"({self.basis.method}) and visibility of the true frames; "
            "best where nearest to the true colours' own, which gray can undercut"
        )

    @torch.no_grad()
    def prepare(self, truth: Float[Tensor, "t 3 h w"]) -> Motion:
        """Return the motion of the true frames; see :func:`estimate_motion`."""
        return estimate_motion(truth, self.estimator)

    @torch.no_grad()
    def observe(
        self, prediction: Float[Tensor, "t 3 h w"], prepared: Motion
    ) -> Float[Tensor, " t"]:
        """Return the error of each pair at its second frame; NaN at the first frame."""
        colors = rgb_to_lab(prediction.double())[:, 1:] / 255 if self.space == "ab" else prediction
        errors = _THOUSANDTHS * warp_error(colors[:-1], colors[1:], prepared)
        return torch.cat([errors.new_full((1,), torch.nan), errors])

    def conclude(self, entries: Float[Tensor, " t"]) -> Float[Tensor, " t"]:
        """Return the errors as they are."""
        return entries


@lru_cache(maxsize=2)
def _estimator(settings: FlowSettings) -> FlowEstimator:
    """Return the estimator, once for all metrics of equal settings: RAFT reads a file."""
    return build_flow_estimator(
        method=settings.method, weights=settings.weights, input=settings.input
    )
