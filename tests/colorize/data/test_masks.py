"""What references show of their pictures."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.data.masks import draw_hints, draw_parts
from colorize.imaging.segments import watershed

PICTURE = np.zeros((48, 72, 3), np.uint8)
PICTURE[:, 24:48] = (200, 80, 40)
PICTURE[:24, 48:] = (30, 90, 220)


def test_hints_are_few_and_small_more_often_than_not() -> None:
    masks = [draw_hints(PICTURE, np.random.default_rng(seed)) for seed in range(200)]
    for mask in masks:
        assert mask.shape == PICTURE.shape[:2]
        assert mask.dtype == np.float32
        assert set(np.unique(mask)) <= {0.0, 1.0}
        assert mask.any()
    # Joined components: never more than were drawn.
    counts = [cv2.connectedComponents(mask.astype(np.uint8))[0] - 1 for mask in masks]
    assert max(counts) <= 30
    assert sum(count <= 5 for count in counts) > 100
    assert sum(count > 10 for count in counts) > 10


def test_fills_cover_whole_segments() -> None:
    labels = watershed(PICTURE)
    whole = 0
    for seed in range(120):
        mask = draw_hints(PICTURE, np.random.default_rng(seed))
        for label in range(labels.max() + 1):
            whole += bool(mask[labels == label].all())
    assert whole > 20


def test_parts_are_made_of_segments_or_of_a_box() -> None:
    labels = watershed(PICTURE)
    by_segments = shares = 0
    for seed in range(80):
        mask = draw_parts(PICTURE, np.random.default_rng(seed))
        assert set(np.unique(mask)) <= {0.0, 1.0}
        assert mask.mean() >= 0.02
        means = [mask[labels == label].mean() for label in range(labels.max() + 1)]
        by_segments += set(means) <= {0.0, 1.0}
        shares += mask.mean() < 1
    assert 20 < by_segments < 80
    assert shares > 60


def test_a_mask_is_that_of_its_seed() -> None:
    for draw in (draw_hints, draw_parts):
        one, same, other = (draw(PICTURE, np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)
