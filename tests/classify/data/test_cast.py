"""Casts: sets whose classes mean what they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from classify.data import Pictures
from classify.data.cast import SETS, TARGET, anybody, look_alike, main, others
from classify.preprocessing import Preprocessing


def drawn(make, count: int = 60) -> list:
    return [make(np.random.default_rng(seed)) for seed in range(count)]


def near(color, other) -> bool:
    return max(abs(a - b) for a, b in zip(color, other, strict=True)) < 60


def test_the_classes_of_every_set_differ_in_what_they_are_named_after() -> None:
    assert all(who.female for who in drawn(SETS["gender"]["female"]))
    assert not any(who.female for who in drawn(SETS["gender"]["male"]))
    for who in drawn(SETS["looks"]["similar"]):
        assert near(who.hair, TARGET.hair)
        assert near(who.clothes, TARGET.clothes)
    assert sum(near(who.hair, TARGET.hair) for who in drawn(SETS["looks"]["dissimilar"])) < 10
    assert {who.style for who in drawn(SETS["styles"]["anime"])} == {"anime"}
    assert {who.style for who in drawn(SETS["styles"]["cartoon"])} == {"cartoon"}


def test_the_target_is_in_its_class_alone_and_others_hold_look_alikes() -> None:
    assert set(drawn(SETS["target"]["mona"], 3)) == {TARGET}
    crowd = drawn(others)
    assert TARGET not in crowd
    assert 10 < sum(near(who.hair, TARGET.hair) for who in crowd) < 35
    assert any(who.hat == "witch" for who in crowd)  # the hat alone does not tell
    assert all(who.hat != "witch" for who in drawn(look_alike))
    assert len({who.hair for who in drawn(anybody)}) == 60


def test_sets_are_written_as_class_folders(tmp_path: Path, capsys) -> None:
    words = [str(tmp_path / "cast"), "--sets", "gender", "target", "--count", "3", "--side", "32"]
    main(words)
    assert "3 portraits of each of mona, others" in capsys.readouterr().out
    small = Preprocessing(size=(32, 32), channels=3)
    for name in ("gender", "target"):
        collection = Pictures(root=str(tmp_path / "cast" / name)).read(small)
        assert collection.examples.counts() == dict.fromkeys(sorted(SETS[name]), 3)
        assert len(set(collection.examples.fingerprints())) == 6
    assert not (tmp_path / "cast" / "looks").exists()
