"""Subsets, their merge into train.txt, and reading it."""

from __future__ import annotations

from pathlib import Path

import pytest

from classify.data import DataError, Pictures
from classify.data.subsets import main, merge_subsets
from classify.preprocessing import Preprocessing

SMALL = Preprocessing(size=(25, 25), channels=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    main(["draw", str(tmp_path / "faces"), "--subsets", "3", "--per-subset", "4"])
    return tmp_path / "faces"


def test_subsets_merge_into_one_list_that_trains(root: Path, capsys) -> None:
    assert {path.name for path in root.iterdir()} == {
        "subset-01",
        "subset-02",
        "subset-03",
        "test0.png",
    }
    (root / "subset-02" / "smile-eyes-open" / "broken.png").write_bytes(b"x")
    main(["merge", str(root)])
    assert "12 pictures listed, 1 left out" in capsys.readouterr().out
    lines = (root / "train.txt").read_text().splitlines()
    assert len(lines) == 12
    assert "subset-03/surprise-eyes-open/003.png\tsurprise-eyes-open" in lines
    collection = Pictures(root=str(root)).read(SMALL)
    assert collection.examples.counts() == {
        "smile-eyes-closed": 3,
        "smile-eyes-open": 3,
        "surprise-eyes-closed": 3,
        "surprise-eyes-open": 3,
    }


def test_a_list_that_is_out_of_date_is_named(root: Path) -> None:
    merge_subsets(root)
    (root / "subset-01" / "smile-eyes-open" / "001.png").unlink()
    with pytest.raises(DataError, match=r"train\.txt, line 2: .*001\.png is missing; merge"):
        Pictures(root=str(root)).read(SMALL)
    (root / "train.txt").write_text("only-a-path.png\n")
    with pytest.raises(DataError, match=r"line 1: expected PATH, a tab and CLASS"):
        Pictures(root=str(root)).read(SMALL)


def test_nothing_to_merge(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected SUBSET/CLASS/PICTURE"):
        merge_subsets(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.png").write_bytes(b"x")
    with pytest.raises(DataError, match="none of its pictures can be read"):
        merge_subsets(tmp_path)
