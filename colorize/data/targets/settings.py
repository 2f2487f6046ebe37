"""Settings of the targets that losses need; see :mod:`colorize.data.targets.compute`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from colorize.base.errors import require, require_choice
from colorize.motion.estimators import FlowMethod

Method = Literal[FlowMethod, "truth"]
Visibility = Literal["agreement", "consistency", "both"]
Source = Literal["watershed", "truth"]
Gradient = Literal["color", "luma"]
Search = Literal["exact", "windowed"]


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """How flow is estimated, and which of its pixels count as visible.

    ``method``: one of :func:`colorize.motion.estimators.build_flow_estimator`, or "truth": flow and
    visibility that the data itself knows, as a procedural cartoon does.
    ``visibility``: "agreement" of colours within ``threshold`` (Lei & Chen), forward-backward
    "consistency" (Lai et al.; twice the flow), or "both". ``weights``, ``input``: see
    :class:`colorize.motion.estimators.Raft`.
    """

    method: Method = "dis"
    weights: str = "torchvision"
    input: Literal["gray", "color"] = "gray"
    visibility: Visibility = "agreement"
    threshold: float = 0.05

    def __post_init__(self) -> None:
        require_choice("flow.method", self.method, Method)
        require_choice("flow.visibility", self.visibility, Visibility)

    def gives_the_flow_of(self, other: FlowSettings) -> bool:
        """Return whether both give the same flow, whatever of it counts as visible."""
        return (self.method, self.weights, self.input) == (other.method, other.weights, other.input)


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """How frames are segmented, and which segments are near; see :mod:`colorize.imaging.segments`.

    ``source``: the "watershed", or the "truth" that the data itself knows, as a procedural cartoon
    does. ``maximum`` is also the number of segments that every frame is padded to.
    """

    source: Source = "watershed"
    gradient: Gradient = "color"
    smoothing: float = 1.2
    depth: int = 8
    minimum_marker: int = 1
    minimum_size: int = 20
    maximum: int = 512
    neighbors: int = 3
    color_limit: float | None = 0.1

    def __post_init__(self) -> None:
        require_choice("segments.source", self.source, Source)
        require_choice("segments.gradient", self.gradient, Gradient)
        require("segments.smoothing", self.smoothing > 0, self.smoothing, "more than 0 pixels")
        for name in ("depth", "minimum_marker", "minimum_size", "maximum", "neighbors"):
            value = getattr(self, name)
            require(f"segments.{name}", value >= 1, value, "1 or more")
        require("segments.depth", self.depth <= 255, self.depth, "at most 255")


@dataclass(frozen=True, kw_only=True)
class NeighborSettings:
    """How nearest pixels are found; ``radius`` concerns the windowed search alone."""

    method: Search = "exact"
    count: int = 5
    radius: int = 8
    spatial_scale: float = 500.0

    def __post_init__(self) -> None:
        require_choice("neighbors.method", self.method, Search)
        require("neighbors.spatial_scale", self.spatial_scale > 0, self.spatial_scale, "above 0")


@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """Settings of all targets.

    ``refiner_flow`` is what the refinement network warps by; None is like ``flow``, but of gray
    frames. ``cache`` is a folder in which targets are kept (:mod:`colorize.data.targets.cache`).
    """

    flow: FlowSettings = field(default_factory=FlowSettings)
    refiner_flow: FlowSettings | None = None
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    neighbors: NeighborSettings = field(default_factory=NeighborSettings)
    cache: str | None = None

    @property
    def refiner(self) -> FlowSettings:
        """Return the settings of the flow that the refinement network warps by."""
        return self.refiner_flow or replace(self.flow, input="gray")
