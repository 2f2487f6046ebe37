"""Read data sets that come as tables of numbers: FER-2013's CSV and MNIST's idx files."""

from __future__ import annotations

import csv
import gzip
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8

from classify.data.entries import DataError

# The classes of FER-2013's numbers, in their order.
FER_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_FER_PARTS = {"training": "train", "publictest": "test", "privatetest": "test", "": ""}
_IDX_PARTS = {"train": "train", "t10k": "test"}


@dataclass(frozen=True)
class Row:
    """One picture of a table: its name, part, class, and gray pixels, or why there are none."""

    name: str
    part: str
    category: str
    pixels: UInt8[np.ndarray, "h w"] | None
    problem: str = ""


def read_fer_csv(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV with the columns ``emotion,pixels[,Usage]``, pixels 48x48.

    A file named ``test.csv`` or ``train.csv`` without ``Usage`` is of that part.

    Raises:
        DataError: The columns are others.

    Source: Kaggle, "Challenges in Representation Learning: Facial Expression Recognition".
    """
    own = path.stem.lower() if path.stem.lower() in ("train", "test") else ""
    csv.field_size_limit(1 << 20)
    with path.open(newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        columns = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
        if not {"emotion", "pixels"} <= columns.keys():
            raise DataError(
                f"{path}: columns are {', '.join(columns) or 'none'}; expected "
                "emotion,pixels or emotion,pixels,Usage"
            )
        usage = columns.get("usage")
        for number, row in enumerate(reader, start=2):
            name = f"{path.name}:{number}"
            word = (row[usage] or "").strip().lower() if usage else ""
            yield _fer_row(name, row[columns["emotion"]], row[columns["pixels"]], word, own)


def _fer_row(name: str, emotion: str | None, text: str | None, usage: str, own: str) -> Row:
    part = _FER_PARTS.get(usage, usage) or own
    values = (text or "").split()
    try:
        category = FER_CLASSES[int(emotion or "")]
        numbers = np.array(values, dtype=np.int64)
    except (ValueError, IndexError, OverflowError):
        return Row(name, part, "", None, f"{name}: emotion {emotion!r} or its pixels are no number")
    if len(numbers) != 48 * 48 or numbers.min() < 0 or numbers.max() > 255:
        return Row(
            name, part, category, None, f"{name}: expected 2304 pixels 0-255, got {len(numbers)}"
        )
    return Row(name, part, category, numbers.astype(np.uint8).reshape(48, 48))


def read_idx_folder(root: Path) -> Iterator[Row]:
    """Yield the digits of ``train-`` and ``t10k-images-idx3-ubyte[.gz]`` with their labels.

    Raises:
        DataError: A labels file is missing, or a file is damaged.
    """
    for images in sorted(root.glob("*-images-idx3-ubyte*")):
        word = images.name.split("-", 1)[0]
        labels = root / images.name.replace("images-idx3", "labels-idx1")
        if not labels.is_file():
            raise DataError(f"{labels}: missing beside {images.name}; copy it there")
        pictures, numbers = read_idx(images), read_idx(labels)
        if pictures.ndim != 3 or numbers.ndim != 1 or len(pictures) != len(numbers):
            raise DataError(
                f"{images}: {len(pictures)} pictures, but {len(numbers)} labels in {labels.name}; "
                "copy both again"
            )
        for index, (picture, number) in enumerate(zip(pictures, numbers, strict=True)):
            name = f"{word}-{index:05d}"
            yield Row(name, _IDX_PARTS.get(word, ""), str(number), picture)


def read_idx(path: Path) -> Shaped[np.ndarray, "*sizes"]:
    """Read an idx file of unsigned bytes, compressed or not.

    Raises:
        DataError: It is no such file, or cut off.

    Source: LeCun, "The MNIST database", section on file formats: 0, 0, type 8, rank, sizes (big
    endian), data.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        zero, kind, rank = struct.unpack_from(">HBB", content)
        sizes = struct.unpack_from(f">{rank}I", content, 4)
    except (gzip.BadGzipFile, EOFError, struct.error, OSError) as error:
        raise DataError(f"{path}: damaged ({error}); copy it again") from error
    data = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    if zero != 0 or kind != 8 or data.size != np.prod(sizes):
        raise DataError(
            f"{path}: no idx file of bytes, or cut off: {data.size} values for sizes {sizes}; "
            "copy it again"
        )
    return data.reshape(sizes)
