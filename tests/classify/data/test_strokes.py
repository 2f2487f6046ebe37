"""Strokes: where they go, and that they look drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from classify.data.strokes import Sheet, draw_hand, pose

STEADY = replace(
    draw_hand(np.random.default_rng(0)),
    width=0.02,
    pressure=0.0,
    shake=0.0,
    ink=0.0,
    paper=250.0,
    grain=0.0,
)
STRAIGHT = pose(angle=0.0, factor=1.0, offset=(0.0, 0.0))


def sheet(hand=STEADY, placed=STRAIGHT, seed: int = 1) -> Sheet:
    return Sheet(side=100, hand=hand, random=np.random.default_rng(seed), pose=placed)


def test_a_steady_line_is_where_it_was_asked_for() -> None:
    made = sheet()
    made.curve(np.array([[0.2, 0.5], [0.8, 0.5]]))
    dark = made.scan() < 128
    rows, columns = np.nonzero(dark)
    assert abs(rows.mean() - 49.5) < 0.6
    assert abs(columns.min() - 20) <= 2
    assert abs(columns.max() - 79) <= 2
    assert 1 <= dark[:, 50].sum() <= 3  # a pen of two pixels


def test_a_pose_turns_about_the_centre_and_shifts() -> None:
    quarter = pose(angle=90.0, factor=0.5, offset=(0.1, 0.0))
    np.testing.assert_allclose(quarter @ [0.5, 0.5, 1], [0.6, 0.5])
    np.testing.assert_allclose(quarter @ [1.0, 0.5, 1], [0.6, 0.75])  # right turns to down


def test_a_shaky_hand_strays_but_not_far() -> None:
    made = sheet(replace(STEADY, shake=0.01))
    made.curve(np.array([[0.1, 0.5], [0.9, 0.5]]))
    rows = [np.nonzero(column < 128)[0].mean() for column in made.scan()[:, 20:80].T]
    assert np.std(rows) > 0.15
    assert np.abs(np.array(rows) - 49.5).max() < 4


def test_pressure_changes_the_width() -> None:
    widths = []
    for pressure in (0.0, 0.6):
        made = sheet(replace(STEADY, pressure=pressure, width=0.05))
        made.curve(np.array([[0.1, 0.5], [0.9, 0.5]]))
        widths.append(np.std((made.scan()[:, 25:75] < 128).sum(0)))
    assert widths[1] > widths[0] + 0.3


def test_a_hatched_loop_is_dark_inside_and_an_empty_one_is_not() -> None:
    levels = []
    for fill in (False, True):
        made = sheet()
        made.loop((0.5, 0.5), (0.2, 0.2), fill=fill)
        levels.append(made.scan()[42:58, 42:58].mean())
    assert levels[0] > 230
    assert levels[1] < 150


def test_paper_has_grain() -> None:
    smooth, rough = (sheet(replace(STEADY, grain=grain)).scan() for grain in (0.0, 8.0))
    assert rough.astype(float).std() > smooth.astype(float).std() + 1
