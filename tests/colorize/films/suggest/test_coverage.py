"""What of a film some frames serve, by small cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.films.suggest.coverage import (
    COSINES,
    LEFT,
    OTHER,
    SAME,
    Coverage,
    choose,
    left_by_likeness,
    same_scene,
)


def film(left: list[list[list[float]]], *, shot: list[int], own: list[int], **changes) -> Coverage:
    """Candidates by frames by places; every place is at stake alike, and everything is reached."""
    shares = np.array(left, dtype=np.float32)
    given = {
        "stake": np.ones(shares.shape[1:]),
        "weight": np.ones(shares.shape[1]),
        "reaches": np.ones(shares.shape[:2], dtype=bool),
    }
    return Coverage(left=shares, shot=np.array(shot), own=np.array(own), **(given | changes))


def test_what_is_left_follows_the_table_and_nothing_is_taken_of_other_things() -> None:
    cosine = np.array([[[COSINES[3], (COSINES[3] + COSINES[4]) / 2, 1.0]]], dtype=np.float32)
    left = left_by_likeness(cosine, np.ones((1, 1), dtype=np.float32))[0, 0]
    assert left == pytest.approx([LEFT[3], (LEFT[3] + LEFT[4]) / 2, LEFT[-1]], abs=1e-5)
    other = left_by_likeness(cosine, np.zeros((1, 1), dtype=np.float32))
    assert (other == 1).all()
    assert list(LEFT) == sorted(LEFT, reverse=True)


def test_other_shots_show_the_same_the_more_the_more_alike_they_are() -> None:
    likeness = np.array([[OTHER, (OTHER + SAME) / 2, 0.99, 0.5]], dtype=np.float32)
    same = same_scene(likeness, np.array([[False, False, False, True]]))
    assert same[0] == pytest.approx([0, 0.5, 1, 1], abs=1e-5)


def test_two_of_a_shot_serve_each_place_by_the_better() -> None:
    coverage = film([[[0.1, 0.9]], [[0.8, 0.2]]], shot=[0], own=[0, 0])
    taken = coverage.take(1, coverage.take(0, coverage.start()))
    assert taken.error == pytest.approx([0.3])
    assert coverage.covered(taken) == pytest.approx(1 - 0.3 / 2)
    assert coverage.worth(taken) == pytest.approx(10 * np.log10(2 / 0.3), abs=1e-4)


def test_the_first_of_a_shot_stands_in_for_those_of_others_and_they_add_nothing_then() -> None:
    coverage = film([[[0.2, 0.2]], [[0.5, 0.5]]], shot=[1], own=[0, 1])
    by_other = coverage.take(0, coverage.start())
    assert by_other.error == pytest.approx([0.4])
    both = coverage.take(1, by_other)
    assert both.error == pytest.approx([1.0])
    assert coverage.take(0, both).error == pytest.approx([1.0])


def test_a_shot_that_is_not_reached_is_not_served() -> None:
    coverage = film([[[0.1], [0.1]]], shot=[0, 1], own=[0], reaches=np.zeros((1, 2), dtype=bool))
    taken = coverage.take(0, coverage.start())
    assert taken.error == pytest.approx([0.1, 1.0])
    assert coverage.served(coverage.start(), taken) == pytest.approx({0: 0.9, 1: 0.0})


def test_what_serves_most_frames_is_chosen_first_and_nothing_that_adds_nothing() -> None:
    # Shot 1 has three frames, shot 0 one; candidate 2 is as candidate 1.
    one, other = [[0.1], [1.0], [1.0], [1.0]], [[1.0], [0.2], [0.2], [0.2]]
    coverage = film([one, other, other], shot=[0, 1, 1, 1], own=[0, 1, 1])
    first = choose(coverage, coverage.start(), [0, 1, 2])
    assert first is not None
    assert first[0] == 1
    second = choose(coverage, first[1], [0, 2])
    assert second is not None
    assert second[0] == 0
    assert choose(coverage, second[1], [2]) is None


def test_places_count_by_what_is_unknown_of_them() -> None:
    wall, figure = [[0.1, 1.0]], [[1.0, 0.1]]
    coverage = film([wall, figure], shot=[0], own=[0, 0], stake=np.array([[0.2, 1.0]]))
    chosen = choose(coverage, coverage.start(), [0, 1])
    assert chosen is not None
    assert chosen[0] == 1
