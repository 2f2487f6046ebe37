"""Count how often a classifier is right: confusion, accuracies, and the rows of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64


def confusion_matrix(
    truth: Int64[np.ndarray, " n"], predicted: Int64[np.ndarray, " n"], *, classes: int
) -> Int64[np.ndarray, "k k"]:
    """Return counts; rows are the true classes, columns the predicted ones."""
    flat = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def accuracy(confusion: Int64[np.ndarray, "k k"]) -> float:
    """Return the share of pictures on the diagonal, in [0, 1]."""
    return float(np.trace(confusion) / confusion.sum())


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class in [0, 1], and how many pictures it has.

    A ratio of nothing to nothing (a class that was never predicted, or has no picture) is 0.
    """

    name: str
    count: int
    precision: float
    recall: float
    f1: float


def class_scores(confusion: Int64[np.ndarray, "k k"], classes: Sequence[str]) -> list[ClassScores]:
    """Return the scores of each class."""
    scores = []
    for index, name in enumerate(classes):
        right = int(confusion[index, index])
        actual, found = int(confusion[index].sum()), int(confusion[:, index].sum())
        precision, recall = _ratio(right, found), _ratio(right, actual)
        f1 = _ratio(2 * right, actual + found)
        scores.append(ClassScores(name, actual, precision, recall, f1))
    return scores


@dataclass(frozen=True)
class Screened:
    """Counts of a selection of one class, as the screening paper reports them.

    Source: Sun & Yang, tables 1-3. Class accuracy is recall in all of them: (156 - 55) / 156 =
    64.74 %. Table 3 contradicts itself: 463 - 79 + 68 are 452 classified pictures, not 449.
    """

    total: int
    actual: int
    classified: int
    missed: int
    false: int

    @classmethod
    def of(cls, truth: Bool[np.ndarray, " n"], kept: Bool[np.ndarray, " n"]) -> Screened:
        """Count a selection ``kept`` against what should have been kept."""
        return cls(
            total=len(truth),
            actual=int(truth.sum()),
            classified=int(kept.sum()),
            missed=int((truth & ~kept).sum()),
            false=int((~truth & kept).sum()),
        )

    def rows(self) -> list[tuple[str, str]]:
        """Return the rows of the paper's tables, then precision, recall and F1."""
        wrong, right = self.missed + self.false, self.actual - self.missed
        return [
            ("total number of images", str(self.total)),
            ("actually of the class", str(self.actual)),
            ("classified as the class", str(self.classified)),
            ("missed", str(self.missed)),
            ("falsely identified", str(self.false)),
            ("misclassified", str(wrong)),
            ("class accuracy", _percent(right, self.actual)),
            ("absolute accuracy", _percent(self.total - wrong, self.total)),
            ("precision", _percent(right, self.classified)),
            ("recall", _percent(right, self.actual)),
            ("F1", _percent(2 * right, self.actual + self.classified)),
        ]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "–"
