"""Charts: that they show the numbers they were given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classify import charts
from tests.classify.samples import examples


@pytest.fixture
def figures(monkeypatch) -> list:
    """Collect the figures instead of closing them with the file."""
    saved = []
    original = charts._save
    monkeypatch.setattr(
        charts, "_save", lambda figure, path: (saved.append(figure), original(figure, path))
    )
    return saved


def test_curves_show_both_parts(tmp_path: Path, figures) -> None:
    history = tmp_path / "history.csv"
    history.write_text(
        "epoch,train/loss,train/accuracy,val/loss,val/accuracy\n1,2.0,0.3,1.9,0.35\n2,1.5,0.5,,0.4\n"
    )
    charts.draw_curves(history, tmp_path / "curves.png")
    loss, accuracy = figures[0].axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [[2.0, 1.5], [1.9]]
    assert [line.get_ydata().tolist() for line in accuracy.lines] == [[0.3, 0.5], [0.35, 0.4]]
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 500


def test_confusion_names_every_count(tmp_path: Path, figures) -> None:
    counts = np.array([[12, 3], [0, 0]])
    charts.draw_confusion(counts, ["cat", "dog"], tmp_path / "confusion.png")
    (axes,) = figures[0].axes
    assert [text.get_text() for text in axes.texts] == ["12", "3", "0", "0"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.8, 0.2], [0, 0]])


def test_the_histogram_has_a_bar_for_each_part_and_class(tmp_path: Path, figures) -> None:
    counts = {"training": {"cat": 5, "dog": 7}, "test": {"cat": 1, "dog": 2}}
    charts.draw_histogram(counts, tmp_path / "histogram.png")
    (axes,) = figures[0].axes
    assert [bar.get_height() for bar in axes.patches] == [5, 7, 1, 2]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog"]


def test_examples_and_predictions_become_sheets(tmp_path: Path, monkeypatch) -> None:
    sheets = []
    original = charts.contact_sheet
    monkeypatch.setattr(
        charts,
        "contact_sheet",
        lambda rows, **words: sheets.append((rows, words)) or original(rows, **words),
    )
    made = examples({"cat": 5, "dog": 3})
    charts.draw_examples(made, tmp_path / "examples.png", columns=4)
    assert [len(row) for row in sheets[0][0]] == [4, 3]
    assert sheets[0][1]["row_titles"] == ["cat", "dog"]
    chances = np.full((8, 2), 0.25)
    chances[:, 0] = 0.75  # right about the cats, wrong about the dogs
    chances[6] = (0.9, 0.1)
    charts.draw_predictions(made, chances, tmp_path / "predictions.png", columns=4, rows=2)
    captions = sheets[1][1]["captions"]
    assert sorted(captions[0] + captions[1]) == sorted(
        ["cat 75%"] * 5 + ["cat 75%, is dog"] * 2 + ["cat 90%, is dog"]
    )
    assert captions[2][0] == "cat 90%, is dog"
    np.testing.assert_array_equal(sheets[1][0][2][0][..., 1], made.pictures([6])[0, 0])
    with Image.open(tmp_path / "predictions.png") as picture:
        assert picture.height > 200
