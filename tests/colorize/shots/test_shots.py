from __future__ import annotations

import weakref
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from colorize.cartoon import CartoonSeries
from colorize.shots import shot_starts
from colorize.shots.cuts import REACH
from colorize.shots.trace import read_trace

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
    assert read_trace(frames).differences[:, 0].max() > 0.16
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


def mixed(old: np.ndarray, new: np.ndarray, length: int) -> np.ndarray:
    """Two shots that overlap by a dissolve."""
    share = (np.arange(1, length + 1) / (length + 1))[:, None, None].astype(np.float32)
    mixture = (1 - share) * old[-length:] + share * new[:length]
    return np.concatenate([old[:-length], mixture, new[length:]])


def faded(frames: np.ndarray, out: int, into: int, level: float) -> np.ndarray:
    """A shot that comes from a gray level and goes to it."""
    ramps = [np.arange(1, n + 1) / (n + 1) for n in (into, out)]
    gain = np.concatenate([ramps[0], np.ones(len(frames) - into - out), ramps[1][::-1]])
    return (level + (frames - level) * gain[:, None, None]).astype(np.float32)


@pytest.mark.parametrize("length", [8, 12, 24])
@pytest.mark.parametrize("held", [1, 2, 3])
def test_a_dissolve_starts_a_shot_in_its_middle(length: int, held: int) -> None:
    frames = mixed(shot(0, 50, held=held), shot(1, 50, held=held), length)
    first, start = shot_starts(frames)
    assert first == 0
    assert abs(start - (50 - length / 2)) <= 1 + length / 6


def test_a_slow_pan_and_a_slow_zoom_are_no_dissolves() -> None:
    wide = painting(3, width=SIZE[1] * 2)
    pan = np.stack([wide[:, left : left + SIZE[1]] for left in range(96)])
    zoom = []
    for t in range(60):
        half = 24 - t // 4
        view = wide[27 - half : 27 + half, 96 - 2 * half : 96 + 2 * half]
        zoom.append(cv2.resize(view, SIZE[::-1], interpolation=cv2.INTER_LINEAR))
    # Either ends on another picture, as a dissolve does.
    for frames in (pan, np.stack(zoom)):
        assert read_trace(frames).differences[:, -1].max() > 0.1
        assert shot_starts(frames) == [0]


@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("hold", [0, 4, 20])
def test_a_fade_starts_a_shot_in_its_middle(level: float, hold: int) -> None:
    held = np.full((hold, *SIZE), level, np.float32)
    parts = [faded(shot(0, 40), 10, 0, level), held, faded(shot(1, 40), 0, 10, level)]
    first, start = shot_starts(np.concatenate(parts))
    assert first == 0
    assert abs(start - (40 + hold / 2)) <= 1


def test_where_one_side_fades_the_shot_starts_at_the_cut() -> None:
    black = np.zeros((12, *SIZE), np.float32)
    out = [faded(shot(0, 40), 10, 0, 0.0), black, shot(1, 40)]
    assert shot_starts(np.concatenate(out)) == [0, 52]
    into = [shot(0, 40), black, faded(shot(1, 40), 0, 10, 0.0)]
    assert shot_starts(np.concatenate(into)) == [0, 40]


def test_a_fade_to_black_and_back_is_no_cut() -> None:
    gain = np.concatenate([np.ones(20), np.abs(np.linspace(-1, 1, 41)), np.ones(20)])
    frames = (painting(0) * gain[:, None, None]).astype(np.float32)
    assert shot_starts(frames) == [0]


def test_the_fades_that_open_and_close_a_film_are_no_shots() -> None:
    frames = faded(shot(0, 60), 15, 15, 0.0)
    black = np.zeros((10, *SIZE), np.float32)
    assert shot_starts(np.concatenate([black, frames, black])) == [0]


def test_a_black_leader_with_grain_is_a_shot_of_its_own() -> None:
    black = np.zeros((20, *SIZE), np.float32)
    frames = np.concatenate([black, shot(0, 30)])
    noise = np.random.default_rng(0).normal(0, 0.05, frames.shape)
    assert shot_starts((frames + noise).astype(np.float32)) == [0, 20]


def test_runs_of_shots_of_three_to_five_frames_are_found() -> None:
    lengths = {0: 20, 1: 3, 6: 4, 3: 5, 4: 3, 7: 20}  # by seed of the painting
    frames = np.concatenate([shot(seed, length) for seed, length in lengths.items()])
    assert shot_starts(frames) == [0, 20, 23, 27, 32, 35]


def test_cuts_by_night_are_found() -> None:
    frames, starts = film(20, 20, 20)
    dark = np.round(frames * 0.06 * 255 + 4).astype(np.uint8)
    assert dark.max() < 20
    assert shot_starts(dark) == starts


def test_a_cut_right_after_a_pan_is_found() -> None:
    wide = painting(3, width=SIZE[1] * 8)
    lefts = np.cumsum([0] * 12 + [8, 20, 36, 44, 44, 36, 20, 8])
    pan = np.stack([wide[:, left : left + SIZE[1]] for left in lefts])
    still = np.repeat(painting(9)[None], 12, axis=0)
    assert shot_starts(np.concatenate([pan, pan[-1:], pan[-1:], still])) == [0, 22]


def test_a_big_figure_that_passes_is_no_cut() -> None:
    frames = np.repeat(painting(4)[None], 40, axis=0)
    for index in range(15, 24):
        left = (index - 15) // 3 * 30 - 20  # on threes
        frames[index, :, max(left, 0) : left + 70] = 0.05
    steps = read_trace(frames).differences[:, 0]
    assert np.count_nonzero(steps > 0.16) >= 3
    assert shot_starts(frames) == [0]


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
