"""Pictures are drawn alike or not, whatever their tones are."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.films.plan.drawings import Drawing, left_gray, small
from colorize.media import Frame

SIZE = (108, 192)  # drawings are compared at it: nothing is resized


def frame(luma: np.ndarray, alpha: np.ndarray | None = None) -> Frame:
    return Frame(0, "", np.dstack([luma] * 3).astype(np.uint8), alpha)


def lines(offset: int = 0, *, paper: int = 200) -> np.ndarray:
    """A page with upright lines."""
    page = np.full(SIZE, paper, np.uint8)
    page[:, 6 + offset :: 24] = 20
    return page


def fit(first: Frame, second: Frame) -> float:
    return Drawing.of(first).fit(small(second.gray()))


def test_the_same_lines_fit_whatever_their_tones_and_others_do_not() -> None:
    assert fit(frame(lines()), frame(lines())) == pytest.approx(1, abs=1e-5)
    assert fit(frame(lines(paper=120)), frame(lines())) == pytest.approx(1, abs=1e-4)
    assert fit(frame(255 - lines()), frame(lines())) == pytest.approx(-1, abs=1e-5)
    assert fit(frame(lines(12)), frame(lines())) < 0.1


def test_it_is_the_correlation_of_one_block_where_one_alone_has_lines() -> None:
    first, second = np.full(SIZE, 128, np.uint8), np.full(SIZE, 128, np.uint8)
    first[48:60, 96:108] = np.random.default_rng(1).integers(0, 255, (12, 12))
    second[48:60, 96:108] = np.random.default_rng(2).integers(0, 255, (12, 12)) // 2
    second[48:60, 96:108] += first[48:60, 96:108] // 2
    import cv2

    planes = [each.astype(np.float64) / 255 for each in (first, second)]
    high = [each - cv2.GaussianBlur(each, (0, 0), 3) for each in planes]
    scores = []
    for top in range(0, 108, 12):
        for left in range(0, 192, 12):
            a, b = (each[top : top + 12, left : left + 12] for each in high)
            if max((a**2).mean(), (b**2).mean()) > 1e-4:
                scores.append((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
    assert len(scores) < 10  # the block, and what its blur reaches
    assert fit(frame(first), frame(second)) == pytest.approx(np.mean(scores), abs=1e-4)
    assert 0.3 < np.mean(scores) < 0.95


def test_what_is_transparent_is_not_compared() -> None:
    alpha = np.full(SIZE, 255, np.uint8)
    alpha[:, 96:] = 0
    half = lines()
    half[:, 96:] = np.random.default_rng(0).integers(0, 255, (108, 96))
    assert fit(frame(half, alpha), frame(lines())) == pytest.approx(1, abs=0.02)
    assert fit(frame(half), frame(lines())) < 0.7
    assert fit(frame(half, 0 * alpha), frame(lines())) == 0


def test_pages_without_lines_are_alike_where_they_are_as_bright() -> None:
    gray = np.full(SIZE, 100)
    assert fit(frame(gray), frame(gray + 5)) == 1
    assert fit(frame(gray), frame(gray + 50)) == 0


def test_what_is_as_gray_as_the_frame_was_left_unpainted() -> None:
    luma = np.full((2, 6), 0.5, np.float32)
    luma[1, 5] = 0.05  # a line
    picture = np.repeat(luma[..., None], 3, axis=2)
    picture[0, 0] = (0.9, 0.4, 0.1)  # painted
    picture[0, 1] = 0.7  # painted gray
    picture[0, 2] = (0.51, 0.5, 0.49)  # what compression does to gray
    expected = [[False, False, True, True, True, True], [True] * 5 + [False]]
    np.testing.assert_array_equal(left_gray(picture, luma), expected)


def test_the_share_left_gray_is_of_what_is_shown() -> None:
    page, alpha = np.full(SIZE, 128), np.full(SIZE, 255, np.uint8)
    alpha[:, 144:] = 0
    rgb = np.dstack([page] * 3).astype(np.uint8)
    rgb[:, :96] = (200, 100, 20)
    shown = Drawing.of(Frame(0, "", rgb, alpha))
    assert shown.gray_share(small(frame(page).gray())) == pytest.approx(48 / 144, abs=0.01)
