"""What a source is: as it was made."""

from __future__ import annotations

import pytest

from colorize.app.footage import Footage
from tests.colorize.app.pages import LENGTHS, film_bytes, frame_files


def test_a_film_tells_its_length_rate_size_and_sound(tmp_path) -> None:
    film_bytes(tmp_path, suffix=".mp4")
    found = Footage().of(tmp_path / "made.mp4")
    assert found.pop("seconds") == pytest.approx(sum(LENGTHS) / 24)
    assert found == {
        "frames": sum(LENGTHS), "rate": 24.0, "width": 96, "height": 64,
        "sound": ["aac, stereo, 48 kHz"],
    }  # fmt: skip


def test_a_film_that_does_not_count_its_frames_tells_its_length(tmp_path) -> None:
    film_bytes(tmp_path, suffix=".mkv")
    found = Footage().of(tmp_path / "made.mkv")
    assert found["frames"] is None
    assert found["seconds"] == pytest.approx(sum(LENGTHS) / 24, abs=0.05)


def test_frames_have_a_size_and_neither_rate_nor_sound(tmp_path) -> None:
    for name, content in frame_files().items():
        (tmp_path / name).write_bytes(content)
    assert Footage().of(tmp_path) == {
        "frames": sum(LENGTHS), "rate": None, "seconds": None, "width": 96, "height": 64,
        "sound": [],
    }  # fmt: skip
