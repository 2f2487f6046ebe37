"""Pictures of illustrated stories as clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.data import DatasetError, Stories

LIST = "story,title,credit,split\none,One,Ann,train\ntwo,Two,Bob,test\nthree,Three,Ann,train\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stories.csv").write_text(LIST)
    for story, pages in (("one", 2), ("two", 1), ("three", 1)):
        (tmp_path / story).mkdir()
        for page in range(pages):
            picture = np.full((40, 60 + 20 * page, 3), (200, 100, 10 * page), np.uint8)
            Image.fromarray(picture).save(tmp_path / story / f"{page:02d}.png")
    return tmp_path


def test_a_picture_is_a_clip_and_a_story_a_series(root: Path) -> None:
    clips = Stories(root=str(root), short_side=20).split("train").clips
    assert [clip.name for clip in clips] == ["one/00", "one/01", "three/00"]
    assert [clip.series for clip in clips] == ["one", "one", "three"]
    assert [clip.shape for clip in clips] == [(1, 20, 30, 3), (1, 20, 40, 3), (1, 20, 30, 3)]
    assert (clips[1].frames == (200, 100, 10)).all()


def test_nobody_of_another_split_is_read(root: Path) -> None:
    assert [clip.name for clip in Stories(root=str(root)).split("test").clips] == ["two/00"]


def test_what_is_wrong_is_said(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"stories\.csv: no story is in the split 'val'"):
        Stories(root=str(root)).split("val")
    (root / "stories.csv").write_text("story,split\none,train\n")
    with pytest.raises(DatasetError, match=r"stories\.csv: lacks the column credit"):
        Stories(root=str(root)).split("train")
    (root / "stories.csv").unlink()
    with pytest.raises(DatasetError, match=r"stories\.csv: cannot be read"):
        Stories(root=str(root)).split("train")
    with pytest.raises(ValueError, match="short_side"):
        Stories(root=str(root), short_side=8)
