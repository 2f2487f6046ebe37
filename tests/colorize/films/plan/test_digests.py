"""Frames are recognised by name and content; unchanged files are not read twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from colorize.films.plan import digests
from colorize.films.plan.digests import Digests, digest_of, noted_digests, take_digests
from colorize.media import open_source
from tests.colorize.media.films import gray_ramp, make_film


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(12):
        Image.fromarray(gray_ramp((16, 24), index)).save(folder / f"{index}.png")
    return folder


def test_a_changed_frame_changes_its_own_span_only(folder: Path) -> None:
    before = take_digests(open_source(folder))
    Image.fromarray(gray_ramp((16, 24), 99)).save(folder / "5.png")
    after = take_digests(open_source(folder))
    assert before.whole != after.whole
    assert before.of(0, 5) == after.of(0, 5)
    assert before.of(3, 6) != after.of(3, 6)
    assert before.of(6, 12) == after.of(6, 12)


def test_spans_that_grow_have_the_digests_of_the_same_spans() -> None:
    files = {f"Bild {index} é.png": (1, 2, f"{index:064x}") for index in range(40)}
    for seen in (Digests(files), Digests(None, "ab" * 32)):
        stops = [4, 5, 31, 40]
        assert list(seen.growing(3, stops)) == [seen.of(3, stop) for stop in stops]
    listed = [[name, content] for name, (_, _, content) in files.items()]
    assert Digests(files).of(3, 31) == digest_of(listed[3:31])
    assert Digests(files).whole == digest_of(listed)
    assert Digests(files).of(3, 3) == digest_of([])


def test_a_renamed_frame_is_another(folder: Path) -> None:
    before = take_digests(open_source(folder))
    (folder / "11.png").rename(folder / "12.png")
    after = take_digests(open_source(folder))
    assert before.of(11, 12) != after.of(11, 12)
    assert before.of(0, 11) == after.of(0, 11)


def test_files_that_did_not_change_are_not_read_again(
    folder: Path, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "digests.json"
    first = take_digests(open_source(folder))
    first.note(path)
    assert noted_digests(path) == first
    read: list[Path] = []
    original = digests.fingerprint
    monkeypatch.setattr(digests, "fingerprint", lambda path: read.append(path) or original(path))
    assert take_digests(open_source(folder), noted=noted_digests(path)) == first
    assert read == []
    Image.fromarray(gray_ramp((16, 24), 99)).save(folder / "5.png")
    os.utime(folder / "7.png")  # touched, same content
    changed = take_digests(open_source(folder), noted=noted_digests(path))
    assert [path.name for path in read] == ["5.png", "7.png"]
    assert changed.of(7, 8) == first.of(7, 8)
    assert changed.of(5, 6) != first.of(5, 6)


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"0.png": 3}', '{"0.png": ["a", 2, 3]}'])
def test_a_damaged_note_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "digests.json").write_text(content)
    assert noted_digests(tmp_path / "digests.json") is None
    assert noted_digests(tmp_path / "nothing.json") is None


def test_a_film_is_one_file_but_its_spans_differ(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", count=6)
    first = take_digests(open_source(path))
    assert first.of(0, 3) != first.of(3, 6)
    assert first.of(0, 3) == take_digests(open_source(path)).of(0, 3)
    make_film(path, count=7)
    second = take_digests(open_source(path))
    assert first.of(0, 3) != second.of(0, 3)
    assert first.whole != second.whole
