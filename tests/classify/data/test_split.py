"""Splits: stratified, seeded, and without a picture in two parts."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classify.data import Balance, Collection, DataError, Examples, Pictures, Split
from classify.data.examples import plain_examples
from classify.preprocessing import Preprocessing
from tests.classify.data.test_entries import write_zip
from tests.classify.samples import examples
from tests.places import SHARED

DATA = SHARED / "data"


def collection(made, parts=None) -> Collection:
    return Collection(
        examples=made, parts=parts or [""] * len(made), skipped={}, label="made for a test"
    )


def test_fractions_of_every_class() -> None:
    parts = Split(test_fraction=0.25, val_fraction=0.2)(collection(examples({"a": 40, "b": 20})))
    assert parts.test.counts() == {"a": 10, "b": 5}
    assert parts.val.counts() == {"a": 6, "b": 3}
    assert parts.train.counts() == {"a": 24, "b": 12}
    everything = [parts.train, parts.val, parts.test]
    prints = [print_ for part in everything for print_ in part.fingerprints()]
    assert len(prints) == len(set(prints)) == 60


def test_a_seed_fixes_the_split() -> None:
    made = collection(examples({"a": 30, "b": 30}))
    digests = [Split(val_fraction=0.2, seed=seed)(made).train.digest() for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


def test_parts_that_the_data_names_are_kept() -> None:
    made = examples({"a": 10, "b": 10})
    named = ["train"] * 8 + ["test"] * 2 + ["train"] * 8 + ["test"] * 2
    parts = Split(val_fraction=0.25)(collection(made, named))
    assert {parts.test.name(index) for index in range(4)} == {"a-8", "a-9", "b-18", "b-19"}
    assert parts.val.counts() == {"a": 2, "b": 2}
    named = ["val" if index % 10 == 0 else part for index, part in enumerate(named)]
    parts = Split(val_fraction=0.25)(collection(made, named))
    assert [parts.val.name(index) for index in range(2)] == ["a-0", "b-10"]


def test_a_picture_that_is_measured_never_trains() -> None:
    made = examples({"a": 12, "b": 12})
    pixels = made.pixels.copy()
    pixels[3] = pixels[11]  # a training picture that is also a test picture
    pixels[13] = pixels[12]  # twice in training, which harms nothing but a validation cut
    doubled = plain_examples(pixels, labels=made.labels, names=made.names, classes=made.classes)
    named = (["train"] * 10 + ["test"] * 2) * 2
    for seed in range(5):
        parts = Split(val_fraction=0.3, seed=seed)(collection(doubled, named))
        seen = set(parts.train.fingerprints())
        assert not seen & set(parts.test.fingerprints())
        assert not seen & set(parts.val.fingerprints())
        assert not set(parts.val.fingerprints()) & set(parts.test.fingerprints())
        assert parts.dropped >= 1
        assert len(parts.test) == 4


def test_balancing_touches_the_training_part_alone() -> None:
    made = collection(examples({"rare": 20, "common": 100}))
    plain = Split(val_fraction=0.2)(made)
    parts = Split(val_fraction=0.2)(made, Balance())
    assert plain.train.counts() == parts.original == {"rare": 13, "common": 64}
    assert parts.train.counts() == {"rare": 64, "common": 64}
    for part, same in ((parts.val, plain.val), (parts.test, plain.test)):
        assert part.digest() == same.digest()
        assert not part.variants.any()
    assert not set(parts.train.fingerprints()) & set(parts.test.fingerprints())


def test_the_leaking_protocol_leaks_and_says_so() -> None:
    made = collection(examples({"rare": 10, "common": 200}))
    parts = Split(val_fraction=0.2, protocol="leaking")(made, Balance())
    assert parts.protocol == "leaking"
    assert parts.test.variants.any()
    assert set(parts.train.fingerprints()) & set(parts.test.fingerprints())


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_fractions_that_cut_nothing_or_all(fraction: float) -> None:
    with pytest.raises(ValueError, match=rf"split\.val_fraction is {fraction}: expected more"):
        Split(val_fraction=fraction)


def test_a_part_or_a_class_without_pictures_is_refused() -> None:
    made = examples({"a": 3, "b": 3})
    with pytest.raises(DataError, match="the training part holds no picture"):
        Split(val_fraction=0.5)(collection(made, ["val", "test", "test"] * 2))
    with pytest.raises(DataError, match="class 'c' has no picture to train on"):
        Split(val_fraction=0.4)(collection(replace(made, classes=("a", "b", "c"))))
    assert np.array_equal(made.labels, [0, 0, 0, 1, 1, 1])


def some_faces(archive: Path) -> dict[str, bytes]:
    """Return the files of FER-2013 that are in both of its parts, and some others."""
    with tarfile.open(archive) as faces:
        files = {
            item.name: faces.extractfile(item).read() for item in faces if item.name.endswith("jpg")
        }
    parts: dict[bytes, set[str]] = {}
    for name, content in files.items():
        parts.setdefault(content, set()).add(name.split("/")[0])
    return {
        name: content
        for number, (name, content) in enumerate(files.items())
        if len(parts[content]) == 2 or number % 60 == 0
    }


@pytest.mark.shared
def test_no_file_of_the_emotions_test_part_is_seen_in_training(tmp_path: Path) -> None:
    archive = DATA / "fer2013" / "fer2013.tar.gz"
    if not archive.is_file():
        pytest.skip("no ../shared/data/fer2013 beside the checkout")
    files = some_faces(archive)
    collection = Pictures(root=str(write_zip(tmp_path / "faces.zip", files))).read(
        Preprocessing(size=(48, 48), channels=1)
    )
    balance = Balance(rare="disgust", like="surprise")
    parts = Split(val_fraction=0.2)(collection, balance)

    def contents(part: Examples) -> set[bytes]:
        return {files[part.names[row]] for row in part.rows}

    given = {content for name, content in files.items() if name.startswith("test/")}
    leaked = {content for name, content in files.items() if name.startswith("train/")} & given
    assert len(leaked) > 300  # FER-2013 itself leaks
    assert contents(parts.test) == given
    assert not contents(parts.train) & given
    assert not contents(parts.val) & given
    assert not contents(parts.train) & contents(parts.val)
    assert parts.train.variants.any()
    assert not parts.test.variants.any()
