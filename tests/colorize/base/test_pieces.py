from __future__ import annotations

import pytest

from colorize.base.pieces import middles, pieces


@pytest.mark.parametrize(
    ("start", "stop", "longest", "expected"),
    [
        (3, 10, 3, [[3, 4, 5], [6, 7, 8], [9]]),
        (0, 4, 2, [[0, 1], [2, 3]]),
        (5, 6, 240, [[5]]),
        (2, 2, 4, []),
    ],
)
def test_pieces_by_hand(start: int, stop: int, longest: int, expected: list[list[int]]) -> None:
    assert [list(piece) for piece in pieces(start, stop, longest)] == expected


def test_middles_by_hand() -> None:
    assert middles(10, 2) == [2, 7]
    assert middles(7, 1) == [3]
    assert middles(2, 5) == [0, 1]
    assert middles(0, 4) == []
