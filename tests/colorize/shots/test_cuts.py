from __future__ import annotations

import numpy as np
import pytest

from colorize.shots.cuts import REACH, find_cuts
from colorize.shots.trace import LAGS, Trace


def trace(steps: list[float], *, returns: dict[tuple[int, int], float] | None = None) -> Trace:
    """Pictures with these steps that never come back but where (position, lag) says so."""
    count = len(steps)
    differences = np.full((count, LAGS), 0.9, np.float32)
    differences[:, 0] = steps
    for (position, lag), value in (returns or {}).items():
        differences[position, lag - 1] = value
    return Trace(count, np.arange(count), differences, np.ones(count), np.zeros(count))


QUIET = [0.01] * 12


@pytest.mark.parametrize(("step", "cuts"), [(0.15, []), (0.17, [12])])
def test_a_cut_reaches_the_threshold(step: float, cuts: list[int]) -> None:
    assert find_cuts(trace([*QUIET, step, *QUIET])) == cuts


def test_a_step_among_its_like_is_a_pan_or_an_action() -> None:
    assert find_cuts(trace([*QUIET, 0.2, 0.5, 0.6, 0.5, 0.2, *QUIET])) == []
    assert find_cuts(trace([*QUIET, 0.45, 0.6, *QUIET])) == []  # a whip pan of two frames
    # On fours: three steps of 0.3 in the neighbourhood, 0.9 is needed to stand out, or 0.4 alone.
    action = [0.3, 0, 0, 0] * 4
    assert find_cuts(trace([*action, 0.35, 0, 0, 0, *action])) == []
    assert find_cuts(trace([*action, 0.45, 0, 0, 0, *action])) == [16]


def test_shots_of_three_frames_are_told_from_each_other() -> None:
    assert find_cuts(trace([*QUIET, 0.7, 0, 0, 0.6, 0, 0, 0.8, *QUIET])) == [12, 15, 18]


def test_what_comes_back_soon_was_a_flash() -> None:
    steps = [*QUIET, 0.8, 0.1, 0.1, 0.8, *QUIET]
    assert find_cuts(trace(steps)) == [12, 15]
    # Picture 15 is like picture 11, four before it.
    assert find_cuts(trace(steps, returns={(15, 4): 0.05})) == []


def test_what_comes_back_late_was_a_figure_if_it_took_jumps() -> None:
    two = [*QUIET, 0.8, *[0.0] * 8, 0.8, *QUIET]
    assert find_cuts(trace(two, returns={(21, 10): 0.05})) == [12, 21]
    three = [*QUIET, 0.8, 0, 0, 0.8, *[0.0] * 5, 0.8, *QUIET]
    assert find_cuts(trace(three, returns={(21, 10): 0.05})) == []
    assert REACH < 10 <= LAGS
