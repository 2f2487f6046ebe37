"""Faces: deterministic, different by hand, and of the expression that is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from classify.data.faces import EXPRESSIONS, draw_artist, draw_face


def artist(seed: int = 0, **habits):
    drawn = draw_artist(np.random.default_rng(seed))
    steady = replace(drawn.hand, tilt=0.0, size=1.0, grain=0.0, ink=0.0, paper=250.0, width=0.02)
    return replace(drawn, hand=steady, hair=0, brows=False, nose=3, **habits)


def ink(seed: int, expression: str, rows: slice, **habits) -> np.ndarray:
    face = draw_face(artist(**habits), expression, np.random.default_rng(seed))
    return face[rows, 30:70] < 128


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    faces = [
        draw_face(artist(1), "smile-eyes-open", np.random.default_rng(seed)) for seed in (3, 3, 4)
    ]
    assert faces[0].shape == (100, 100)
    np.testing.assert_array_equal(faces[0], faces[1])
    assert not np.array_equal(faces[0], faces[2])


def test_people_differ_in_ink_and_paper() -> None:
    drawn = [draw_artist(np.random.default_rng(seed)) for seed in range(12)]
    for feature in ("width", "ink", "paper", "shake"):
        assert len({getattr(one.hand, feature) for one in drawn}) == 12
    assert len({(one.eyes, one.lids, one.smile, one.nose, one.hair) for one in drawn}) > 8


def test_open_eyes_hold_more_ink_than_closed_ones() -> None:
    for eyes in range(3):
        counts = {
            state: np.mean(
                [
                    ink(seed, f"smile-eyes-{state}", slice(28, 58), eyes=eyes, lids=0).sum()
                    for seed in range(6)
                ]
            )
            for state in ("open", "closed")
        }
        assert counts["open"] > 1.3 * counts["closed"]


def test_a_surprised_mouth_is_taller_than_wide_compared_with_a_smile() -> None:
    def shape(expression: str, seed: int) -> float:
        rows, columns = np.nonzero(ink(seed, expression, slice(62, 84), smile=0))
        return np.ptp(rows) / np.ptp(columns)

    for state in ("open", "closed"):
        surprise = np.median([shape(f"surprise-eyes-{state}", seed) for seed in range(9)])
        smile = np.median([shape(f"smile-eyes-{state}", seed) for seed in range(9)])
        assert surprise > smile


def test_the_four_expressions_are_those_of_the_source() -> None:
    assert len(EXPRESSIONS) == 4
    assert {name.split("-eyes-")[0] for name in EXPRESSIONS} == {"smile", "surprise"}
    assert {name.split("-eyes-")[1] for name in EXPRESSIONS} == {"open", "closed"}
