"""A correction moves the picture, counts once, and is undone with all the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from classify.correction import correct
from classify.journal import NAME, ScreenError, latest, read_journal, undo
from classify.predict import Classifier
from classify.selection import Screening, Summary, screen
from tests.classify.samples import class_folders
from tests.classify.tiny import write_checkpoint


def run(tmp_path: Path, *, move: bool, rejected: bool) -> Summary:
    if not (tmp_path / "in").exists():
        class_folders(tmp_path / "in", count=3)
    screening = Screening(
        folder=tmp_path / "in",
        keep=tmp_path / "keep",
        rejected=tmp_path / "others" if rejected else None,
        target="cat",
        threshold=0.5,
        move=move,
    )
    return screen(screening, Classifier.load(write_checkpoint(tmp_path / "m.safetensors")))


def names(folder: Path) -> list[str]:
    """The pictures in a folder and below, by their content: names may have got a number."""
    files = folder.rglob("*.png") if folder.exists() else []
    return sorted(path.name for path in files)


@pytest.mark.parametrize("move", [False, True])
@pytest.mark.parametrize("rejected", [False, True])
def test_a_picture_changes_sides_and_all_can_be_undone(tmp_path, move, rejected):
    run(tmp_path, move=move, rejected=rejected)
    journal = tmp_path / "keep" / NAME
    assert names(tmp_path / "keep") == ["000.png", "001.png", "002.png"]
    correct(journal, "cat/001.png", "rejected")
    assert names(tmp_path / "keep") == ["000.png", "002.png"]
    assert len(names(tmp_path / "others")) == (4 if rejected else 0)
    correct(journal, "dog/000.png", "kept")
    assert len(names(tmp_path / "keep")) == 3
    assert len(names(tmp_path / "others")) == (3 if rejected else 0)
    undo(journal)
    assert names(tmp_path / "keep") == names(tmp_path / "others") == []
    assert len(names(tmp_path / "in")) == 6


def test_a_correction_counts_once_and_a_screening_goes_on_after_it(tmp_path):
    assert run(tmp_path, move=False, rejected=False).count("kept") == 3
    journal = tmp_path / "keep" / NAME
    correct(journal, "cat/001.png", "rejected")
    again = run(tmp_path, move=False, rejected=False)
    assert (again.count("kept"), again.count("rejected"), again.looked_at) == (2, 4, 0)
    assert names(tmp_path / "keep") == ["000.png", "002.png"]


def test_there_and_back_is_as_before(tmp_path):
    run(tmp_path, move=True, rejected=False)
    journal = tmp_path / "keep" / NAME
    correct(journal, "cat/001.png", "rejected")
    assert (tmp_path / "in/cat/001.png").is_file()
    correct(journal, "cat/001.png", "kept")
    assert names(tmp_path / "keep") == ["000.png", "001.png", "002.png"]
    decisions = read_journal(journal)[1]
    assert len(decisions) == 8
    assert len(latest(decisions)) == 6


def test_what_the_journal_does_not_know_is_refused(tmp_path):
    run(tmp_path, move=False, rejected=False)
    with pytest.raises(ScreenError, match=r"other\.png: no picture of this screening"):
        correct(tmp_path / "keep" / NAME, "other.png", "kept")
