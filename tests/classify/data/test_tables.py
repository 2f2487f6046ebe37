"""FER-2013's CSV and MNIST's idx files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from classify.data.entries import DataError
from classify.data.tables import read_fer_csv, read_idx, read_idx_folder
from tests.classify.samples import noise


def fer_row(emotion: object, seed: int, usage: str = "") -> str:
    pixels = " ".join(str(value) for value in noise(seed, (48, 48), channels=1).ravel())
    return f'{emotion},"{pixels}"' + (f",{usage}" if usage else "")


def write_idx(path: Path, data: np.ndarray) -> Path:
    head = struct.pack(f">HBB{data.ndim}I", 0, 8, data.ndim, *data.shape)
    content = head + data.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_the_original_csv(tmp_path: Path) -> None:
    lines = ["emotion,pixels,Usage", fer_row(3, 1, "Training"), fer_row(1, 2, "PublicTest")]
    lines += [fer_row(6, 3, "PrivateTest")]
    path = tmp_path / "icml_face_data.csv"
    path.write_text("\n".join(lines))
    rows = list(read_fer_csv(path))
    assert [(row.part, row.category) for row in rows] == [
        ("train", "happy"),
        ("test", "disgust"),
        ("test", "neutral"),
    ]
    np.testing.assert_array_equal(rows[1].pixels, noise(2, (48, 48), channels=1))
    assert rows[0].name == "icml_face_data.csv:2"


def test_a_csv_without_usage_is_of_the_part_that_it_is_named_after(tmp_path: Path) -> None:
    for name, part in (("train.csv", "train"), ("test.csv", "test"), ("faces.csv", "")):
        path = tmp_path / name
        path.write_text("emotion, pixels\n" + fer_row(0, 1))
        assert [(row.part, row.category) for row in read_fer_csv(path)] == [(part, "angry")]


def test_broken_rows_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text("\n".join(["emotion,pixels", "7,1 2", '3,"1 2 3"', '2,"1 x"', fer_row(2, 1)]))
    problems = [row.problem for row in read_fer_csv(path)]
    assert "faces.csv:2: emotion '7'" in problems[0]
    assert problems[1] == "faces.csv:3: expected 2304 pixels 0-255, got 3"
    assert "faces.csv:4" in problems[2]
    assert problems[3] == ""


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("name,age\nx,3\n")
    with pytest.raises(DataError, match=r"columns are name, age; expected emotion,pixels"):
        list(read_fer_csv(path))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files(tmp_path: Path, suffix: str) -> None:
    digits = np.stack([noise(seed, (28, 28), channels=1) for seed in range(3)])
    write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", digits[:2])
    write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", np.array([7, 0], np.uint8))
    write_idx(tmp_path / f"t10k-images-idx3-ubyte{suffix}", digits[2:])
    write_idx(tmp_path / f"t10k-labels-idx1-ubyte{suffix}", np.array([9], np.uint8))
    rows = {row.name: row for row in read_idx_folder(tmp_path)}
    assert [(row.part, row.category) for row in rows.values()] == [
        ("test", "9"),
        ("train", "7"),
        ("train", "0"),
    ]
    np.testing.assert_array_equal(rows["train-00001"].pixels, digits[1])


def test_cut_off_and_missing_idx_files(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte: missing beside"):
        list(read_idx_folder(tmp_path))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"cut off: 17 values for sizes \(2, 3, 3\)"):
        read_idx(path)
    packed = write_idx(tmp_path / "x.gz", np.zeros(200, np.uint8))
    packed.write_bytes(packed.read_bytes()[:-6])
    with pytest.raises(DataError, match=r"x\.gz: damaged"):
        read_idx(packed)
