"""Drawings as data of a run."""

from __future__ import annotations

import numpy as np
import pytest

from classify.data import Drawings, Split
from classify.preprocessing import Preprocessing

SMALL = Preprocessing(size=(50, 50), channels=1)


def test_people_train_and_strangers_test() -> None:
    made = Drawings(people=2, per_person=8, strangers=1).read(SMALL)
    assert made.parts == ["train"] * 16 + ["test"] * 8
    assert set(made.examples.counts().values()) == {6}
    assert made.examples.name(9) == "person-02/001"
    assert len(set(made.examples.fingerprints())) == 24
    parts = Split(val_fraction=0.25)(made)
    assert [len(part) for part in (parts.train, parts.val, parts.test)] == [12, 4, 8]


def test_a_seed_draws_the_same_again() -> None:
    digests = [
        Drawings(seed=seed, people=1, per_person=4, strangers=1).read(SMALL).examples.digest()
        for seed in (0, 0, 1)
    ]
    assert digests[0] == digests[1] != digests[2]


def test_drawings_are_dark_lines_on_light_paper() -> None:
    pixels = Drawings(people=3, per_person=4, strangers=1).read(SMALL).examples.pixels
    assert np.median(pixels) > 190
    assert np.percentile(pixels, 1) < 170


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match=r"data: people, strangers and per_person are 0, 3, 120"):
        Drawings(people=0)
