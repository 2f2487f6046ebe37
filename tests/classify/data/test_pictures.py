"""Labelled pictures, wherever they lie."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from classify.data import DataError, Pictures
from classify.preprocessing import Preprocessing
from colorize.base.progress import Event, Remark, listening
from tests.classify.data.test_entries import write_tar, write_zip
from tests.classify.data.test_tables import fer_row, write_idx
from tests.classify.samples import class_folders, noise, png
from tests.places import SHARED

SMALL = Preprocessing(size=(12, 12), channels=3)
DATA = SHARED / "data"


def read(root: Path, **settings):
    return Pictures(root=str(root), **settings).read(SMALL)


def test_class_folders_with_a_broken_file(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", count=3)
    (root / "cat" / "broken.png").write_bytes(b"nothing")
    (root / "dog" / "cut.png").write_bytes(png(noise(1, (64, 64)))[:2000])
    heard: list[Event] = []
    with listening(heard.append):
        collection = read(root)
    assert collection.examples.counts() == {"cat": 3, "dog": 3}
    assert set(collection.skipped) == {"cat/broken.png", "dog/cut.png"}
    told = [event.text for event in heard if isinstance(event, Remark)]
    assert any("cat/broken.png is not a picture" in text for text in told)
    assert collection.label == "pets: 6 pictures of 2 classes"
    assert collection.examples.name(0) == "cat/000.png"


def test_an_archive_and_a_folder_around_it_equal_the_folder(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", count=2)
    tree = {
        path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.png"))
    }
    expected = read(root).examples
    (tmp_path / "around").mkdir()
    for archive in (
        write_zip(tmp_path / "pets.zip", tree),
        write_tar(tmp_path / "pets.tar.gz", tree),
    ):
        assert read(archive).examples.digest() == expected.digest()
    shutil.copy(tmp_path / "pets.tar.gz", tmp_path / "around")
    assert read(tmp_path / "around").examples.digest() == expected.digest()
    write_zip(tmp_path / "around" / "b.zip", tree)
    with pytest.raises(DataError, match=r"holds 2 archives; name one, for example data\.root="):
        read(tmp_path / "around")


def test_csv_and_idx_become_planes_of_the_network(tmp_path: Path) -> None:
    (tmp_path / "fer").mkdir()
    (tmp_path / "fer" / "train.csv").write_text("emotion,pixels\n" + fer_row(5, 4))
    (tmp_path / "fer" / "test.csv").write_text("emotion,pixels\n" + fer_row(5, 5) + "\n9,1")
    collection = Pictures(root=str(tmp_path / "fer")).read(Preprocessing(size=(48, 48), channels=1))
    assert sorted(collection.parts) == ["test", "train"]
    assert list(collection.skipped) == ["test.csv:3"]
    pixels = {part: collection.examples.pixels[i, 0] for i, part in enumerate(collection.parts)}
    np.testing.assert_array_equal(pixels["train"], noise(4, (48, 48), channels=1))
    write_idx(tmp_path / "train-images-idx3-ubyte", noise(1, (12, 12), channels=1)[None])
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.array([4], np.uint8))
    assert read(tmp_path).examples.counts() == {"4": 1}


def test_the_order_of_classes_can_be_given(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", count=1)
    assert read(root, classes=["dog", "cat"]).examples.labels.tolist() == [1, 0]
    with pytest.raises(DataError, match=r"class 'dog' is none of data\.classes; did you mean 'do'"):
        read(root, classes=["cat", "do"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing", None, r"missing: no such data; pass data\.root="),
        ("notes.txt", b"x", r"notes\.txt: no known kind of data; expected a folder, or one of"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, name, content, message) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"x")
    with pytest.raises(DataError, match="no picture could be read"):
        read(tmp_path)


@pytest.mark.shared
def test_the_digits_that_are_here() -> None:
    if not (DATA / "mnist").is_dir():
        pytest.skip("no ../shared/data/mnist beside the checkout")
    collection = Pictures(root=str(DATA / "mnist")).read(Preprocessing(size=(28, 28), channels=1))
    assert len(collection.examples) == 20000
    assert collection.parts.count("test") == 10000
    # LeCun's page and every count since: the test set holds 1135 ones and 892 fives.
    labels = collection.examples.labels[[part == "test" for part in collection.parts]]
    assert [int((labels == digit).sum()) for digit in (1, 5)] == [1135, 892]
