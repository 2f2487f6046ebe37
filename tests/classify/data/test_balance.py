"""Synthesis of rare classes: how many, of what, and how they are placed."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import transform

from classify.data import Balance, DataError
from classify.data.balance import placement, vary
from tests.classify.samples import examples, noise


def test_a_rare_class_reaches_the_count_of_another() -> None:
    made = examples({"angry": 9, "disgust": 2, "surprise": 5})
    balanced = Balance(rare="disgust", like="surprise")(made)
    assert balanced.counts() == {"angry": 9, "disgust": 5, "surprise": 5}
    assert (balanced.variants > 0).sum() == 3
    assert set(balanced.labels[balanced.variants > 0]) == {1}
    np.testing.assert_array_equal(balanced.pictures(range(16)), made.pictures(range(16)))
    assert not np.array_equal(balanced.pictures([16])[0], balanced.pixels[balanced.rows[16]])


def test_by_default_the_rarest_follows_the_most_frequent() -> None:
    assert Balance()(examples({"a": 7, "b": 3})).counts() == {"a": 7, "b": 7}
    assert Balance(rare="a", like="b")(examples({"a": 7, "b": 3})).counts() == {"a": 7, "b": 3}


def test_a_seed_fixes_what_is_synthesised() -> None:
    made = examples({"a": 7, "b": 3})
    pictures = [Balance(seed=seed)(made).pictures(range(10, 14)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_placement_is_a_similarity_about_the_centre() -> None:
    matrix = placement((11, 21), angle=30.0, offset=(2.0, -1.0), factor=1.5)
    centre = np.array([10.0, 5.0])
    # Downward y makes a counter-clockwise turn by 30 degrees [[c, s], [-s, c]].
    turn = np.array([[np.cos(np.pi / 6), 0.5], [-0.5, np.cos(np.pi / 6)]])
    for point in ([10.0, 5.0], [0.0, 0.0], [20.0, 3.0]):
        expected = centre + 1.5 * turn @ (np.array(point) - centre) + [2.0, -1.0]
        np.testing.assert_allclose(matrix @ [*point, 1.0], expected)


def test_varying_moves_the_picture_as_scikit_image_does() -> None:
    picture = np.repeat(np.linspace(0, 255, 30).astype(np.uint8)[None], 24, axis=0)[None]
    varied = vary(picture, 5, rotation=0.0, shift=0.2, scale=0.1)
    random = np.random.default_rng(5)
    random.uniform(-0.0, 0.0)
    offset = (random.uniform(-0.2, 0.2) * 30, random.uniform(-0.2, 0.2) * 24)
    factor = 1 + random.uniform(-0.1, 0.1)
    matrix = np.eye(3)
    matrix[:2] = placement((24, 30), angle=0.0, offset=offset, factor=factor)
    expected = transform.warp(
        picture[0], np.linalg.inv(matrix), order=1, mode="edge", preserve_range=True
    )
    assert np.abs(varied[0] - expected).max() < 2
    assert abs(offset[0]) > 1  # it does move


def test_no_movement_is_the_picture_itself() -> None:
    picture = noise(0, (9, 7), channels=1)[None]
    np.testing.assert_array_equal(vary(picture, 3, rotation=0.0, shift=0.0, scale=0.0), picture)


def test_mistakes() -> None:
    made = examples({"disgust": 3, "surprise": 4})
    with pytest.raises(DataError, match=r"balance\.rare is 'disgus'; did you mean 'disgust'"):
        Balance(rare="disgus")(made)
    with pytest.raises(ValueError, match=r"balance: rotation, shift and scale are 1\.0, 1\.0, 0"):
        Balance(rotation=1.0, shift=1.0, scale=0.0)
    with pytest.raises(DataError, match="class 'surprise' has no picture to vary"):
        Balance(rare="surprise")(made.take([0, 1]))
