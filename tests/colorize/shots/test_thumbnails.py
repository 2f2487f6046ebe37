from __future__ import annotations

import cv2
import numpy as np
import pytest

from colorize.shots.thumbnails import Grain, differences, is_blank, thumbnail


def blots(seed: int) -> np.ndarray:
    """The thumbnail's own size with blots larger than its blur: nothing is lost on the way."""
    return np.repeat(np.repeat(np.random.default_rng(seed).random((3, 4)), 6, 0), 8, 1)


def test_a_thumbnail_is_the_blurred_picture_without_its_mean() -> None:
    expected = cv2.GaussianBlur(blots(0), (3, 3), 0)
    small = thumbnail(blots(0).astype(np.float32))
    np.testing.assert_allclose(small, expected - expected.mean(), atol=1e-6)


@pytest.mark.parametrize("size", [(720, 1280), (719, 1283), (480, 854), (90, 40)])
def test_bytes_and_floats_of_any_size_agree(size: tuple[int, int]) -> None:
    large = cv2.resize(blots(1), size[::-1], interpolation=cv2.INTER_LINEAR)
    expected = cv2.resize(large, (32, 18), interpolation=cv2.INTER_AREA)
    expected = cv2.GaussianBlur(expected, (3, 3), 0)
    expected -= expected.mean()
    for luma in (large.astype(np.float32), np.round(large * 255).astype(np.uint8)):
        # Some pixels of the right and lower edge are left out.
        np.testing.assert_allclose(thumbnail(luma), expected, atol=0.04)
        assert np.abs(thumbnail(luma) - expected).mean() < 0.006


def test_differences_are_correlation_times_changed_area() -> None:
    pictures = np.stack([thumbnail(blots(seed).astype(np.float32)) for seed in range(4)])
    grain = 0.01
    found = differences(pictures[0], pictures[1:], grain=grain)
    for other, value in zip(pictures[1:], found, strict=True):
        covariance = np.cov([pictures[0].ravel(), other.ravel()], bias=True) + 4 * grain**2
        correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        limit = 0.25 * (covariance[0, 0] * covariance[1, 1]) ** 0.25
        area = np.count_nonzero(np.abs(pictures[0] - other) > limit) / other.size
        assert value == pytest.approx((1 - correlation) * max(0, area - 0.2) / 0.8, abs=1e-9)
    assert found.min() > 0.1


def test_light_makes_no_difference_and_a_small_figure_none() -> None:
    picture = thumbnail(blots(2).astype(np.float32))
    figure = picture.copy()
    figure[4:12, 6:14] += 0.7  # 64 of 576 places
    found = differences(picture, np.stack([0.8 * picture, figure]), grain=0.0)
    assert found.tolist() == pytest.approx([0, 0], abs=1e-5)


def test_grain_is_measured_where_a_drawing_is_held() -> None:
    rng = np.random.default_rng(3)
    level, grain = 0.0, Grain()
    for index in range(60):
        held = thumbnail(blots(index // 2).astype(np.float32))  # drawn on twos
        level = grain.level(held + rng.normal(0, 0.01, held.shape))
    assert level == pytest.approx(0.01, rel=0.15)


def test_grain_is_bounded_and_known_from_the_opening() -> None:
    moving = [thumbnail(blots(seed).astype(np.float32)) for seed in range(5)]
    assert Grain().level(moving[0]) == 0
    assert Grain(moving).level(moving[0]) == pytest.approx(0.02)


def test_black_is_blank_unless_something_rises_above_its_grain() -> None:
    rng = np.random.default_rng(4)
    picture = thumbnail(blots(5).astype(np.float32))
    noise = rng.normal(0, 0.01, picture.shape)
    assert is_blank(np.zeros_like(picture), 0.0)
    assert is_blank(noise, 0.01)
    assert not is_blank(noise, 0.0)
    assert not is_blank(0.1 * picture + noise, 0.01)
    speck = np.zeros_like(picture)
    speck[3, 3] = 0.9
    assert is_blank(speck, 0.0)
