from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from colorize.base.files import appearing, write_atomically


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "results.md"
    write_atomically(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # bytes of a file
    try:
        with pytest.raises(OSError, match="File too large") as full:
            write_atomically(tmp_path / "weights", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert full.value.filename == str(tmp_path / "weights")
    assert not list(tmp_path.iterdir())


def test_files_whose_long_names_begin_alike_are_written_at_once(tmp_path: Path) -> None:
    first, second = (tmp_path / f"{'a' * 100}{number}.npy" for number in (1, 2))
    with appearing(first) as one, appearing(second) as two:
        one.write(b"one")
        two.write(b"two")
        assert not first.exists()
        assert not second.exists()
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
