"""Real clips and procedural series as one training split."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.data import CartoonClips, Clip, ClipDataset, MixedClips

SIZE = (32, 48)


class Real:
    """Two real clips in every split, of distinct frames."""

    label = "real clips"

    def split(self, name: str) -> ClipDataset:
        random = np.random.default_rng(len(name))
        frames = random.integers(0, 256, (2, 3, *SIZE, 3), dtype=np.uint8)
        return ClipDataset(
            clips=[
                Clip(name=f"{name}-{number}", frames=each, series="real")
                for number, each in enumerate(frames)
            ]
        )


def mixed(**changes: int) -> MixedClips:
    settings = {"cartoons": 2, "shots": 1, "frames_per_shot": 2, "repeat": 3} | changes
    return MixedClips(clips=Real(), size=SIZE, **settings)


def test_training_has_every_real_clip_repeatedly_and_every_series() -> None:
    clips = mixed().split("train").clips
    names = [clip.name for clip in clips]
    assert names == ["train-0", "train-1"] * 3 + ["shot-000"] * 2
    assert [clip.count for clip in clips] == [3] * 6 + [2] * 2
    series = [clip.series for clip in clips]
    assert series[:6] == ["real"] * 6
    assert len(set(series)) == 3


def test_a_series_is_that_of_its_seed() -> None:
    clips = mixed(first_seed=7).split("train").clips[6:]
    for clip, seed in zip(clips, (7, 8), strict=True):
        alone = CartoonClips(
            seed=seed, size=SIZE, train=1, val=1, test=1, frames_per_shot=2, effects=False
        )
        expected = alone.split("train").clips[0]
        np.testing.assert_array_equal(clip.frames, expected.frames)
        assert clip.series == expected.series


@pytest.mark.parametrize("name", ["val", "test"])
def test_validation_and_testing_are_on_real_clips_alone(name: str) -> None:
    assert [clip.name for clip in mixed().split(name).clips] == [f"{name}-0", f"{name}-1"]


def test_its_label_says_what_it_is_made_of() -> None:
    label = mixed(first_seed=7).label
    assert label == "real clips and 2 procedural series, seeds 7-8"


@pytest.mark.parametrize("name", ["cartoons", "shots"])
def test_less_than_one_of_anything_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"data\.{name} is 0: expected 1 or more"):
        mixed(**{name: 0})


@pytest.mark.parametrize("name", ["repeat", "repeat_stories"])
def test_a_negative_number_of_times_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"data\.{name} is -1: expected 0 or more"):
        mixed(**{name: -1})


def test_stories_join_and_real_clips_may_validate_alone() -> None:
    clips = MixedClips(
        clips=Real(), stories=Real(), repeat=0, repeat_stories=2, cartoons=1, shots=1,
        frames_per_shot=1, size=SIZE,
    )  # fmt: skip
    names = [clip.name for clip in clips.split("train").clips]
    assert names == ["train-0", "train-1"] * 2 + ["shot-000"]
    assert [clip.name for clip in clips.split("val").clips] == ["val-0", "val-1"]
    assert "and real clips" in clips.label
