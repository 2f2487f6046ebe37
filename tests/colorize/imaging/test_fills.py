"""Regions of drawings made by hand: what a click takes, what stops it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from colorize.imaging.fills import find_regions


def boxes(gap: int = 0) -> np.ndarray:
    """Return two light boxes side by side on darker ground, inked, the line between with a gap."""
    gray = np.full((120, 200), 0.55, np.float32)
    gray[20:100, 20:180] = 0.8
    for row in (20, 100):
        cv2.line(gray, (20, row), (180, row), 0.1, 3)
    for column in (20, 100, 180):
        cv2.line(gray, (column, 20), (column, 100), 0.1, 3)
    if gap:
        gray[60 : 60 + gap, 98:103] = 0.8
    return gray


@pytest.mark.parametrize("gap", [0, 1, 2, 3])
def test_that_a_click_fills_one_box_although_its_line_has_a_gap(gap: int) -> None:
    mask = find_regions(boxes(gap)).at(50, 60)
    assert mask[24:97, 24:97].mean() > 0.99
    assert mask[24:97, 105:177].mean() < 0.01
    assert mask[:17].sum() == 0


def test_that_lines_belong_to_what_is_beside_them() -> None:
    regions = find_regions(boxes())
    assert regions.at(50, 60)[60, 22]
    together = regions.at(50, 60) | regions.at(50, 140) | regions.at(5, 5)
    assert together.mean() > 0.99


def test_that_a_step_without_a_line_bounds_a_region() -> None:
    gray = np.full((90, 120), 0.4, np.float32)
    gray[:, 60:] = 0.46
    mask = find_regions(gray).at(40, 20)
    assert mask[:, :58].all()
    assert not mask[:, 62:].any()


def test_that_grain_and_gradients_make_no_regions() -> None:
    rng = np.random.default_rng(4)
    ramp = np.linspace(0.3, 0.7, 160, dtype=np.float32)
    gray = np.tile(ramp, (100, 1)) + rng.normal(0, 0.02, (100, 160)).astype(np.float32)
    assert find_regions(gray).at(50, 80).mean() > 0.95


def test_that_levels_are_made_of_whole_regions_of_the_one_before() -> None:
    rng = np.random.default_rng(8)
    blotches = cv2.GaussianBlur(rng.uniform(0, 1, (100, 140)).astype(np.float32), (0, 0), 3.0)
    regions = find_regions((blotches - blotches.min()) / np.ptp(blotches))
    count = int(regions.finest.max()) + 1
    assert np.array_equal(np.unique(regions.finest), np.arange(count))
    assert np.array_equal(regions.levels[0], np.arange(count))
    assert len(np.unique(regions.levels[-1])) < count
    for finer, coarser in zip(regions.levels, regions.levels[1:], strict=False):
        assert np.array_equal(np.unique(coarser), np.arange(coarser.max() + 1))
        for label in range(int(finer.max()) + 1):
            assert len(np.unique(coarser[finer == label])) == 1


def test_that_a_frame_of_one_gray_is_one_region() -> None:
    regions = find_regions(np.full((40, 50), 0.5, np.float32))
    assert regions.at(3, 4).all()
    assert int(regions.finest.max()) == 0
