from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from colorize.metrics.ssim import Ssim, ssim


def _frames(count: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    truth = torch.rand(count, 3, 19, 23, generator=generator)
    noise = torch.randn(truth.shape, generator=generator)
    return (truth + 0.1 * noise).clamp(0, 1), truth


def _wang(x: np.ndarray, y: np.ndarray) -> float:
    """Write out Wang et al., eqs. 13-17, with plain convolutions of an 11x11 Gaussian."""
    axis = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(axis, axis) / axis.sum() ** 2

    def mean(values: np.ndarray) -> np.ndarray:
        return convolve2d(values, window, mode="valid")

    mean_x, mean_y = mean(x), mean(y)
    variance_x, variance_y = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    structure = (2 * covariance + 0.03**2) / (variance_x + variance_y + 0.03**2)
    return float((luminance * structure).mean())


def test_it_equals_the_written_out_formula() -> None:
    prediction, truth = _frames()
    expected = [
        np.mean([_wang(p, t) for p, t in zip(frame, true, strict=True)])
        for frame, true in zip(prediction.double().numpy(), truth.double().numpy(), strict=True)
    ]
    values = ssim(prediction, truth)
    np.testing.assert_allclose(values.numpy(), expected, atol=1e-10)
    assert ssim(prediction[1:], truth[1:]).item() == pytest.approx(values[1].item(), abs=1e-12)


def test_flat_pictures_by_hand() -> None:
    low, high = torch.full((1, 3, 16, 16), 0.2), torch.full((1, 3, 16, 16), 0.6)
    # No variance: only (2·0.2·0.6 + 0.0001) / (0.2² + 0.6² + 0.0001) remains.
    assert ssim(low, high).item() == pytest.approx(0.2401 / 0.4001, abs=1e-6)


def test_less_noise_is_more_similar() -> None:
    prediction, truth = _frames()
    metric = Ssim()
    half = (prediction + truth) / 2
    assert (metric(half, truth) > metric(prediction, truth)).all()
    assert metric(truth, truth).tolist() == pytest.approx([1.0, 1.0])
    assert metric.better == "higher"


def test_frames_smaller_than_the_window_are_refused() -> None:
    small = torch.rand(1, 3, 10, 40)
    with pytest.raises(ValueError, match=r"10x40 pixels are smaller than its 11-pixel window"):
        ssim(small, small)
