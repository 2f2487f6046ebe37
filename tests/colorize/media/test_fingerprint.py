"""A source is known again by its content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.media import MediaError, fingerprint


def test_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").write_bytes(b"content")
    (tmp_path / "c").write_bytes(b"contenT")
    assert fingerprint(tmp_path / "a") == fingerprint(str(tmp_path / "b"))
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "c")
    assert len(fingerprint(tmp_path / "a")) == 64


def test_large_file_by_size_and_both_ends(tmp_path: Path) -> None:
    path, size = tmp_path / "a", (64 << 20) + 5
    prints = []
    for place in (None, 0, size - 1, 32 << 20):
        with path.open("wb") as file:
            file.truncate(size)
            if place is not None:
                file.seek(place)
                file.write(b"x")
        prints.append(fingerprint(path))
    assert prints[3] == prints[0]  # the middle of a large film is not read
    assert len(set(prints)) == 3


def test_folder_by_names_and_contents_of_its_pictures(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / name)
    first = fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("not a picture")
    assert fingerprint(tmp_path) == first
    (tmp_path / "2.png").rename(tmp_path / "3.png")
    renamed = fingerprint(tmp_path)
    Image.fromarray(np.ones((4, 4, 3), np.uint8)).save(tmp_path / "3.png")
    assert len({first, renamed, fingerprint(tmp_path)}) == 3


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"cannot read .*nowhere: No such file"):
        fingerprint(tmp_path / "nowhere")
