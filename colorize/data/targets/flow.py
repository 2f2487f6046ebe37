"""Compute the targets that are flow, and where it holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from colorize.base.errors import UserError
from colorize.data.targets.settings import FlowSettings, TargetSettings
from colorize.motion.estimators import FlowEstimator, build_flow_estimator
from colorize.motion.warp import agreement, compose, consistency, points_inside, warp


def flow_targets(
    color: Float[Tensor, "t 3 h w"],
    wanted: frozenset[str],
    settings: FlowSettings,
    known: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return ``flow`` and what else of it is wanted; what is known is taken as it is."""
    second = wanted & {"flow_second", "visible_second"}
    flow = known["flow"] if "flow" in known else _estimate(color[1:], color[:-1], settings)
    targets = {"flow": flow}
    if "visible" in known:
        targets["visible"] = known["visible"]
    elif second or "visible" in wanted:
        targets["visible"] = _visible(color, flow, settings)
    if second:
        targets |= _second_step(flow, targets["visible"])
    return targets


def refiner_flow(
    color: Float[Tensor, "t 3 h w"], settings: TargetSettings, known: Mapping[str, Tensor]
) -> Float[Tensor, "t 2 h w"]:
    """Return the flow of ``settings.refiner``, which may be the one that is there already."""
    if "flow" in known and settings.refiner.gives_the_flow_of(settings.flow):
        return known["flow"]
    return _estimate(color[1:], color[:-1], settings.refiner)


def _estimate(
    current: Float[Tensor, "p 3 h w"], other: Float[Tensor, "p 3 h w"], settings: FlowSettings
) -> Float[Tensor, "t 2 h w"]:
    """Return the flow of every pair after one entry of zeros."""
    height, width = current.shape[-2:]
    nothing = current.new_zeros(1, 2, height, width)
    if len(current) == 0:
        return nothing
    return torch.cat([nothing, _estimator(settings)(current, other)])


def _visible(
    color: Float[Tensor, "t 3 h w"], flow: Float[Tensor, "t 2 h w"], settings: FlowSettings
) -> Bool[Tensor, "t 1 h w"]:
    visible = torch.zeros_like(flow[:, :1], dtype=torch.bool)
    if len(color) == 1:
        return visible
    current, previous = color[1:], color[:-1]
    visible[1:] = True
    if settings.visibility != "consistency":
        visible[1:] &= agreement(current, previous, flow[1:], threshold=settings.threshold)
    if settings.visibility != "agreement":
        visible[1:] &= consistency(flow[1:], _estimate(previous, current, settings)[1:])
    return visible


def _second_step(
    flow: Float[Tensor, "t 2 h w"], visible: Bool[Tensor, "t 1 h w"]
) -> dict[str, Tensor]:
    """Return flow and visibility from t to t-2; a place between hidden pixels is hidden."""
    second, seen = torch.zeros_like(flow), torch.zeros_like(visible)
    if len(flow) > 2:
        second[2:] = compose(flow[2:], flow[1:-1])
        before = warp(visible[1:-1].float(), flow[2:]) > 0.999
        seen[2:] = visible[2:] & before & points_inside(flow[2:])
    return {"flow_second": second, "visible_second": seen}


@lru_cache(maxsize=2)
def _estimator(settings: FlowSettings) -> FlowEstimator:
    """Return the estimator, built once per process: RAFT reads its weights from a file."""
    if settings.method == "truth":
        raise UserError(
            "flow.method=truth needs data that knows its own flow, such as data=cartoon: "
            "set targets.flow.method=dis"
        )
    return build_flow_estimator(
        method=settings.method, weights=settings.weights, input=settings.input
    )
