"""Results: their tables and files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from classify.results import Results
from tests.classify.samples import examples


def results(**changes) -> Results:
    made = examples({"mona": 4, "others": 6})
    chances = np.full((10, 2), 0.5)
    chances[:, 0] = [0.99, 0.96, 0.6, 0.2, 0.97, 0.3, 0.1, 0.1, 0.6, 0.1]
    chances[:, 1] = 1 - chances[:, 0]
    settings = {
        "examples": made,
        "probabilities": chances,
        "part": "test part",
        "facts": {"commit": "abc", "packages": {"torch": "2"}},
        "skipped": {},
    }
    return Results(**(settings | changes))


def test_accuracy_and_confusion_are_of_the_likeliest_class() -> None:
    made = results()
    np.testing.assert_array_equal(made.confusion, [[3, 1], [2, 4]])
    assert made.accuracy == pytest.approx(0.7)
    text = made.markdown()
    assert "Accuracy 0.7000 on 10 pictures (test part)." in text
    assert "| mona | 4 | 0.6000 | 0.7500 | 0.6667 |" in text
    assert "| others | 2 | 4 |" in text
    assert "- packages: torch 2" in text
    assert "Selection" not in text


def test_a_target_adds_the_rows_of_a_screening() -> None:
    made = results(target="mona", threshold=0.95)
    screened = made.screened()
    assert (screened.classified, screened.missed, screened.false) == (3, 2, 1)
    assert "| misclassified | 3 |" in made.markdown()
    with pytest.raises(ValueError, match="target is 'moma'; did you mean 'mona'"):
        results(target="moma").screened()


def test_warnings_and_skipped_files_are_shown() -> None:
    text = results(warning="No result.", skipped={"x.png": "x.png is damaged"}).markdown()
    assert "**No result.**" in text
    assert "## Skipped: 1 file\n\n- x.png is damaged" in text


def test_the_files(tmp_path: Path) -> None:
    made = results(target="mona")
    assert all(path.is_file() for path in made.write(tmp_path))
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["accuracy"] == pytest.approx(0.7)
    assert content["selection"]["false"] == 1
    with (tmp_path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[3] == {
        "picture": "mona-3",
        "true": "mona",
        "predicted": "others",
        "mona": "0.20000",
        "others": "0.80000",
    }
