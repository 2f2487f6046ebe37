"""Painted pictures: colours under a drawing get its lines, and keep what is transparent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.base.errors import UserError
from colorize.inference.painted import on_drawing, read_painted
from colorize.media import Frame
from colorize.media.pictures.openraster import COLORS, DRAWING, LUMINOSITY, Layer, encode_openraster
from tests.colorize.films.drawn import write_frames

LUMA = np.array([0.299, 0.587, 0.114])
SIZE = (30, 44)
GENERATOR = np.random.default_rng(4)
GRAY = GENERATOR.integers(90, 150, SIZE, dtype=np.uint8)
LINES = np.repeat(GRAY[..., None], 3, axis=2)
FLAT = np.full((*SIZE, 3), (150, 110, 100), np.uint8)
ALPHA = np.where(np.arange(SIZE[1]) < 20, 255, 0).astype(np.uint8) * np.ones((SIZE[0], 1), np.uint8)


def chroma(rgb: np.ndarray) -> np.ndarray:
    """Red and blue less luma: Cr and Cb but for constants."""
    flat = rgb.astype(float)
    return np.stack([flat[..., 0], flat[..., 2]], axis=-1) - (flat @ LUMA)[..., None]


def test_paint_under_a_drawing_has_its_luma_and_its_own_chroma(tmp_path: Path) -> None:
    path = tmp_path / "frame_0001.ora"
    layers = [
        Layer(DRAWING, LINES, operation=LUMINOSITY),
        Layer(COLORS, FLAT, ALPHA),
    ]
    path.write_bytes(encode_openraster(layers, merged=LINES))
    read = read_painted(path)
    assert read.alpha is not None
    assert (read.alpha == ALPHA).all()
    assert np.abs(read.rgb @ LUMA - GRAY).max() <= 1
    assert np.abs(chroma(read.rgb) - chroma(FLAT)).max() <= 1.5
    assert np.abs(chroma(FLAT)).max() > 20


def test_paint_without_a_drawing_stays_to_the_pixel(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    path.write_bytes(encode_openraster([Layer("paint", FLAT, ALPHA)], merged=LINES))
    read = read_painted(path)
    assert (read.rgb == FLAT).all()
    assert read.alpha is not None
    assert (read.alpha == ALPHA).all()


def test_a_png_with_transparency_keeps_every_pixel(tmp_path: Path) -> None:
    rgb = GENERATOR.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    alpha = GENERATOR.integers(0, 256, SIZE, dtype=np.uint8)
    Image.fromarray(np.dstack([rgb, alpha])).save(tmp_path / "a.png")
    read = read_painted(tmp_path / "a.png")
    assert (read.rgb == rgb).all()
    assert read.alpha is not None
    assert (read.alpha == alpha).all()


def test_paint_of_another_size_is_brought_to_that_of_the_drawing() -> None:
    small = Frame(0, "", FLAT[::2, ::2].copy(), ALPHA[::2, ::2].copy())
    read = on_drawing(small, Frame(0, "", LINES))
    assert read.rgb.shape == LINES.shape
    assert read.alpha is not None
    assert (read.alpha == ALPHA).all()


def test_folders_are_no_pictures(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "frames", [GRAY])
    with pytest.raises(UserError, match="is a folder: references are pictures"):
        read_painted(folder)
