"""Measure one film at several strengths: how near to the truth, and how much it flickers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from colorize.metrics import ClipMetric
from colorize.metrics.distribution import ColorDistribution
from colorize.metrics.lab import DeltaE2000
from colorize.metrics.psnr import Psnr
from colorize.metrics.warp_error import FlowSettings, Motion, WarpError

Figures = dict[str, float]
CHUNK = 16  # frames whose flow is estimated at once


def of_clips(raft: Path | None) -> dict[str, ClipMetric]:
    """Return the metrics of consecutive frames; ``raft`` adds a flow that the holding never saw."""
    metrics: dict[str, ClipMetric] = {
        "warp_ab": WarpError(space="ab"),
        "warp_rgb": WarpError(space="rgb"),
        "cdc": ColorDistribution(),
    }
    if raft is not None:
        flow = FlowSettings(method="raft_small", weights=str(raft))
        metrics["warp_ab_raft"] = WarpError(space="ab", flow=flow)
    return metrics


def figures(
    truth: Float[Tensor, "t 3 h w"],
    shown: Mapping[float, Float[Tensor, "t 3 h w"]],
    seconds: Mapping[float, float],
    metrics: Mapping[str, ClipMetric],
    shots: Sequence[tuple[int, int]],
    known: Motion | None = None,
) -> dict[str, Figures]:
    """Return the figures of each strength, and the truth's own; ``known``: the true motion.

    No pair of frames across a cut counts.
    """
    rows: dict[str, Figures] = {f"{strength:g}": {} for strength in shown}
    for strength, frames in shown.items():
        row = rows[f"{strength:g}"]
        row["milliseconds"] = 1000 * seconds[strength]
        row["psnr"] = float(Psnr()(frames, truth).mean())
        row["delta_e"] = float(DeltaE2000()(frames, truth).mean())
    rows["truth"] = {}
    for key, metric in metrics.items():
        values: dict[str, list[Tensor]] = {row: [] for row in rows}
        for a, b in shots:
            prepared: Any = None
            if isinstance(metric, WarpError):
                prepared = known or motion(metric, truth[a:b])
            for row, frames in zip(rows, [*shown.values(), truth], strict=True):
                values[row].append(metric.conclude(metric.observe(frames[a:b], prepared)))
        for row, each in values.items():
            rows[row][key] = float(torch.cat(each).nanmean())
    return rows


def motion(metric: WarpError, truth: Float[Tensor, "t 3 h w"]) -> Motion:
    """Return the motion of the true frames, some of them at a time."""
    starts = range(0, max(len(truth) - 1, 1), CHUNK)
    parts = [metric.prepare(truth[start : start + CHUNK + 1]) for start in starts]
    return Motion(*(torch.cat(each) for each in zip(*parts, strict=True)))


def mean_of(tables: Sequence[dict[str, Figures]]) -> dict[str, Figures]:
    """Return the mean over clips of every figure of every row."""
    return {
        row: {key: float(np.mean([table[row][key] for table in tables])) for key in cells}
        for row, cells in tables[0].items()
    }
