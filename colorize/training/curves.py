"""Draw how a run went: its losses and its validation scores over epochs, from its table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from colorize.base.files import write_atomically


def draw_curves(history: Path, picture: Path) -> None:
    """Draw every loss and every validation score of ``history.csv`` as one PNG, atomically.

    Scores that belong to one metric (gray, mean, first, best) share a panel.
    """
    from matplotlib.figure import Figure

    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    panels: dict[str, dict[str, str]] = {}  # title -> column -> label
    for column in rows[0]:
        kind, _, name = column.partition("/")
        if kind == "train":
            panels.setdefault("training loss", {})[column] = name
        elif kind == "val":
            panels.setdefault(name.split("/")[0], {})[column] = name.split("/")[-1]
    figure = Figure(figsize=(5 * len(panels), 3.6), layout="constrained")
    for axes, (title, columns) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        for column, label in columns.items():
            points = [(int(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
            dashes = "--" if column.endswith("/gray") else "-"
            axes.plot(*zip(*points, strict=True), dashes, label=label)
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_atomically(picture, content.getvalue())
