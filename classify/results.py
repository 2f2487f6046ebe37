"""Measure a classifier on labelled pictures, and write what came out as tables and pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from classify.charts import draw_confusion, draw_predictions
from classify.data import Examples
from classify.measures import Screened, accuracy, class_scores, confusion_matrix
from colorize.base.columns import escape, markdown_list, markdown_table, plural
from colorize.base.errors import UserError, did_you_mean
from colorize.base.files import write_atomically

LEAKING = (
    "Leaking protocol: balanced before the split, so that variants of test pictures were trained "
    "on. This figure is no result."
)


@dataclass(frozen=True, kw_only=True)
class Results:
    """Probabilities of labelled pictures, and what is to be said of them.

    ``warning`` stands above everything, for figures that are no results. ``target`` is the class
    that is looked for, kept from probability ``threshold`` on.
    """

    examples: Examples
    probabilities: Float[np.ndarray, "n k"]
    part: str
    facts: Mapping[str, Any]
    warning: str = ""
    target: str | None = None
    threshold: float = 0.95
    skipped: Mapping[str, str]

    @property
    def confusion(self) -> Int64[np.ndarray, "k k"]:
        """Counts by true and predicted class."""
        return confusion_matrix(
            self.examples.labels,
            self.probabilities.argmax(1).astype(np.int64),
            classes=len(self.examples.classes),
        )

    @property
    def accuracy(self) -> float:
        """The share of pictures whose likeliest class is the true one."""
        return accuracy(self.confusion)

    def screened(self) -> Screened | None:
        """Return the counts of a selection of the target, if there is one."""
        if self.target is None:
            return None
        index = target_index(self.target, self.examples.classes)
        return Screened.of(
            self.examples.labels == index, self.probabilities[:, index] >= self.threshold
        )

    def markdown(self) -> str:
        """Return everything as Markdown."""
        classes = self.examples.classes
        scores = [
            [s.name, str(s.count), *(f"{v:.4f}" for v in (s.precision, s.recall, s.f1))]
            for s in class_scores(self.confusion, classes)
        ]
        confusion = [
            [name, *map(str, row)]
            for name, row in zip(classes, self.confusion.tolist(), strict=True)
        ]
        parts = ["# Classification", f"**{self.warning}**" if self.warning else ""]
        parts += [
            f"Accuracy {self.accuracy:.4f} on {plural(len(self.examples), 'picture')} "
            f"({self.part}).",
            markdown_table(
                ["class", "pictures", "precision", "recall", "F1"], scores, text_columns=1
            ),
            "## Confusion",
            "Rows are the true classes, columns the predicted ones.",
            markdown_table(["", *classes], confusion, text_columns=1),
        ]
        if (screened := self.screened()) is not None:
            parts += [
                f"## Selection of {escape(self.target or '')} from {self.threshold:g} on",
                markdown_table(["classification", "data"], screened.rows(), text_columns=1),
            ]
        if self.skipped:
            listed = "\n".join(f"- {escape(problem)}" for problem in self.skipped.values())
            parts += [f"## Skipped: {plural(len(self.skipped), 'file')}", listed]
        parts += [
            "## How this was made",
            markdown_list(self.facts),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def json(self) -> str:
        """Return everything but the single pictures as JSON."""
        screened = self.screened()
        content = {
            "warning": self.warning,
            "part": self.part,
            "pictures": len(self.examples),
            "accuracy": self.accuracy,
            "classes": [asdict(s) for s in class_scores(self.confusion, self.examples.classes)],
            "confusion": self.confusion.tolist(),
            "selection": screened
            and {"target": self.target, "threshold": self.threshold, **asdict(screened)},
            "skipped": dict(self.skipped),
            "facts": dict(self.facts),
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def csv(self) -> str:
        """Return one line per picture: name, true and predicted class, probabilities."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        classes = self.examples.classes
        writer.writerow(["picture", "true", "predicted", *classes])
        for index, row in enumerate(self.probabilities):
            names = [classes[self.examples.labels[index]], classes[int(row.argmax())]]
            writer.writerow([self.examples.name(index), *names, *(f"{p:.5f}" for p in row)])
        return text.getvalue()

    def write(self, folder: Path) -> list[Path]:
        """Write tables, a line per picture, and two pictures into ``folder``; return the paths."""
        texts = {
            "results.md": self.markdown(),
            "results.json": self.json(),
            "predictions.csv": self.csv(),
        }
        for name, text in texts.items():
            write_atomically(folder / name, text.encode())
        draw_confusion(self.confusion, self.examples.classes, folder / "confusion.png")
        draw_predictions(self.examples, self.probabilities, folder / "predictions.png")
        return [folder / name for name in (*texts, "confusion.png", "predictions.png")]


def target_index(target: str, classes: Sequence[str]) -> int:
    """Return the number of a class.

    Raises:
        ValueError: There is no such class.
    """
    if target not in classes:
        raise UserError(f"target is {target!r}{did_you_mean(target, classes)}")
    return list(classes).index(target)
