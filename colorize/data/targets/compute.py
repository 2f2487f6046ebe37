"""Compute what losses derive from the true frames of a clip: flow, segments, neighbours.

A target of a clip of t frames (all shapes are the same for every clip of one size, so batches
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
``refiner_flow``        float32 t 2 h w       backward flow that the refinement network warps by
``segment_planes``      float32 t 2 h w       an input of the generator, from gray frames alone:
                                              :func:`colorize.imaging.segments.segment_planes`
======================  ====================  ====================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Float32, Int32, Shaped, UInt8
from torch import Tensor

from colorize.base.errors import UserError, did_you_mean
from colorize.data.targets.flow import flow_targets, refiner_flow
from colorize.data.targets.settings import NeighborSettings, SegmentSettings, TargetSettings
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.neighbors import nearest_exact, nearest_windowed
from colorize.imaging.segments import (
    mean_colors,
    nearest_segments,
    relabel,
    segment_planes,
    watershed,
)

# Targets that are made together, by one part of the settings.
GROUPS = {
    "flow": frozenset({"flow", "visible", "flow_second", "visible_second"}),
    "segments": frozenset({"segments", "segment_areas", "segment_neighbors"}),
    "neighbors": frozenset({"neighbors"}),
    "refiner_flow": frozenset({"refiner_flow"}),
    "segment_planes": frozenset({"segment_planes"}),
}
TARGETS = frozenset[str]().union(*GROUPS.values())


def compute_targets(
    color: UInt8[np.ndarray, "t h w 3"]
    | Float[np.ndarray, "t h w 3"]
    | UInt8[Tensor, "t h w 3"]
    | Float[Tensor, "t h w 3"],
    names: Iterable[str],
    settings: TargetSettings,
    *,
    known: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return the targets called ``names`` of a clip, uint8 or float RGB in [0, 1]; nothing else.

    ``known`` are targets that need no estimate, such as a procedural cartoon's ``flow``,
    ``visible`` and ``segments`` (any integers): they are used as they are, also for what depends on
    them.

    Raises:
        ValueError: For a name that is no target, for settings that ask for a truth which is not
            known, or for more known segments than ``segments.maximum``.
    """
    wanted = frozenset(names)
    refuse_unknown(wanted)
    clip = _Clip(color)
    targets: dict[str, Tensor] = dict(known or {})
    if wanted & GROUPS["flow"]:
        targets |= flow_targets(clip.color, wanted, settings.flow, targets)
    if "refiner_flow" in wanted and "refiner_flow" not in targets:
        targets["refiner_flow"] = refiner_flow(clip.color, settings, targets)
    if wanted & GROUPS["segments"]:
        targets |= _segment_targets(clip, settings.segments, targets.get("segments"))
    if "neighbors" in wanted and "neighbors" not in targets:
        targets["neighbors"] = _neighbors(clip, settings.neighbors)
    if "segment_planes" in wanted:
        planes = [segment_planes(gray) for gray in clip.gray[:, 0].numpy()]
        targets["segment_planes"] = torch.from_numpy(np.stack(planes))
    return {name: targets[name] for name in sorted(wanted)}


class _Clip:
    """The frames of a clip in the forms that targets are computed from.

    ``frames`` and ``color`` are rounded to bytes; ``gray`` is the luma of the colours as they are,
    which is what the generator sees.
    """

    def __init__(self, color: np.ndarray | Tensor) -> None:
        values = color.detach().cpu().numpy() if isinstance(color, Tensor) else color
        whole = values.dtype == np.uint8
        rounded = values if whole else np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
        self.frames = np.ascontiguousarray(rounded)
        self.color = _channels_first(self.frames).float() / 255
        exact = self.color if whole else _channels_first(values).float()
        self.gray: Float32[Tensor, "t 1 h w"] = rgb_to_luma(exact)


def _segment_targets(
    clip: _Clip, settings: SegmentSettings, known: Tensor | None
) -> dict[str, Tensor]:
    if known is None and settings.source == "truth":
        raise UserError(
            "segments.source=truth needs data that knows its own segments, such as data=cartoon: "
            "set targets.segments.source=watershed"
        )
    maps, areas, neighbors = [], [], []
    for index, frame in enumerate(clip.frames):
        labels = (
            _watershed(frame, settings) if known is None else relabel(known[index].cpu().numpy())
        )
        count = int(labels.max()) + 1
        if count > settings.maximum:
            raise UserError(
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
    found = [
        nearest_exact(frame / 255, count=settings.count, spatial_scale=settings.spatial_scale)
        for frame in clip.frames
    ]
    return torch.from_numpy(np.stack(found))


def _channels_first(frames: np.ndarray) -> Shaped[Tensor, "t 3 h w"]:
    return rearrange(torch.from_numpy(frames), "t h w c -> t c h w")


def refuse_unknown(names: Iterable[str]) -> None:
    """Refuse names that are no targets.

    Raises:
        ValueError: Names the nearest target.
    """
    for name in sorted(set(names) - TARGETS):
        raise UserError(f"there is no target {name!r}{did_you_mean(name, TARGETS)}")
