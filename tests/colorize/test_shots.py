from __future__ import annotations

import weakref
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from colorize.data.cartoon import CartoonSeries
from colorize.shots import REACH, frame_differences, shot_starts

SIZE = (54, 96)


def painting(seed: int, *, width: int = SIZE[1]) -> np.ndarray:
    """A background of large soft blots, luma in [0.1, 0.9]."""
    blots = np.random.default_rng(seed).uniform(0.1, 0.9, (6, 6 * width // SIZE[1]))
    return cv2.resize(blots, (width, SIZE[0]), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def shot(seed: int, length: int, *, held: int = 1) -> np.ndarray:
    """A dark figure that runs over a background, each drawing held for ``held`` frames."""
    frames = np.repeat(painting(seed)[None], length, axis=0)
    for index, frame in enumerate(frames):
        place = (index // held * held * 2 + 7 * seed) % (2 * (SIZE[1] - 20))
        left = min(place, 2 * (SIZE[1] - 20) - place)  # to and fro
        frame[20:50, left : left + 18] = 0.05
    return frames


def film(*lengths: int, held: int = 1) -> tuple[np.ndarray, list[int]]:
    """Shots one after another, and where they start."""
    shots = [shot(seed, length, held=held) for seed, length in enumerate(lengths)]
    return np.concatenate(shots), [0, *np.cumsum(lengths)[:-1].tolist()]


@pytest.mark.parametrize("held", [1, 2, 3, 4])
def test_cuts_are_found_whatever_the_rhythm_of_the_drawings(held: int) -> None:
    frames, starts = film(30, 12, 25, 7, 40, held=held)
    assert shot_starts(frames) == starts


def test_bytes_and_floats_give_the_same() -> None:
    frames, starts = film(20, 20)
    assert shot_starts((frames * 255).round().astype(np.uint8)) == starts


def test_strong_grain_hides_no_cut_and_makes_none() -> None:
    frames, starts = film(24, 24, 24)
    noise = np.random.default_rng(0).normal(0, 0.08, frames.shape)
    assert shot_starts(np.clip(frames + noise, 0, 1).astype(np.float32)) == starts


def test_cuts_of_a_procedural_cartoon_are_found() -> None:
    series = CartoonSeries(seed=2, size=(48, 80), shots=8, frames_per_shot=8, grain=0.03)
    frames = (frame for shot in range(8) for frame in series.color(shot))
    lumas = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
    assert shot_starts(lumas) == list(range(0, 64, 8))


def test_a_cut_between_still_pictures_is_found() -> None:
    frames = np.repeat(np.stack([painting(1), painting(2)]), 30, axis=0)
    assert shot_starts(frames) == [0, 30]


@pytest.mark.parametrize("length", range(1, REACH))
def test_a_flash_is_no_cut(length: int) -> None:
    frames, _ = film(40)
    frames[20 : 20 + length] = 1
    assert shot_starts(frames) == [0]


def test_a_longer_white_stretch_is_another_shot() -> None:
    frames, _ = film(40)
    frames[15 : 15 + REACH + 4] = 1
    assert shot_starts(frames) == [0, 15, 15 + REACH + 4]


def test_a_flash_beside_a_cut_does_not_hide_it() -> None:
    frames, starts = film(30, 30)
    frames[15:17] = 1
    assert shot_starts(frames) == starts


def test_a_whip_pan_is_no_cut() -> None:
    wide = painting(3, width=SIZE[1] * 8)
    lefts = np.concatenate([np.zeros(12), np.cumsum([8, 20, 36, 44, 44, 36, 20, 8]), [216] * 12])
    frames = np.stack([wide[:, int(left) : int(left) + SIZE[1]] for left in lefts])
    # The pan is fast enough to reach the threshold: only its neighbourhood tells.
    assert frame_differences(frames)[:, 0].max() > 0.12
    assert shot_starts(frames) == [0]


def test_a_figure_that_jumps_before_a_plain_background_is_no_cut() -> None:
    frames = np.full((40, *SIZE), 0.7, np.float32)
    frames[:20, 20:46, 10:22] = 0.1
    frames[20:, 20:46, 60:72] = 0.1
    # By correlation alone the pictures are as unlike as can be.
    assert np.corrcoef(frames[19].ravel(), frames[20].ravel())[0, 1] < 0
    assert shot_starts(frames) == [0]


def test_fades_and_a_light_switched_on_are_no_cuts() -> None:
    frames, _ = film(60)
    gain = np.concatenate([np.linspace(0, 1, 20), np.ones(10), np.full(15, 0.5), np.ones(15)])
    assert shot_starts((frames * gain[:, None, None]).astype(np.float32)) == [0]


def test_of_two_outliers_in_a_row_one_is_kept() -> None:
    frames, _ = film(20, 20)
    frames[20] = 1  # white, and neither neighbour comes back
    assert shot_starts(frames) in ([0, 20], [0, 21])


def test_films_of_none_and_one_frame() -> None:
    assert shot_starts([]) == []
    assert shot_starts([painting(0)]) == [0]


def test_differences_are_correlations_with_every_earlier_frame() -> None:
    rng = np.random.default_rng(5)
    # The thumbnail's own size with blots larger than the blur: nothing is lost on the way.
    frames = [np.repeat(np.repeat(rng.random((3, 4)), 6, 0), 8, 1) for _ in range(4)]
    blurred = [cv2.GaussianBlur(frame, (3, 3), 0) for frame in frames]
    rows = frame_differences(frame.astype(np.float32) for frame in frames)
    assert rows.shape == (4, REACH)
    for later in range(4):
        for lag in range(1, later + 1):
            pair = [blurred[later].ravel(), blurred[later - lag].ravel()]
            covariance = np.cov(pair, bias=True) + 1e-3
            correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
            apart = np.abs((pair[0] - pair[0].mean()) - (pair[1] - pair[1].mean()))
            limit = 0.25 * (covariance[0, 0] * covariance[1, 1]) ** 0.25
            area = np.count_nonzero(apart > limit) / apart.size
            expected = (1 - correlation) * max(0, area - 0.2) / 0.8
            assert rows[later, lag - 1] == pytest.approx(expected, abs=1e-6)
    assert rows[0].tolist() == [0.0] * REACH


def test_frames_are_let_go_as_the_film_passes() -> None:
    alive: list[weakref.ref] = []
    most = 0

    def frames() -> Iterator[np.ndarray]:
        nonlocal most
        for index in range(50):
            frame = painting(index // 10)
            alive.append(weakref.ref(frame))
            most = max(most, sum(ref() is not None for ref in alive))
            yield frame

    assert shot_starts(frames()) == [0, 10, 20, 30, 40]
    assert most <= 3
