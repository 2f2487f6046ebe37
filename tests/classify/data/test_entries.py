"""Class folders and archives: parts and classes by path."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from classify.data.entries import DataError, archive_count, archive_entries, folder_entries

TREE = {
    "train/cat/a.png": b"1",
    "train/dog/deep/b.JPG": b"2",
    "Test/cat/c.png": b"3",
    "validation/dog/d.webp": b"4",
    "train/cat/notes.txt": b"5",
    "train/cat/._a.png": b"6",
    "README.md": b"7",
    "stray.png": b"8",
}
EXPECTED = {
    ("train", "cat", b"1"),
    ("train", "dog", b"2"),
    ("test", "cat", b"3"),
    ("val", "dog", b"4"),
}


def write(root: Path, tree: dict[str, bytes]) -> Path:
    for name, content in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def write_zip(path: Path, tree: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in tree.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, tree: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in tree.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            archive.addfile(item, io.BytesIO(content))
    return path


def found(entries) -> set[tuple[str, str, bytes]]:
    return {(entry.part, entry.category, entry.read()) for entry in entries}


def test_a_folder_and_both_archives_give_the_same(tmp_path: Path) -> None:
    assert found(folder_entries(write(tmp_path / "tree", TREE))) == EXPECTED
    for path in (write_zip(tmp_path / "a.zip", TREE), write_tar(tmp_path / "a.tar.gz", TREE)):
        assert found(archive_entries(path)) == EXPECTED
        assert archive_count(path) == 5  # with the stray picture, which has no class


def test_classes_without_parts_and_a_wrapping_folder(tmp_path: Path) -> None:
    tree = {"girls/anime/1.png": b"1", "girls/cartoon/x/2.png": b"2"}
    expected = {("", "anime", b"1"), ("", "cartoon", b"2")}
    assert found(folder_entries(write(tmp_path / "tree", tree))) == expected
    assert found(archive_entries(write_zip(tmp_path / "a.zip", tree))) == expected


def test_one_class_alone_is_a_class_not_a_wrapper(tmp_path: Path) -> None:
    root = write(tmp_path / "tree", {"mona/1.png": b"1", "mona/2.png": b"2"})
    assert {entry.category for entry in folder_entries(root)} == {"mona"}


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures in class folders; expected \[train"):
        folder_entries(write(tmp_path / "flat", {"a.png": b"1"}))
    broken = write_tar(tmp_path / "b.tar.gz", TREE)
    broken.write_bytes(broken.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"b\.tar\.gz: damaged or no archive .*copy it again"):
        list(archive_entries(broken))
    (tmp_path / "c.zip").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"c\.zip: damaged or no archive"):
        list(archive_entries(tmp_path / "c.zip"))
