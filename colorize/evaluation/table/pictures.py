"""Draw a comparison: its scores as dots beside gray, and its training as curves."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from colorize.base.columns import Column
from colorize.evaluation.table.comparison import Comparison

History = Sequence[tuple[int, float]]  # (epoch, value)

_PANELS_ABREAST = 4
_STYLES = ("-", "--", ":", "-.")  # each with matplotlib's ten colours


def draw_table(comparison: Comparison, columns: Sequence[Column]) -> bytes:
    """Return a PNG with a panel for each metric, four abreast, and a line for each row.

    Every seed is a dot, their mean a diamond; gray is a dashed line, the true colours a dotted one.
    """
    abreast = min(_PANELS_ABREAST, len(columns))
    down = -(-len(columns) // abreast)
    height = 0.35 * len(comparison.rows) + 1
    figure = Figure(figsize=(3.2 * abreast + 3, height * down), layout="constrained")
    panels = figure.subplots(down, abreast, squeeze=False, sharey=True).ravel()
    for axes, column in zip(panels, columns, strict=False):
        _draw_panel(axes, comparison, column)
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    panels[0].invert_yaxis()
    return _png(figure)


def _draw_panel(axes: Any, comparison: Comparison, column: Column) -> None:
    rows = comparison.rows
    for place, row in enumerate(rows):
        spread = comparison.score(row, column.key)
        if spread is None:
            continue
        runs = comparison.of(row)
        values = [run.scores[column.key] for run in runs if column.key in run.scores]
        axes.plot(values, [place] * len(values), ".", color="tab:blue", alpha=0.5)
        axes.plot(spread.mean, place, "D", color="tab:blue", markersize=5)
    beside = ((comparison.gray(column.key), "--"), (comparison.truth(column.key), ":"))
    for spread, style in beside:
        if spread is not None:
            axes.axvline(spread.mean, linestyle=style, color="gray")
    axes.set(yticks=range(len(rows)), yticklabels=rows)
    axes.set_title(column.name, fontsize=8)
    axes.grid(axis="x", alpha=0.3)


def draw_histories(histories: Mapping[str, Sequence[History]], *, title: str) -> bytes:
    """Return a PNG of a score over epochs: a colour for each row, a line for each of its seeds."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for place, (row, seeds) in enumerate(histories.items()):
        style = _STYLES[place // 10 % len(_STYLES)]
        for number, points in enumerate(seeds):
            label = row if number == 0 else None
            axes.plot(*zip(*points, strict=True), style, color=f"C{place % 10}", label=label)
    axes.set(title=title, xlabel="epoch")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()
