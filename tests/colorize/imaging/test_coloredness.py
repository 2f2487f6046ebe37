"""What counts as a frame in colour."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from colorize.imaging.coloredness import clearly_colored, is_colored
from tests.colorize.media.films import gray_ramp


def gray(size: tuple[int, int] = (90, 160)) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.clip(gray_ramp(size, 0) + random.normal(0, 6, (*size, 1)), 0, 255).astype(np.uint8)


def with_patch(share: float) -> np.ndarray:
    """A gray frame with a red patch on a share of it."""
    picture = gray()
    rows = round(90 * share**0.5)
    columns = round(160 * share**0.5)
    picture[:rows, :columns] = (200, 40, 40)
    return picture


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_patch_of_colour_is_colour(share: float) -> None:
    assert is_colored(with_patch(share))
    assert is_colored(with_patch(share).astype(np.uint16) * 257)


def test_gray_and_a_speck_of_colour_are_not() -> None:
    assert not is_colored(gray())
    assert not is_colored(with_patch(0.01))
    assert not is_colored(gray((3, 2)))
    assert not is_colored(np.full((40, 60, 3), 128, np.uint8))


def test_a_smaller_share_may_be_asked_for() -> None:
    assert is_colored(with_patch(0.01), share=0.005)
    assert not is_colored(gray(), share=0.005)


def test_a_tint_is_not_colour() -> None:
    luma = gray()[..., :1] / 255.0
    sepia = np.clip(luma * [1.07, 0.98, 0.8], 0, 1)
    night = np.clip(luma**1.4 * [0.55, 0.7, 1.0], 0, 1)
    for tinted in (sepia, night):
        assert np.ptp(tinted, axis=2).max() > 0.15
        assert not is_colored((tinted * 255).round().astype(np.uint8))


def test_a_gray_jpeg_of_low_quality_is_not_colour() -> None:
    buffer = io.BytesIO()
    Image.fromarray(gray()).save(buffer, "JPEG", quality=20)
    assert not is_colored(np.array(Image.open(buffer).convert("RGB")))


def test_a_cartoon_of_few_flat_colours_is_colour() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:, :40], picture[:, 40:] = (90, 140, 210), (140, 125, 100)
    picture[20:40, 30:50] = (230, 190, 60)
    assert is_colored(picture)


def test_pixels_differ_clearly_from_gray_by_three_hundredths_of_chroma() -> None:
    """Blue above gray by 15 of 255 is Cb = 15 (1 - 0.114) / (255 · 1.772) = 0.029, by 16 0.031."""
    pixels = np.full((4, 3), 100, np.uint8)
    pixels[1:, 2] += np.array([15, 16, 90], np.uint8)
    assert clearly_colored(pixels) == 0.5
    assert clearly_colored(pixels.astype(np.uint16) * 257) == 0.5
