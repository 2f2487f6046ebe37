"""Colour conversions against scikit-image, OpenCV and values worked out by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.color
import torch

from colorize.imaging import color

_SEED = 3


def _random_rgb(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(_SEED)
    return torch.rand(*shape, generator=generator, dtype=dtype)


def _picture(rgb: torch.Tensor) -> np.ndarray:
    """Return one ``3 h w`` tensor as the ``h w 3`` array that OpenCV and scikit-image take."""
    return np.ascontiguousarray(rgb.permute(1, 2, 0).numpy())


def _chroma_angle(chroma: torch.Tensor) -> torch.Tensor:
    return torch.atan2(chroma[:, 1], chroma[:, 0])


def test_luma_is_opencvs_gray() -> None:
    rgb = _random_rgb(3, 13, 17, dtype=torch.float32)
    expected = cv2.cvtColor(_picture(rgb), cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(color.rgb_to_luma(rgb)[0].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("rgb", "luma", "cb", "cr"),
    [
        ((1.0, 0.0, 0.0), 0.299, -0.299 / 1.772, 0.5),
        ((0.0, 0.0, 1.0), 0.114, 0.5, -0.114 / 1.402),
        ((0.0, 1.0, 0.0), 0.587, -0.587 / 1.772, -0.587 / 1.402),
        ((0.5, 0.5, 0.5), 0.5, 0.0, 0.0),
    ],
)
def test_luma_and_chroma_by_hand(
    rgb: tuple[float, float, float], luma: float, cb: float, cr: float
) -> None:
    pixel = torch.tensor(rgb, dtype=torch.float64).reshape(3, 1, 1)
    assert color.rgb_to_luma(pixel).item() == pytest.approx(luma, abs=1e-12)
    assert color.rgb_to_chroma(pixel).flatten().tolist() == pytest.approx([cb, cr], abs=1e-12)


def test_chroma_is_opencvs_full_range() -> None:
    rgb = _random_rgb(3, 13, 17, dtype=torch.float32)
    # OpenCV orders Y', Cr, Cb, centres chroma on 0.5, and rounds its factors to 3 digits.
    expected = cv2.cvtColor(_picture(rgb), cv2.COLOR_RGB2YCrCb)[..., [2, 1]] - 0.5
    actual = color.rgb_to_chroma(rgb).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(actual, expected, atol=5e-4)


def test_join_undoes_the_split() -> None:
    rgb = _random_rgb(2, 4, 3, 7, 5)
    joined = color.join(color.rgb_to_luma(rgb), color.rgb_to_chroma(rgb))
    torch.testing.assert_close(joined, rgb, rtol=0, atol=1e-12)


def test_join_broadcasts_one_luma_over_many_chromas() -> None:
    luma, chroma = _random_rgb(2, 1, 1, 4, 6), _random_rgb(2, 5, 2, 4, 6) - 0.5
    joined = color.join(luma, chroma)
    assert joined.shape == (2, 5, 3, 4, 6)
    torch.testing.assert_close(joined[1, 3], color.join(luma[1, 0], chroma[1, 3]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_join_in_gamut_keeps_luma_and_hue_and_stays_in_the_cube(dtype: torch.dtype) -> None:
    luma, chroma = _random_rgb(4, 1, 32, 32, dtype=dtype), _random_rgb(4, 2, 32, 32, dtype=dtype)
    chroma = chroma - 0.5
    free = color.join(luma, chroma)
    assert ((free < 0) | (free > 1)).any(dim=1).double().mean() > 0.3  # the case is exercised
    joined = color.join_in_gamut(luma, chroma)
    assert joined.min() >= 0
    assert joined.max() <= 1
    torch.testing.assert_close(color.rgb_to_luma(joined), luma, rtol=0, atol=1e-6)
    kept = color.rgb_to_chroma(joined)
    visible = kept.norm(dim=1) > 0.01
    turned = (_chroma_angle(kept) - _chroma_angle(chroma))[visible]
    assert torch.cos(turned).min() > 1 - 1e-6


def test_join_in_gamut_leaves_colours_inside_the_cube_alone() -> None:
    rgb = _random_rgb(2, 3, 9, 9)
    joined = color.join_in_gamut(color.rgb_to_luma(rgb), color.rgb_to_chroma(rgb))
    torch.testing.assert_close(joined, rgb, rtol=0, atol=1e-12)


def test_join_in_gamut_by_hand() -> None:
    # Y' = 0.8, Cr = 0.5: R - Y' = 0.701 has room for 0.2 only, so chroma shrinks by 0.2 / 0.701.
    luma = torch.full((1, 1, 1), 0.8, dtype=torch.float64)
    chroma = torch.tensor([0.0, 0.5], dtype=torch.float64).reshape(2, 1, 1)
    red, green, blue = color.join_in_gamut(luma, chroma).flatten().tolist()
    assert (red, blue) == pytest.approx((1.0, 0.8), abs=1e-12)
    assert green == pytest.approx(0.8 - 0.299 * 0.2 / 0.587, abs=1e-12)


def test_displayable_keeps_the_luma_or_clips() -> None:
    outputs, gray = 3 * _random_rgb(2, 4, 3, 8, 8) - 1, _random_rgb(2, 1, 8, 8)
    kept = color.displayable(outputs, gray, luma="keep")
    torch.testing.assert_close(
        color.rgb_to_luma(kept), gray.unsqueeze(1).expand(-1, 4, -1, -1, -1), rtol=0, atol=1e-6
    )
    free = color.displayable(outputs, gray, luma="free")
    np.testing.assert_array_equal(free.numpy(), np.clip(outputs.numpy(), 0, 1))


def test_lab_is_scikit_images() -> None:
    rgb = _random_rgb(3, 24, 24)
    rgb[:, :2] *= 0.03  # the linear part of both curves
    expected = skimage.color.rgb2lab(_picture(rgb))
    actual = color.rgb_to_lab(rgb).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(actual, expected, atol=1e-3)


def test_lab_to_rgb_is_scikit_images_and_undoes_rgb_to_lab() -> None:
    rgb = _random_rgb(3, 24, 24)
    lab = skimage.color.rgb2lab(_picture(rgb))
    actual = color.lab_to_rgb(torch.from_numpy(lab).permute(2, 0, 1))
    np.testing.assert_allclose(_picture(actual), skimage.color.lab2rgb(lab), atol=1e-4)
    again = color.lab_to_rgb(color.rgb_to_lab(rgb))
    torch.testing.assert_close(again, rgb, rtol=0, atol=1e-6)


@pytest.mark.parametrize("function", [color.rgb_to_lab, color.lab_to_rgb, color.rgb_to_chroma])
def test_gradients_of_conversions(function) -> None:  # type: ignore[no-untyped-def]
    values = 0.1 + 0.8 * _random_rgb(3, 2, 3)
    if function is color.lab_to_rgb:
        values = skimage.color.rgb2lab(_picture(values)).transpose(2, 0, 1).copy()
        values = torch.from_numpy(values)
    assert torch.autograd.gradcheck(function, values.requires_grad_())


@pytest.mark.parametrize("function", [color.join, color.join_in_gamut])
def test_gradients_of_joining(function) -> None:  # type: ignore[no-untyped-def]
    luma = (0.2 + 0.6 * _random_rgb(1, 3, 4)).requires_grad_()
    chroma = (_random_rgb(2, 3, 4) - 0.5).requires_grad_()
    assert torch.autograd.gradcheck(function, (luma, chroma))


def test_lab_gradient_of_black_and_white_is_finite() -> None:
    rgb = torch.tensor([0.0, 1.0]).expand(3, 1, 2).clone().requires_grad_()
    color.rgb_to_lab(rgb).sum().backward()
    assert torch.isfinite(rgb.grad).all()
