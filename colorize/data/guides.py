"""Compute what losses derive from the true frames of a clip: flow, segments, neighbours.

A guide of a clip of t frames (all shapes are the same for every clip of one size, so batches
stack; entries without a frame to look back to are zero flow and not visible):

======================  ====================  ====================================================
``flow``                float32 t 2 h w       backward, from frame t to t-1
``visible``             bool t 1 h w          where that flow holds
``flow_second``         float32 t 2 h w       from frame t to t-2, composed
``visible_second``      bool t 1 h w          where both steps are visible
``segments``            int32 t h w           labels of the watershed
``segment_areas``       int32 t s             pixels of each label; s = ``segments.maximum``
``segment_neighbors``   int32 t s q           segments nearest by mean colour, -1 for none
``neighbors``           int32 t q h w         flat indices of the nearest pixels
======================  ====================  ====================================================
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int32, UInt8
from torch import Tensor

from colorize.data.guide_settings import (
    FlowSettings,
    GuideSettings,
    NeighborSettings,
    SegmentSettings,
)
from colorize.flow import agreement, compose, consistency, points_inside, warp
from colorize.flow_estimators import FlowEstimator, build_flow_estimator
from colorize.neighbors import nearest_exact, nearest_windowed
from colorize.segments import mean_colors, nearest_segments, relabel, watershed

GUIDES = (
    "flow",
    "visible",
    "flow_second",
    "visible_second",
    "segments",
    "segment_areas",
    "segment_neighbors",
    "neighbors",
)

# Consecutive frames that a guide looks at; guides that are not named here look at one.
FRAMES = {"flow": 2, "visible": 2, "flow_second": 3, "visible_second": 3}


def compute_guides(
    color: UInt8[np.ndarray, "t h w 3"]
    | Float[np.ndarray, "t h w 3"]
    | UInt8[Tensor, "t h w 3"]
    | Float[Tensor, "t h w 3"],
    names: Iterable[str],
    settings: GuideSettings,
    *,
    known: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return the guides called ``names`` of a clip, uint8 or float RGB in [0, 1]; nothing else.

    ``known`` are guides that need no estimate, such as a procedural cartoon's ``flow``, ``visible``
    and ``segments`` (any integers): they are used as they are, also for what depends on them.

    Raises:
        ValueError: For a name that is no guide, or more known segments than ``segments.maximum``.
    """
    wanted = frozenset(names)
    _refuse_unknown(wanted)
    clip = _Clip(_to_bytes(color))
    guides: dict[str, Tensor] = dict(known or {})
    if wanted & {"flow", "visible", "flow_second", "visible_second"}:
        guides |= _flow_guides(clip, wanted, settings.flow, guides)
    if wanted & {"segments", "segment_areas", "segment_neighbors"}:
        guides |= _segment_guides(clip, settings.segments, guides.get("segments"))
    if "neighbors" in wanted and "neighbors" not in guides:
        guides["neighbors"] = _neighbors(clip, settings.neighbors)
    return {name: guides[name] for name in GUIDES if name in wanted}


class _Clip:
    """The frames of a clip in the two forms that guides are computed from."""

    def __init__(self, frames: UInt8[np.ndarray, "t h w 3"]) -> None:
        self.frames = frames
        self.color = rearrange(torch.from_numpy(frames), "t h w c -> t c h w").float() / 255


def _flow_guides(
    clip: _Clip, wanted: frozenset[str], settings: FlowSettings, known: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    color = clip.color
    second = wanted & {"flow_second", "visible_second"}
    flow = known["flow"] if "flow" in known else _estimate(color[1:], color[:-1], settings)
    guides = {"flow": flow}
    if "visible" in known:
        guides["visible"] = known["visible"]
    elif second or "visible" in wanted:
        guides["visible"] = _visible(color, flow, settings)
    if second:
        guides |= _second_step(flow, guides["visible"])
    return guides


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
    return build_flow_estimator(
        method=settings.method, weights=settings.weights, input=settings.input
    )


def _segment_guides(
    clip: _Clip, settings: SegmentSettings, known: Tensor | None
) -> dict[str, Tensor]:
    maps, areas, neighbors = [], [], []
    for index, frame in enumerate(clip.frames):
        labels = (
            _watershed(frame, settings) if known is None else relabel(known[index].cpu().numpy())
        )
        count = int(labels.max()) + 1
        if count > settings.maximum:
            raise ValueError(
                f"segments.maximum is {settings.maximum}, but a frame was given {count} segments: "
                f"set segments.maximum={count} or more"
            )
        nearest = nearest_segments(
            mean_colors(frame, labels), count=settings.neighbors, color_limit=settings.color_limit
        )
        maps.append(labels)
        areas.append(np.bincount(labels.ravel(), minlength=settings.maximum).astype(np.int32))
        padding = ((0, settings.maximum - count), (0, 0))
        neighbors.append(np.pad(nearest, padding, constant_values=-1))
    names = ("segments", "segment_areas", "segment_neighbors")
    stacks = (torch.from_numpy(np.stack(parts)) for parts in (maps, areas, neighbors))
    return dict(zip(names, stacks, strict=True))


def _watershed(
    frame: UInt8[np.ndarray, "h w 3"], settings: SegmentSettings
) -> Int32[np.ndarray, "h w"]:
    return watershed(
        frame,
        gradient=settings.gradient,
        smoothing=settings.smoothing,
        depth=settings.depth,
        minimum_marker=settings.minimum_marker,
        minimum_size=settings.minimum_size,
        maximum=settings.maximum,
    )


def _neighbors(clip: _Clip, settings: NeighborSettings) -> Int32[Tensor, "t q h w"]:
    if settings.method == "windowed":
        return nearest_windowed(
            clip.color,
            count=settings.count,
            radius=settings.radius,
            spatial_scale=settings.spatial_scale,
        )
    if settings.method != "exact":
        raise ValueError(f"neighbors.method is {settings.method!r}: expected 'exact' or 'windowed'")
    found = [
        nearest_exact(frame / 255, count=settings.count, spatial_scale=settings.spatial_scale)
        for frame in clip.frames
    ]
    return torch.from_numpy(np.stack(found))


def _to_bytes(color: np.ndarray | Tensor) -> UInt8[np.ndarray, "t h w 3"]:
    frames = color.detach().cpu().numpy() if isinstance(color, Tensor) else color
    if frames.dtype != np.uint8:
        frames = np.rint(np.clip(frames, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(frames)


def _refuse_unknown(names: frozenset[str]) -> None:
    for name in sorted(names - set(GUIDES)):
        near = difflib.get_close_matches(name, GUIDES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(GUIDES)}"
        raise ValueError(f"there is no guide {name!r}: {hint}")
