"""Settings of the guides that losses need; see :mod:`colorize.data.guides`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from colorize.flow_estimators import FlowMethod


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """How flow is estimated, and which of its pixels count as visible.

    ``visibility``: "agreement" of colours within ``threshold`` (Lei & Chen), forward-backward
    "consistency" (Lai et al.; twice the flow), or "both". ``weights``, ``input``: see
    :class:`colorize.flow_estimators.Raft`.
    """

    method: FlowMethod = "dis"
    weights: str = "torchvision"
    input: Literal["gray", "color"] = "gray"
    visibility: Literal["agreement", "consistency", "both"] = "agreement"
    threshold: float = 0.05

    def __post_init__(self) -> None:
        known = ("agreement", "consistency", "both")
        _require(
            "flow.visibility",
            self.visibility in known,
            self.visibility,
            f"one of {', '.join(known)}",
        )


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """How frames are segmented, and which segments are near; see :mod:`colorize.segments`.

    ``maximum`` is also the number of segments that every frame is padded to.
    """

    gradient: Literal["color", "luma"] = "color"
    smoothing: float = 1.2
    depth: int = 8
    minimum_marker: int = 1
    minimum_size: int = 20
    maximum: int = 512
    neighbors: int = 3
    color_limit: float | None = 0.1

    def __post_init__(self) -> None:
        _require("segments.smoothing", self.smoothing > 0, self.smoothing, "more than 0 pixels")
        for name in ("depth", "minimum_marker", "minimum_size", "maximum", "neighbors"):
            value = getattr(self, name)
            _require(f"segments.{name}", value >= 1, value, "1 or more")
        _require("segments.depth", self.depth <= 255, self.depth, "at most 255")


@dataclass(frozen=True, kw_only=True)
class NeighborSettings:
    """How nearest pixels are found; ``radius`` concerns the windowed search alone."""

    method: Literal["exact", "windowed"] = "exact"
    count: int = 5
    radius: int = 8
    spatial_scale: float = 500.0

    def __post_init__(self) -> None:
        known = ("exact", "windowed")
        _require("neighbors.method", self.method in known, self.method, "exact or windowed")
        _require("neighbors.spatial_scale", self.spatial_scale > 0, self.spatial_scale, "above 0")


@dataclass(frozen=True, kw_only=True)
class GuideSettings:
    """Settings of all guides."""

    flow: FlowSettings = field(default_factory=FlowSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    neighbors: NeighborSettings = field(default_factory=NeighborSettings)


def _require(option: str, holds: bool, got: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{option} is {got!r}: expected {expected}")
