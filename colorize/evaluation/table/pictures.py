"""Draw a comparison: its scores as dots beside gray, and its training as curves."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from colorize.base.columns import Column
from colorize.evaluation.table.comparison import Comparison

History = Sequence[tuple[int, float]]  # (epoch, value)

_PANELS_ABREAST = 4
_SEED_STYLES = (("-", "o"), (":", "s"), ("-.", "^"), ((0, (6, 1)), "D"))  # line and mark


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


def draw_histories(
    histories: Mapping[tuple[str, int], History], *, gray: History = (), title: str
) -> bytes:
    """Return a PNG of a score over epochs: a line for each row and seed, and one for gray.

    Rows differ in colour, seeds in style. Gray (the input as it is) has the same score in all runs
    and epochs, and is the dashed line.
    """
    figure = Figure(figsize=(9, 5 + 0.1 * len(histories)), layout="constrained")
    axes = figure.subplots()
    rows = list(dict.fromkeys(row for row, _ in histories))
    seeds = sorted({seed for _, seed in histories})
    for (row, seed), points in histories.items():
        style, mark = _SEED_STYLES[seeds.index(seed) % len(_SEED_STYLES)]
        label = f"{row}, seed {seed}"
        color = f"C{rows.index(row) % 10}"
        axes.plot(*zip(*points, strict=True), style, marker=mark, color=color, label=label)
    if gray:
        values = [value for _, value in gray]
        level = sum(values) / len(values)
        axes.axhline(level, linestyle="--", color="gray", label="gray input")
    axes.set(title=title, xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", frameon=False, fontsize=8, ncols=2)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()
