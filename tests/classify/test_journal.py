"""The journal: written first, read back after any interruption, undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classify.journal import (
    Decision,
    Journal,
    ScreenError,
    carry_out,
    free_name,
    read_journal,
    undo,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a.png").write_bytes(b"first")
    (tmp_path / "in" / "sub" / "a.png").write_bytes(b"second")
    return tmp_path / "in"


def decisions(keep: Path) -> list[Decision]:
    return [
        Decision("a.png", "kept", 0.99, "cat", str(keep / "a.png")),
        Decision("sub/a.png", "kept", 0.98, "cat", str(keep / "a-2.png")),
        Decision("b.png", "unreadable", problem="b.png is damaged"),
    ]


def journal(keep: Path, folder: Path, *, move: bool) -> Journal:
    return Journal(keep / "screening.jsonl", {"folder": str(folder), "move": move})


def test_what_was_written_is_read_back(tmp_path: Path, folder: Path) -> None:
    written = journal(tmp_path / "keep", folder, move=True)
    written.add(decisions(tmp_path / "keep"))
    written.mark_done()
    again = journal(tmp_path / "keep", folder, move=True)
    assert again.decisions == decisions(tmp_path / "keep")
    assert again.done == 3
    with pytest.raises(ScreenError, match=r"screening with move=True, not False: .*--undo first"):
        journal(tmp_path / "keep", folder, move=False)


def test_a_line_that_was_cut_off_does_not_count(tmp_path: Path, folder: Path) -> None:
    written = journal(tmp_path / "keep", folder, move=True)
    written.add(decisions(tmp_path / "keep")[:1])
    path = tmp_path / "keep" / "screening.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"file": "sub/a.png", "verd')
    again = journal(tmp_path / "keep", folder, move=True)
    assert len(again.decisions) == 1
    assert path.read_bytes() == whole
    again.add(decisions(tmp_path / "keep")[1:])
    assert len(read_journal(path)[1]) == 3


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "screening.jsonl"
    for content in ("hello\n", '{"format": "x"}\n', "[]\n"):
        path.write_text(content)
        with pytest.raises(ScreenError, match=r"damaged, or no journal of classify-screen"):
            read_journal(path)
    with pytest.raises(ScreenError, match="no such journal"):
        read_journal(tmp_path / "missing")


@pytest.mark.parametrize("move", [False, True])
def test_carrying_out_twice_is_carrying_out_once(tmp_path: Path, folder: Path, move: bool) -> None:
    keep = tmp_path / "keep"
    for _ in range(2):
        for decision in decisions(keep):
            carry_out(decision, folder, move=move)
    assert (keep / "a.png").read_bytes() == b"first"
    assert (keep / "a-2.png").read_bytes() == b"second"
    assert (folder / "a.png").exists() is not move
    assert len(list(keep.iterdir())) == 2


def test_a_move_to_another_disk_that_was_stopped_is_finished(tmp_path: Path, folder: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "a.png").write_bytes(b"first")  # copied, but not yet removed from the folder
    carry_out(decisions(keep)[0], folder, move=True)
    assert not (folder / "a.png").exists()
    (folder / "a.png").write_bytes(b"new picture of that name")
    carry_out(decisions(keep)[0], folder, move=True)
    assert (folder / "a.png").read_bytes() == b"new picture of that name"


def test_a_move_between_disks_copies_then_removes(tmp_path, folder, monkeypatch) -> None:
    monkeypatch.setattr("classify.journal._same_disk", lambda *_: False)
    carry_out(decisions(tmp_path / "keep")[0], folder, move=True)
    assert (tmp_path / "keep" / "a.png").read_bytes() == b"first"
    assert not (folder / "a.png").exists()


@pytest.mark.parametrize("move", [False, True])
def test_undo_restores_everything(tmp_path: Path, folder: Path, move: bool) -> None:
    keep = tmp_path / "keep"
    written = journal(keep, folder, move=move)
    written.add(decisions(keep))
    for decision in written.decisions:
        carry_out(decision, folder, move=move)
    assert undo(keep / "screening.jsonl") == (2, [])
    assert (folder / "a.png").read_bytes() == b"first"
    assert (folder / "sub" / "a.png").read_bytes() == b"second"
    assert [path.name for path in keep.iterdir()] == ["screening-undone.jsonl"]


def test_undo_overwrites_nothing_and_says_so(tmp_path: Path, folder: Path) -> None:
    keep = tmp_path / "keep"
    written = journal(keep, folder, move=True)
    written.add(decisions(keep))
    for decision in written.decisions:
        carry_out(decision, folder, move=True)
    (folder / "a.png").write_bytes(b"a newer one")
    done, left = undo(keep / "screening.jsonl")
    assert done == 1
    assert len(left) == 1
    assert "a.png is another file now" in left[0]
    assert (folder / "a.png").read_bytes() == b"a newer one"
    assert (keep / "a.png").read_bytes() == b"first"
    (folder / "a.png").unlink()
    assert undo(keep / "screening.jsonl") == (1, [])  # the second undo finishes the first


def test_names_are_never_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"1")
    taken: set[str] = set()
    names = [free_name(tmp_path, name, taken).name for name in ("x.png", "x.png", "X.png", "y.png")]
    assert names == ["x-2.png", "x-3.png", "X-4.png", "y.png"] or names[2] in ("X.png", "X-4.png")
    assert len({name.casefold() for name in names}) == 4


def test_a_full_disk_is_one_line(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "keep").write_bytes(b"a file where a folder should be")
    with pytest.raises(ScreenError, match=r"keep.*: .*run the same command again"):
        carry_out(decisions(tmp_path / "keep")[0], folder, move=False)


def test_lines_are_json(tmp_path: Path, folder: Path) -> None:
    written = journal(tmp_path / "keep", folder, move=True)
    written.add(decisions(tmp_path / "keep"))
    lines = (tmp_path / "keep" / "screening.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["format"] == "tooncolor-screening-1"
    assert json.loads(lines[1])["probability"] == 0.99
