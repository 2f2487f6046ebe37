from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from colorize.data.manifest import DatasetError
from colorize.data.prepare.sources import (
    assign,
    clips_needed,
    expand,
    match_rows,
    name_sources,
    read_splits,
)

RATIO = (0.8, 0.1, 0.1)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_of_videos_means_its_videos(tmp_path: Path) -> None:
    touch(tmp_path / "films" / "b.mp4", tmp_path / "films" / "a.MKV", tmp_path / "films" / "n.txt")
    touch(tmp_path / "films" / ".hidden.mp4", tmp_path / "shots" / "1.png")
    found = expand([tmp_path / "shots", tmp_path / "films", tmp_path / "films" / "b.mp4"])
    names = ["shots", "films/a.MKV", "films/b.mp4"]
    assert [path.relative_to(tmp_path.resolve()).as_posix() for path in found] == names


def test_a_folder_of_both_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "a.png")
    with pytest.raises(DatasetError, match="holds both videos and pictures"):
        expand([tmp_path])


def test_stems_that_differ_in_case_only_get_different_names(tmp_path: Path) -> None:
    sources = [tmp_path / "a" / "Walk.mp4", tmp_path / "b" / "walk.mkv", tmp_path / "walk-2.avi"]
    touch(*sources)
    assert list(name_sources(sources, []).values()) == ["Walk", "walk-2", "walk-2-2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the columns clip,split,first_frame, got nothing"),
        ("clip,spilt\na,train\n", "line 1: .* got clip,spilt; did you mean 'spilt'"),
        ("clip,split\na,train\nb,tarin\n", "line 3: split: expected .* 'tarin'; .* 'train'"),
        ("clip,split,first_frame\na,train,-4\n", "line 2: first_frame: .* got '-4'"),
        ("clip,split\n,train\n", "line 2: expected the name of a clip"),
        ("clip,split\na,train\na,test\n", "'a' is listed twice"),
    ],
)
def test_mistakes_in_a_csv_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "clips.csv").write_text(text)
    with pytest.raises(DatasetError, match=r"clips\.csv:? ?" + message):
        read_splits(tmp_path / "clips.csv")


def test_a_csv_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes("\ufeffsplit,clip,x\r\ntest, Säge 2 ,1\r\n".encode())
    (row,) = read_splits(tmp_path / "c.csv")
    assert (row.clip, row.split, row.first_frame) == ("Säge 2", "test", None)


def match(tmp_path: Path, text: str) -> dict[str, str]:
    table = tmp_path / "clips.csv"
    table.write_text("clip,split\n" + text)
    sources = {Path("x/walk.mp4"): "walk", Path("y/walk.mp4"): "walk-2", Path("run.mkv"): "run"}
    return {
        name: row.split for name, row in match_rows(read_splits(table), sources, [], table).items()
    }


def test_lines_mean_clips_by_file_stem_or_own_name(tmp_path: Path) -> None:
    rows = match(tmp_path, "walk,train\nwalk-2,val\nrun.mkv,test\n")
    assert rows == {"walk": "train", "walk-2": "val", "run": "test"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("walk,train\nwalk-2,val\nrnu,test\n", "'rnu' is none of the sources; did you mean 'run'"),
        ("walk,train\nrun,test\n", r"no line for walk\.mp4; add CLIP,SPLIT,FIRST_FRAME"),
        ("walk.mp4,train\nrun,test\n", r"'walk\.mp4' means 2 sources; .* each of walk, walk-2"),
    ],
)
def test_lines_and_sources_must_agree(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        match(tmp_path, text)


def test_splits_by_ratio_are_exact_where_they_can_be() -> None:
    names = [f"clip {number}" for number in range(30)]
    splits = assign(names, assigned={}, ratio=RATIO, seed=0)
    assert Counter(splits.values()) == {"train": 24, "val": 3, "test": 3}
    assert assign(names[::-1], assigned={}, ratio=RATIO, seed=0) == splits
    assert assign(names, assigned={}, ratio=RATIO, seed=1) != splits


@pytest.mark.parametrize("count", range(1, 8))
def test_few_clips_leave_at_least_one_for_training(count: int) -> None:
    names = list(map(str, range(count)))
    splits = assign(names, assigned={}, ratio=(0.1, 0.45, 0.45), seed=0)
    assert "train" in splits.values()


def test_new_clips_fill_up_and_move_none() -> None:
    names = [f"clip {number}" for number in range(10)]
    before = assign(names, assigned={}, ratio=RATIO, seed=0)
    more = [f"more {number}" for number in range(10)]
    added = assign(more, assigned=before, ratio=RATIO, seed=0)
    assert added.keys() == set(more)
    assert Counter([*before.values(), *added.values()]) == {"train": 16, "val": 2, "test": 2}


@pytest.mark.parametrize(
    ("ratio", "count"), [((1.0, 0.0, 0.0), 1), ((0.5, 0.0, 0.5), 2), ((0.8, 0.1, 0.1), 7)]
)
def test_how_many_clips_a_ratio_needs(ratio: tuple[float, float, float], count: int) -> None:
    names = [f"clip {number}" for number in range(count)]
    shares = sum(share > 0 for share in ratio)
    assert clips_needed(ratio) == count
    for seed in range(3):
        splits = assign(names, assigned={}, ratio=ratio, seed=seed)
        assert len(set(splits.values())) == shares
        fewer = assign(names[1:], assigned={}, ratio=ratio, seed=seed)
        assert len(set(fewer.values())) < shares
    assert clips_needed((0.998, 0.001, 0.001), most=50) is None


def test_a_folder_of_folders_means_each_and_its_name_the_split(tmp_path: Path) -> None:
    touch(*(tmp_path / place / "1.png" for place in ("x/train/a", "x/train/b", "x/test", "x/c/d")))
    touch(tmp_path / "x" / "val" / "film.mp4")
    found = {
        path.relative_to(tmp_path.resolve()).as_posix(): split
        for path, split in expand([tmp_path / "x"]).items()
    }
    assert found == {
        "x/c/d": "",
        "x/test": "test",
        "x/train/a": "train",
        "x/train/b": "train",
        "x/val/film.mp4": "val",
    }
    assert set(expand([tmp_path / "x"], split="test").values()) == {"test"}
