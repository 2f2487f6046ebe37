"""Clicks go to the middle of what they are meant for."""

from __future__ import annotations

import numpy as np

from colorize.cartoon.points import clicks


def test_the_largest_segments_are_clicked_in_their_middles() -> None:
    segments = np.zeros((20, 40), dtype=np.int32)
    segments[:, 30:] = 7
    segments[4:9, 3:8] = 3  # its middle is (6, 5)
    color = np.zeros((20, 40, 3), dtype=np.uint8)
    color[segments == 7] = (1, 2, 255)
    color[segments == 3] = (16, 32, 48)
    color[6, 5] = 200  # a speck
    found = clicks(segments, color, 3)
    assert [each[2] for each in found] == ["#000000", "#0102ff", "#102030"]
    assert found[2][:2] == (6, 5)
    y, x, _ = found[1]
    assert segments[y, x] == 7
    assert min(x - 29, 40 - x) == 5
    assert clicks(segments, color, 1) == found[:1]
