from __future__ import annotations

import numpy as np
import pytest

from colorize.shots.thumbnails import differences, thumbnail
from colorize.shots.trace import LAGS, read_trace


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(6)
    blots = [rng.random((3, 4), np.float32) for _ in range(count)]
    return [np.repeat(np.repeat(each, 12, 0), 16, 1) for each in blots]


def test_each_picture_is_compared_with_those_before_it() -> None:
    film = pictures(20)
    trace = read_trace(iter(film))
    small = [thumbnail(frame) for frame in film]
    assert trace.differences.shape == (20, LAGS)
    # Nothing is ever held, so the grain is taken for the most that it can be.
    for later, lag in ((1, 1), (7, 3), (19, 16)):
        expected = differences(small[later], small[later - lag][None], grain=0.02)[0]
        assert trace.differences[later, lag - 1] == pytest.approx(expected, rel=1e-5)
        assert expected > 0.1
    assert np.count_nonzero(trace.differences[3]) <= 3
    assert trace.contrasts[5] == pytest.approx(small[5].std())


def test_blank_frames_are_counted_and_left_out() -> None:
    film = [frame if index % 3 else np.ones_like(frame) for index, frame in enumerate(pictures(9))]
    trace = read_trace(film)
    assert trace.count == 9
    assert trace.frames.tolist() == [1, 2, 4, 5, 7, 8]
    assert len(trace) == 6


def test_dissolves_are_noted_at_their_middle() -> None:
    old, new = pictures(2)
    shares = np.clip((np.arange(60) - 23.5) / 16, 0, 1).astype(np.float32)
    film = [(1 - share) * old + share * new for share in shares]
    trace = read_trace(film)
    assert int(trace.dissolves.argmax()) in (31, 32)  # half-way at 31.5
    assert trace.dissolves.max() > 0.2
    assert not trace.dissolves[:20].any()


def test_a_film_without_frames_or_pictures() -> None:
    assert read_trace([]).count == 0
    black = read_trace([np.zeros((18, 32), np.uint8)] * 4)
    assert (black.count, len(black), black.differences.shape) == (4, 0, (0, LAGS))
