"""Without clips for validation, the last shots of training clips are, and are not trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.data.prepare.command import main
from colorize.data.splits import PreparedClips


def prepared(folder: Path, *shots: int) -> PreparedClips:
    """Prepare a clip of shots of as many frames; the level of a frame is its number."""
    source, number = folder / "frames" / "train", 0
    source.mkdir(parents=True)
    for shot, frames in enumerate(shots):
        for frame in range(frames):
            level = np.full((16, 16, 3), number, np.uint8)
            Image.fromarray(level).save(source / f"{100 * shot + frame:04d}.png")
            number += 1
    root = folder / "data"
    assert main([str(source), "-o", str(root), "--size", "16x16", "--quiet"]) == 0
    return PreparedClips(root=root)


def levels(clips: PreparedClips, split: str) -> list[int]:
    (clip,) = clips.split(split).clips
    return [int(frame[0, 0, 0]) for frame in clip.frames]


def test_validation_takes_the_last_shot_and_training_the_others(tmp_path: Path) -> None:
    clips = prepared(tmp_path, 4, 3, 2)
    assert levels(clips, "train") == [0, 1, 2, 3, 4, 5, 6]
    assert levels(clips, "val") == [7, 8]
    (train,), (val,) = (clips.split(name).clips for name in ("train", "val"))
    assert train.spans == [(0, 4), (4, 7)]
    assert val.spans == [(0, 2)]
    assert train.name == val.name == "train"
    assert train.fingerprint != val.fingerprint


def test_a_single_shot_is_for_both(tmp_path: Path) -> None:
    clips = prepared(tmp_path, 3)
    assert levels(clips, "train") == levels(clips, "val") == [0, 1, 2]


def test_nothing_stands_in_for_the_test_split(tmp_path: Path) -> None:
    clips = prepared(tmp_path, 3, 3)
    with pytest.raises(ValueError, match=r"no clip is in the split 'test'; add some: .*--test"):
        clips.split("test")
