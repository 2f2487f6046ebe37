"""Luma and depth of a frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from colorize.media import Frame


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_pixels_keep_their_exact_value(dtype: type) -> None:
    top = np.iinfo(dtype).max
    values = np.arange(0, top + 1, 1 + top // 300).astype(dtype)
    frame = Frame(index=0, name="", rgb=np.repeat(values[None, :, None], 3, axis=2))
    np.testing.assert_array_equal(frame.gray()[0], (values / top).astype(np.float32))


def test_gray_is_opencvs() -> None:
    rgb = np.random.default_rng(0).random((9, 11, 3), dtype=np.float32)
    rgb16 = np.rint(rgb * 65535).astype(np.uint16)
    expected = cv2.cvtColor((rgb16 / 65535).astype(np.float32), cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(Frame(index=0, name="", rgb=rgb16).gray(), expected, atol=1e-6)


def test_with_rgb_keeps_the_rest_and_matches_alpha() -> None:
    rgb, alpha = np.zeros((2, 3, 3), np.uint8), np.array([[0, 1, 2], [128, 254, 255]], np.uint8)
    frame = Frame(index=4, name="a 1.png", rgb=rgb, alpha=alpha)
    deep = frame.with_rgb(np.full((2, 3, 3), 40000, np.uint16))
    assert (deep.index, deep.name, deep.rgb[0, 0, 0]) == (4, "a 1.png", 40000)
    assert deep.alpha is not None
    assert deep.alpha.dtype == np.uint16
    assert deep.alpha.tolist() == [[0, 257, 514], [32896, 65278, 65535]]
    flat = deep.with_rgb(rgb)
    np.testing.assert_array_equal(flat.alpha, alpha)


def test_with_rgb_refuses_another_size() -> None:
    frame = Frame(index=0, name="", rgb=np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"\(2, 3, 3\), its colours \(4, 3, 3\)"):
        frame.with_rgb(np.zeros((4, 3, 3), np.uint8))
