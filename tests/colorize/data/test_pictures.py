"""Coloured pictures of a series as training clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.cartoon import CartoonSeries
from colorize.data import DatasetError, SeriesPictures


def write(folder: Path, frames: list[np.ndarray]) -> Path:
    folder.mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:03d}.png")
    return folder


@pytest.fixture(scope="module")
def shots() -> list[np.ndarray]:
    series = CartoonSeries(seed=5, size=(54, 96), shots=6, frames_per_shot=8, effects=False)
    return [series.color(shot) for shot in range(6)]


def test_a_handful_of_pictures_is_all_for_training(tmp_path, shots):
    root = write(tmp_path / "few", [shot[0] for shot in shots[:3]])
    clips = SeriesPictures(root=str(root), size=[27, 48])
    train, val = clips.split("train"), clips.split("val")
    assert sum(clip.count for clip in train.clips) == 3
    assert sum(clip.count for clip in val.clips) == 3
    assert all(clip.shape[1:] == (27, 48, 3) for clip in train.clips)


def test_of_an_episode_every_fifth_shot_is_held_out(tmp_path, shots):
    root = write(tmp_path / "episode", [frame for shot in shots for frame in shot])
    clips = SeriesPictures(root=str(root), size=[54, 96])
    train, val = (clips.split(name).clips for name in ("train", "val"))
    assert len(train) + len(val) >= 5
    assert {clip.name for clip in train}.isdisjoint(clip.name for clip in val)
    assert sum(clip.count for clip in [*train, *val]) == 48
    assert len(val) == (len(train) + len(val) + 2) // 5
    assert len({clip.series for clip in [*train, *val]}) == 1
    # The same pixels: nothing is resized where the size is that of the pictures.
    together = sorted([*train, *val], key=lambda clip: clip.name)
    np.testing.assert_array_equal(
        np.concatenate([c.frames for c in together]), np.concatenate(shots)
    )


def test_gray_frames_are_left_out(tmp_path, shots):
    gray = np.repeat(shots[0][0][..., :1], 3, axis=2)
    root = write(tmp_path / "mixed", [gray, shots[0][0], gray])
    assert sum(c.count for c in SeriesPictures(root=str(root)).split("train").clips) == 1
    with pytest.raises(DatasetError, match="holds no frame in colour; give coloured ones"):
        SeriesPictures(root=str(write(tmp_path / "gray", [gray]))).split("train")


def test_every_takes_fewer_frames(tmp_path, shots):
    root = write(tmp_path / "in", list(shots[0]))
    clips = SeriesPictures(root=str(root), every=3)
    assert sum(clip.count for clip in clips.split("train").clips) == 3
    with pytest.raises(ValueError, match=r"data\.every is 0: expected 1 or more"):
        SeriesPictures(root=str(root), every=0)
