"""Counts and scores, against scikit-learn's definitions by hand and the tables of the paper."""

from __future__ import annotations

import numpy as np
import pytest

from classify.measures import Screened, accuracy, class_scores, confusion_matrix


def test_confusion_counts_true_by_predicted() -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 3, (2, 50))
    counted = confusion_matrix(truth, predicted, classes=4)
    expected = np.zeros((4, 4), int)
    for row, column in zip(truth, predicted, strict=True):
        expected[row, column] += 1
    np.testing.assert_array_equal(counted, expected)
    assert accuracy(counted) == pytest.approx(float((truth == predicted).mean()))


def test_scores_of_a_class() -> None:
    confusion = np.array([[8, 2, 0], [4, 6, 0], [1, 0, 0]])
    scores = class_scores(confusion, ["a", "b", "c"])
    assert scores[0].precision == pytest.approx(8 / 13)
    assert scores[0].recall == pytest.approx(0.8)
    assert scores[0].f1 == pytest.approx(2 * (8 / 13) * 0.8 / (8 / 13 + 0.8))
    assert (scores[2].precision, scores[2].recall, scores[2].f1) == (0.0, 0.0, 0.0)
    assert [score.count for score in scores] == [10, 10, 1]


@pytest.mark.parametrize(
    ("counts", "printed"),
    # Sun & Yang, tables 1 and 2.
    [
        ((2268, 156, 420, 55, 319), ["374", "64.74 %", "83.51 %"]),
        ((2268, 156, 188, 25, 57), ["82", "83.97 %", "96.38 %"]),
    ],
)
def test_the_rows_are_those_of_the_paper(counts, printed) -> None:
    rows = Screened(*counts).rows()
    assert [value for _, value in rows[:5]] == [str(count) for count in counts]
    assert [value for _, value in rows[5:8]] == printed
    _, actual, classified, missed, false = counts
    assert classified == actual - missed + false
    assert rows[8] == ("precision", f"{100 * (actual - missed) / classified:.2f} %")


def test_a_selection_is_counted() -> None:
    truth = np.array([1, 1, 1, 0, 0], bool)
    kept = np.array([1, 0, 1, 1, 0], bool)
    assert Screened.of(truth, kept) == Screened(5, 3, 3, 1, 1)
    assert dict(Screened(0, 0, 0, 0, 0).rows())["precision"] == "–"
