"""Time the targets of one cartoon frame on one core, as a worker of a loader computes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int32, UInt8
from torch import Tensor

from benchmarks.timing import Setting, one_core, print_shares, print_target
from colorize.cartoon import CartoonSeries
from colorize.data.targets.compute import GROUPS, compute_targets
from colorize.data.targets.settings import NeighborSettings, TargetSettings
from colorize.imaging.neighbors import distances

_WINDOWED = TargetSettings(neighbors=NeighborSettings(method="windowed"))
_EXACT, _SEGMENTS = "neighbors, exact (kd-tree)", "segments, areas, near segments"
_WINDOWED_NAME = f"neighbors, windowed (radius {_WINDOWED.neighbors.radius})"
_TARGET = 0.025  # seconds that the targets of the Segment loss should take at most
# A windowed search counts distances as equal that differ by less than this part of them.
_EQUAL = 1e-3


def targets(setting: Setting) -> dict[str, Any]:
    """Time segments, both searches for neighbours, and DIS flow with its visibility."""
    series = CartoonSeries(
        seed=setting.seed, size=setting.size, shots=1, frames_per_shot=2, effects=False
    )
    pair = series.shot(0).color
    with one_core():
        times = setting.medians(_runs(pair))
        agreement = _agreement(pair[:1])
    print_shares("targets of a frame, on the CPU, one core", times)
    print_target("targets of the Segment loss", 1e3 * times[_SEGMENTS], 1e3 * _TARGET, "{:.1f} ms")
    print(f"  the windowed search finds {agreement:.1%} of the exact distances")
    return {"seconds": times, "exact_distances_found": agreement}


def _runs(pair: UInt8[np.ndarray, "2 h w 3"]) -> dict[str, Callable[[], object]]:
    """Return what computes each target of one frame; flow looks at the frame before as well."""
    frame, settings = pair[:1], TargetSettings()
    flow, neighbors, segments = {"flow", "visible"}, GROUPS["neighbors"], GROUPS["segments"]
    return {
        _EXACT: lambda: compute_targets(frame, neighbors, settings),
        _WINDOWED_NAME: lambda: compute_targets(frame, neighbors, _WINDOWED),
        "flow (DIS) and visibility": lambda: compute_targets(pair, flow, settings),
        _SEGMENTS: lambda: compute_targets(frame, segments, settings),
    }


def _agreement(frame: UInt8[np.ndarray, "1 h w 3"]) -> float:
    color = rearrange(torch.from_numpy(frame), "t h w c -> t c h w") / 255
    exact, windowed = (
        compute_targets(frame, GROUPS["neighbors"], settings)["neighbors"]
        for settings in (TargetSettings(), _WINDOWED)
    )
    return share_found(color, exact, windowed)


def share_found(
    color: Float[Tensor, "b 3 h w"],
    exact: Int32[Tensor, "b q h w"],
    windowed: Int32[Tensor, "b q h w"],
) -> float:
    """Return the share of pixels and ranks at which both searches found the same distance."""
    wanted, found = distances(color, exact), distances(color, windowed)
    return float((found <= wanted * (1 + _EQUAL)).float().mean())
