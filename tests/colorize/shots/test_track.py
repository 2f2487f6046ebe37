from __future__ import annotations

import numpy as np
import pytest

from colorize.shots.thumbnails import differences, thumbnail
from colorize.shots.track import LAGS, read_track


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(6)
    blots = [rng.random((3, 4), np.float32) for _ in range(count)]
    return [np.repeat(np.repeat(each, 12, 0), 16, 1) for each in blots]


def test_each_picture_is_compared_with_those_before_it() -> None:
    film = pictures(20)
    track = read_track(iter(film))
    small = [thumbnail(frame) for frame in film]
    assert track.differences.shape == (20, LAGS)
    # Nothing is ever held, so the grain is taken for the most that it can be.
    for later, lag in ((1, 1), (7, 3), (19, 16)):
        expected = differences(small[later], small[later - lag][None], grain=0.02)[0]
        assert track.differences[later, lag - 1] == pytest.approx(expected, rel=1e-5)
        assert expected > 0.1
    assert np.count_nonzero(track.differences[3]) <= 3
    assert track.contrasts[5] == pytest.approx(small[5].std())


def test_blank_frames_are_counted_and_left_out() -> None:
    film = [frame if index % 3 else np.ones_like(frame) for index, frame in enumerate(pictures(9))]
    track = read_track(film)
    assert track.count == 9
    assert track.frames.tolist() == [1, 2, 4, 5, 7, 8]
    assert len(track) == 6


def test_dissolves_are_noted_at_their_middle() -> None:
    old, new = pictures(2)
    shares = np.clip((np.arange(60) - 23.5) / 16, 0, 1).astype(np.float32)
    film = [(1 - share) * old + share * new for share in shares]
    track = read_track(film)
    assert int(track.dissolves.argmax()) in (31, 32)  # half-way at 31.5
    assert track.dissolves.max() > 0.2
    assert not track.dissolves[:20].any()


def test_a_film_without_frames_or_pictures() -> None:
    assert read_track([]).count == 0
    black = read_track([np.zeros((18, 32), np.uint8)] * 4)
    assert (black.count, len(black), black.differences.shape) == (4, 0, (0, LAGS))
