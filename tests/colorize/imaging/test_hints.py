"""Hints spread to the next line, and no further than what is known lets them."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.imaging.hints import spread_hints

# Two flat halves with a step of luma between them.
LUMA = np.full((12, 20), 0.3, np.float32)
LUMA[:, 10:] = 0.8
RED, BLUE = np.float32([-0.1, 0.3]), np.float32([0.3, -0.1])


def dots() -> tuple[np.ndarray, np.ndarray]:
    """One of red on the left, one of blue on the right."""
    hints, shown = np.zeros((*LUMA.shape, 2), np.float32), np.zeros(LUMA.shape, bool)
    for column, color in ((3, RED), (16, BLUE)):
        hints[6, column], shown[6, column] = color, True
    return hints, shown


def solved(firmness: float, *, spread: float = 0.1, prior: float = 0.0) -> np.ndarray:
    hints, shown = dots()
    known = np.full_like(hints, prior)
    unsure = np.full(LUMA.shape, spread, np.float32)
    return spread_hints(LUMA, hints, shown, prior=known, spread=unsure, firmness=firmness)


def test_without_a_prior_a_dot_fills_its_side_of_the_line() -> None:
    found = solved(0.0)
    np.testing.assert_allclose(found[:, :9], np.broadcast_to(RED, (12, 9, 2)), atol=0.03)
    np.testing.assert_allclose(found[:, 11:], np.broadcast_to(BLUE, (12, 9, 2)), atol=0.03)


def test_the_equations_hold_as_written_pixel_by_pixel() -> None:
    """Solved densely from the definition: weights by luma and its variance in the 3 by 3 window."""
    random = np.random.default_rng(0)
    luma = random.random((5, 6)).astype(np.float32)
    prior = (random.random((5, 6, 2)) - 0.5).astype(np.float32)
    unsure = (0.05 + 0.2 * random.random((5, 6))).astype(np.float32)
    hints, shown = np.zeros_like(prior), np.zeros(luma.shape, bool)
    hints[1, 2], shown[1, 2] = RED, True
    matrix, known = np.zeros((30, 30)), np.zeros((30, 2))
    for y in range(5):
        for x in range(6):
            row = 6 * y + x
            matrix[row, row] = 1
            if shown[y, x]:
                known[row] = hints[y, x]
                continue
            around = [
                (v, u)
                for v in range(max(0, y - 1), min(5, y + 2))
                for u in range(max(0, x - 1), min(6, x + 2))
            ]
            padded = np.pad(luma.astype(float), 1, mode="edge")[y : y + 3, x : x + 3]
            others = [place for place in around if place != (y, x)]
            squares = np.array([(float(luma[p]) - float(luma[y, x])) ** 2 for p in others])
            width = max(0.6 * padded.var(), -squares.min() / np.log(0.01), 2e-6)
            weights = np.exp(-squares / width)
            for place, weight in zip(others, weights / weights.sum(), strict=True):
                matrix[row, 6 * place[0] + place[1]] -= weight
            held = 1e-3 / float(unsure[y, x]) ** 2
            matrix[row, row] += held
            known[row] = held * prior[y, x]
    expected = np.linalg.solve(matrix, known).reshape(5, 6, 2)
    found = spread_hints(luma, hints, shown, prior=prior, spread=unsure, firmness=1e-3)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_surer_the_prior_the_less_far_a_dot_reaches() -> None:
    reach = [
        np.abs(solved(1e-4, spread=spread, prior=0.05)[6, 8] - 0.05).max()
        for spread in (0.5, 0.05, 0.005)
    ]
    assert reach[0] > 0.2 > reach[1] > reach[2]
    assert reach[2] < 0.01
    assert np.allclose(solved(1e-4, spread=0.005, prior=0.05)[6, 3], RED)


def test_without_hints_all_is_as_known() -> None:
    prior = np.full((*LUMA.shape, 2), 0.07, np.float32)
    none = np.zeros(LUMA.shape, bool)
    unsure = np.full(LUMA.shape, 0.1, np.float32)
    found = spread_hints(LUMA, np.zeros_like(prior), none, prior=prior, spread=unsure)
    np.testing.assert_allclose(found, prior, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_frames_of_any_size_are_solved(size: tuple[int, int]) -> None:
    luma = np.linspace(0, 1, size[0] * size[1], dtype=np.float32).reshape(size)
    prior = np.full((*size, 2), 0.1, np.float32)
    shown = np.zeros(size, bool)
    shown[0, 0] = True
    unsure = np.full(size, 0.1, np.float32)
    found = spread_hints(luma, 0 * prior, shown, prior=prior, spread=unsure)
    assert found.shape == (*size, 2)
    assert np.isfinite(found).all()
