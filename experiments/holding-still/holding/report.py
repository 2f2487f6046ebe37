"""Show the figures of several strengths as a table and as a plot."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from colorize.base.files import write_atomically
from holding.figures import Figures

NAMES = {
    "psnr": "PSNR (dB)",
    "delta_e": "ΔE2000",
    "warp_ab": "warp ab",
    "warp_ab_raft": "warp ab (RAFT)",
    "warp_rgb": "warp RGB",
    "cdc": "CDC",
    "milliseconds": "CPU ms a frame",
}


def markdown(table: dict[str, Figures]) -> str:
    """Return one row a strength; warp errors and CDC in thousandths."""
    first = next(iter(table.values()))
    keys = [key for key in NAMES if key in first]
    lines = [
        "| strength | " + " | ".join(NAMES[key] for key in keys) + " |",
        "| --- |" + " --: |" * len(keys),
    ]
    for row, cells in table.items():
        values = [f"{cells[key]:.3f}" if key in cells else "–" for key in keys]
        lines.append(f"| {row} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def draw(tables: Mapping[str, dict[str, dict[str, Figures]]], picture: Path) -> None:
    """Draw warp error, as a share of that of strength 0, and gain in PSNR against strength."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * (1 + len(tables)), 3.6), layout="constrained")
    errors, *gains = figure.subplots(1, 1 + len(tables))
    errors.set(title="warp error of Lab a, b", xlabel="strength", ylabel="share", ylim=(0, 1.05))
    for axes, (name, table) in zip(gains, tables.items(), strict=True):
        axes.set(title=f"gain in PSNR, {name}", xlabel="strength", ylabel="dB")
        for clip, rows in table.items():
            shown = {float(row): cells for row, cells in rows.items() if row != "truth"}
            first = shown[0.0]
            gain = [cells["psnr"] - first["psnr"] for cells in shown.values()]
            axes.plot([*shown], gain, "k-" if clip == "mean" else "-", label=clip)
        for key in (key for key in first if key.startswith("warp_ab")):  # of the mean
            flow = "true flow" if name == "cartoon" else "RAFT" if "raft" in key else "DIS"
            share = [cells[key] / first[key] for cells in shown.values()]
            errors.plot([*shown], share, "o-", label=f"{name}, {flow}")
    for axes in (errors, *gains):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_atomically(picture, content.getvalue())
