"""The experiment on which frames to colour, on something tiny."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.places import EXPERIMENTS
from tests.scripts import Scripts


@pytest.fixture
def scripts(monkeypatch) -> Scripts:
    return Scripts(EXPERIMENTS / "painting", monkeypatch)


def test_curves_of_a_film_are_measured_and_drawn(scripts, tmp_path, capsys) -> None:
    words = ("--seeds", 9403, "--shots", 1, "--counts", 1, "-o", tmp_path)
    assert scripts.run("suggested", *words) == 0
    shown = capsys.readouterr().out
    (film,) = json.loads((tmp_path / "results.json").read_text())["films"].values()
    rows = film["rows"]
    means = {name: np.mean(row["1"]["psnr"]) for name, row in rows.items()}
    assert len(rows["random"]["1"]["frames"]) == 3
    assert all(mean > film["without"] + 3 for mean in means.values())
    assert f"{means['suggested'] - means['evenly spaced']:+.2f}" in shown
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_less_is_left_the_more_alike_the_match_is(scripts, capsys) -> None:
    assert scripts.run("calibrate", "--shots", 1, "--every", 6) == 0
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    left = [float(words[3].strip(" |")) for words in lines if "same shot" in words[0]]
    assert len(left) >= 3
    assert left[-1] < 0.1 < left[0]
