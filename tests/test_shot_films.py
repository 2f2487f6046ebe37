"""The films of measure_shots.py hold what they claim, and its scores are counted by hand."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.places import EXPERIMENTS
from tests.scripts import Scripts

SIZE = (18, 32)


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    return Scripts(EXPERIMENTS / "shots", monkeypatch)


def flat(level: int, length: int) -> np.ndarray:
    return np.full((length, *SIZE), level, np.uint8)


def levels(frames: np.ndarray) -> list[int]:
    assert (frames == frames[:, :1, :1]).all()
    return frames[:, 0, 0].tolist()


def test_joins_by_hand():
    from shot_films.joints import Cut, Dissolve, Fade, Joint, assemble

    shots = [flat(100, 4), flat(200, 6), flat(40, 5), flat(80, 4)]
    film = assemble("a", "b", shots, [Cut(), Dissolve(1), Fade(1, 2, 3)])
    expected = [100] * 4 + [200] * 5 + [120] + [40] * 3 + [20] + [0] * 2 + [20, 40, 60, 80]
    assert levels(film.frames) == expected
    assert film.joints == (Joint("cut", 4, 4), Joint("dissolve", 9, 10), Joint("fade", 13, 19))


def test_scores_by_hand():
    from shot_films.joints import Joint
    from shot_films.scores import Score, score, total

    joints = [Joint("cut", 10, 10), Joint("fade", 20, 30), Joint("cut", 40, 40)]
    # 9 and 31 are a frame off, 25 finds the fade again, 42 is two off.
    found = score(joints, [0, 9, 25, 31, 42])
    assert found == Score(found=2, invented=2, missed=1)
    both = total([found, Score(found=2)])
    assert (both.precision, both.recall) == (pytest.approx(4 / 6), pytest.approx(4 / 5))
    assert both.f1 == pytest.approx(2 * (4 / 6) * (4 / 5) / (4 / 6 + 4 / 5))
    assert score([], [0]).precision == 1


def test_rhythms_pans_and_wear():
    from shot_films.drawings import held, panned
    from shot_films.wear import worn

    twos = np.repeat(np.concatenate([flat(level, 1) for level in (10, 20, 30)]), 2, axis=0)
    assert levels(held(twos, 3)) == [10, 10, 10, 20, 20, 20]
    assert levels(held(twos, 1)) == [10, 20, 30, 20, 10]
    ramp = np.tile(np.arange(96, dtype=np.uint8), (5, 18, 1))
    pan = panned(ramp, 32, start=1, length=2, back=False)
    assert pan[:, 0, 0].tolist() == [0, 0, 32, 64, 64]
    plain = flat(128, 40)
    rng = np.random.default_rng(0)
    noisy = worn(plain, rng, grain=0.05, weave=1.0, flicker=0.0, dust=0.0)
    assert noisy.std() == pytest.approx(255 * 0.05, rel=0.05)


def test_flashes_stay_away_from_joints():
    from shot_films.joints import Cut, assemble
    from shot_films.wear import lightning

    film = assemble("a", "b", [flat(100, 40), flat(100, 40)], [Cut()])
    struck = lightning(film, np.random.default_rng(1), count=6)
    changed = np.flatnonzero((struck.frames != film.frames).any(axis=(1, 2)))
    assert len(changed) >= 6
    assert np.abs(changed - 40).min() >= 7


def test_a_category_is_the_same_for_the_same_seed(monkeypatch):
    from shot_films import catalogue

    monkeypatch.setattr(catalogue, "SHOTS", 3)
    monkeypatch.setattr(catalogue, "_SIZES", ((36, 64),))
    made = [next(catalogue.films(5, each=1, only=["static"])) for _ in range(2)]
    assert np.array_equal(made[0].frames, made[1].frames)
    first, second = made[0].joints
    assert np.ptp(made[0].frames[: first.first], axis=0).max() == 0
    assert (made[0].frames[first.first] != made[0].frames[first.first - 1]).mean() > 0.5
    assert second.first < len(made[0].frames)


def test_footage_is_joined_and_measured(tmp_path, scripts, capsys):
    rng = np.random.default_rng(2)
    clips = [tmp_path / name for name in ("a", "b")]
    for clip in clips:
        clip.mkdir()
        blots = rng.uniform(0, 255, (5, 7)).astype(np.uint8)
        picture = cv2.resize(blots, (64, 36), interpolation=cv2.INTER_LINEAR)
        for index in range(12):
            Image.fromarray(picture).save(clip / f"{index:02d}.png")
    report, strips = tmp_path / "r.json", tmp_path / "s.png"
    words = ("--footage", *clips, "--first-frame", 2, "-o", report, "--strips", strips)
    assert scripts.run("measure_shots", *words, "--also", "half=tests.test_shot_films:halves") == 0
    written = json.loads(report.read_text())
    perfect = {"found": 1, "invented": 0, "missed": 0}
    assert written["counts"]["tooncolor"]["footage"] == perfect
    assert written["counts"]["half"]["footage"] == {"found": 0, "invented": 1, "missed": 1}
    assert written["provenance"]["data"] == "1 films, 20 frames, 1 joints"
    assert "| footage | 100 / 100 |" in capsys.readouterr().out
    with Image.open(strips) as picture:
        assert picture.height == 45


def halves(frames: np.ndarray) -> list[int]:
    """A detector that is always wrong here."""
    return [0, len(frames) // 4]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "disolves"], "--only has no category 'disolves'; did you mean 'dissolves'?"),
        (["--also", "x"], "expected NAME=MODULE:FUNCTION"),
    ],
)
def test_mistakes_end_in_one_line(words, message, scripts, capsys):
    assert scripts.run("measure_shots", *words) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert message in errors[0]
