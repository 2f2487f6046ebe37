"""Examples: what they show, in memory and on disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from classify.data.examples import PixelStore
from tests.classify.samples import examples, noise


def test_examples_show_their_pixels_in_the_order_asked_for() -> None:
    made = examples({"a": 2, "b": 3})
    assert made.counts() == {"a": 2, "b": 3}
    taken = made.take([4, 0])
    np.testing.assert_array_equal(taken.pictures([0, 1])[0, 0], noise(4, (6, 5), channels=1))
    np.testing.assert_array_equal(taken.pictures([0, 1])[1, 0], noise(0, (6, 5), channels=1))
    assert taken.labels.tolist() == [1, 0]
    assert taken.name(0) == "b-4"


def test_variants_are_rendered_from_their_seed_and_leave_the_pixels_alone() -> None:
    made = examples({"a": 3})
    varied = replace(
        made,
        variants=np.array([0, 7, 0]),
        render=lambda picture, seed: np.full_like(picture, seed),
    )
    shown = varied.pictures([0, 1, 2])
    assert (shown[1] == 7).all()
    np.testing.assert_array_equal(shown[2], made.pictures([2])[0])
    assert not (made.pixels[1] == 7).all()
    assert varied.name(1) == "a-1, variant 7"
    assert varied.fingerprints() == made.fingerprints()


def test_the_digest_follows_pixels_labels_and_order() -> None:
    made = examples({"a": 2, "b": 2})
    assert made.digest() == examples({"a": 2, "b": 2}).digest()
    others = [made.take([1, 0, 2, 3]), replace(made, labels=made.labels[::-1].copy())]
    assert len({made.digest(), *(other.digest() for other in others)}) == 3


def test_a_store_on_disk_holds_what_one_in_memory_holds() -> None:
    pictures = [noise(seed, (4, 4), channels=1)[None] for seed in range(9)]
    results = []
    for limit in (1 << 20, 40):
        store = PixelStore((1, 4, 4), limit=limit)
        for picture in pictures:
            store.add(picture)
        results.append(store.finish())
    np.testing.assert_array_equal(results[0], np.stack(pictures))
    np.testing.assert_array_equal(results[1], results[0])
    assert isinstance(results[1], np.memmap)
    assert PixelStore((1, 2, 2)).finish().shape == (0, 1, 2, 2)
