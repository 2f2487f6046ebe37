"""Draw how a training went and what came out: curves, confusion, classes, examples, predictions."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int64, UInt8

from classify.data import Examples
from colorize.base.files import write_atomically
from colorize.imaging.contact_sheet import contact_sheet, save_sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL = 120  # pixels; small pictures are enlarged to it


def draw_curves(history: Path, picture: Path) -> None:
    """Draw loss and accuracy of training and validation over epochs, from ``history.csv``."""
    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure = _figure(9.0, 3.6)
    for axes, measure in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, label in (("train", "training"), ("val", "validation")):
            column = f"{part}/{measure}"
            points = [(int(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
            if points:
                axes.plot(*zip(*points, strict=True), marker=".", label=label)
        axes.set(title=measure, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    _save(figure, picture)


def draw_confusion(
    confusion: Int64[np.ndarray, "k k"], classes: Sequence[str], picture: Path
) -> None:
    """Draw counts by true (rows) and predicted class; colour is the share of the row."""
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    side = 2.2 + 0.62 * len(classes)
    figure = _figure(side + 0.6, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=45, ha="right")
    axes.set_yticks(places, classes)
    axes.set(xlabel="predicted", ylabel="true")
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.6 else "black"
        axes.text(column, row, str(confusion[row, column]), ha="center", va="center", color=color)
    _save(figure, picture)


def draw_histogram(counts: Mapping[str, Mapping[str, int]], picture: Path) -> None:
    """Draw the pictures of each class, one bar for each part: part → class → count."""
    classes = list(next(iter(counts.values())))
    figure = _figure(2.5 + 0.35 * len(classes) * len(counts), 3.8)
    axes = figure.subplots()
    width = 0.8 / len(counts)
    for number, (part, by_class) in enumerate(counts.items()):
        places = np.arange(len(classes)) + (number - (len(counts) - 1) / 2) * width
        bars = axes.bar(places, [by_class[name] for name in classes], width, label=part)
        axes.bar_label(bars, fontsize=6)
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    axes.set_ylabel("pictures")
    figure.legend(loc="outside upper center", ncols=len(counts), frameon=False)
    _save(figure, picture)


def draw_examples(examples: Examples, picture: Path, *, columns: int = 8, seed: int = 0) -> None:
    """Draw a grid of examples, one class a row."""
    random = np.random.default_rng(seed)
    rows, titles = [], []
    for label, name in enumerate(examples.classes):
        places = np.flatnonzero(examples.labels == label)
        if len(places):
            chosen = random.permutation(places)[:columns]
            rows.append([to_rgb(planes) for planes in examples.pictures(chosen)])
            titles.append(name)
    save_sheet(picture, contact_sheet(rows, row_titles=titles, cell_width=_CELL))


def draw_predictions(
    examples: Examples,
    probabilities: Float[np.ndarray, "n k"],
    picture: Path,
    *,
    columns: int = 8,
    rows: int = 4,
    seed: int = 0,
) -> None:
    """Draw random pictures with the predicted class and its probability, wrong ones with the true.

    The last row holds the most confident mistakes.
    """
    random = np.random.default_rng(seed)
    predicted = probabilities.argmax(1)
    wrong = np.flatnonzero(predicted != examples.labels)
    worst = wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")][:columns]
    chosen = random.permutation(len(examples))[: columns * rows]
    places = list(np.array_split(chosen, range(columns, len(chosen), columns)))
    titles = ["random"] * len(places)
    if len(worst):
        places.append(worst)
        titles.append("surest mistakes")
    pictures = [[to_rgb(planes) for planes in examples.pictures(row)] for row in places]
    captions = [
        [_caption(examples, probabilities[index], index) for index in row.tolist()]
        for row in places
    ]
    sheet = contact_sheet(pictures, row_titles=titles, captions=captions, cell_width=_CELL)
    save_sheet(picture, sheet)


def to_rgb(planes: UInt8[np.ndarray, "c h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture for the screen."""
    return np.ascontiguousarray(np.broadcast_to(planes, (3, *planes.shape[1:])).transpose(1, 2, 0))


def _caption(examples: Examples, row: Float[np.ndarray, " k"], index: int) -> str:
    best, truth = int(row.argmax()), int(examples.labels[index])
    text = f"{examples.classes[best]} {100 * row[best]:.0f}%"
    return text if best == truth else f"{text}, is {examples.classes[truth]}"


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, picture: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_atomically(picture, content.getvalue())
