"""Measure colours before and after snapping against the truth."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int32, UInt8
from torch import Tensor

from colorize.color import join_in_gamut, rgb_to_lab, rgb_to_luma
from colorize.metrics import WarpError
from colorize.metrics.lab import ciede2000
from colorize.metrics.warp_error import Motion
from colorize.predict import resize
from colorize.snapping import snap_to_fills
from colorize.upsampling import upsample_chroma

Figures = dict[str, float]
COLUMNS = {
    "delta_e": "ΔE2000",
    "delta_e_snapped": "snapped",
    "fills": "in fills",
    "fills_snapped": "snapped",
    "warp_ab": "warp ab",
    "warp_ab_snapped": "snapped",
    "changed": "% changed",
    "changed_fills": "% of fills",
    "changed_rest": "% of rest",
    "milliseconds": "ms a frame",
}
_SAME = 1.5  # of 255: how far a flat paint strays from its colour by rounding
_INK = 0.15  # darker luma is ink


def true_fills(
    color: UInt8[np.ndarray, "t h w 3"], segments: Int32[np.ndarray, "t h w"]
) -> Bool[Tensor, "t 1 h w"]:
    """Return the pixels of segments that are flat fills in truth: half their pixels of one colour.

    The other half may be soft edges; painted regions are textured. Ink is none.
    """
    fills = np.zeros(segments.shape, bool)
    for frame, labels, found in zip(color, segments, fills, strict=True):
        for label in np.unique(labels):
            area = labels == label
            paint = np.median(frame[area], axis=0)
            flat = (np.abs(frame[area] - paint).max(axis=1) <= _SAME).mean() >= 0.5
            if flat and paint @ (0.299, 0.587, 0.114) >= 255 * _INK:
                found |= area
    return torch.from_numpy(fills).unsqueeze(1)


def figures(
    truth: Float[Tensor, "t 3 h w"],
    given: tuple[Float[Tensor, "t 1 _h _w"], Float[Tensor, "t 2 _h _w"]],
    *,
    strength: float,
    fills: Bool[Tensor, "t 1 h w"] | None = None,
    motion: Motion | None = None,
) -> Figures:
    """Return the figures of consecutive frames; ``given`` are gray and chroma at working size."""
    gray, (small, chroma) = rgb_to_luma(truth), given
    started = time.process_time()
    snapped = snap_to_fills(small, chroma, strength=strength)
    row = {"milliseconds": 1000 * (time.process_time() - started) / len(chroma)}
    moved = (snapped != chroma).any(1, keepdim=True).float()
    changed = resize(moved, gray.shape[-2:])
    row["changed"] = 100 * float(changed.mean())
    if fills is not None:
        row["changed_fills"] = 100 * float(changed[fills].mean())
        row["changed_rest"] = 100 * float(changed[~fills].mean())
    true_lab = rgb_to_lab(truth.double())
    for suffix, planes in (("", chroma), ("_snapped", snapped)):
        shown = enlarged(planes, gray)
        error = ciede2000(rgb_to_lab(shown.double()), true_lab).unsqueeze(1)
        row["delta_e" + suffix] = float(error.mean())
        if fills is not None:
            row["fills" + suffix] = float(error[fills].mean())
        if motion is not None:
            # Along backward flow the film is played backwards, as the metric looks ahead.
            values = WarpError(space="ab").observe(shown.flip(0), motion)
            row["warp_ab" + suffix] = float(values.nanmean())
    return row


def enlarged(
    chroma: Float[Tensor, "t 2 _h _w"], gray: Float[Tensor, "t 1 h w"]
) -> Float[Tensor, "t 3 h w"]:
    """Return chroma joined to gray, brought to its size along its edges where it is smaller."""
    same = chroma.shape[-2:] == gray.shape[-2:]
    return join_in_gamut(gray, chroma if same else upsample_chroma(chroma, gray))


def mean_of(rows: Sequence[Figures]) -> Figures:
    """Return the mean of every figure; shots without a fill have no value there."""
    return {key: float(np.nanmean([row[key] for row in rows])) for key in rows[0]}


def markdown(table: dict[str, Figures]) -> str:
    """Return one row a source of colours."""
    keys = [key for key in COLUMNS if any(key in row for row in table.values())]
    lines = [
        "| colours | " + " | ".join(COLUMNS[key] for key in keys) + " |",
        "| --- |" + " --: |" * len(keys),
    ]
    for name, row in table.items():
        cells = [f"{row[key]:.3f}" if key in row else "–" for key in keys]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
