from __future__ import annotations

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from colorize.metrics.psnr import Psnr, psnr


def test_a_hand_computed_error() -> None:
    truth = torch.full((2, 3, 4, 5), 0.5)
    prediction = truth.clone()
    prediction[0] += 0.1  # MSE 0.01 -> 20 dB
    prediction[1, 0] += 0.1  # one channel of three: MSE 0.01 / 3 -> 20 + 10 log10(3)
    torch.testing.assert_close(
        psnr(prediction, truth), torch.tensor([20.0, 24.771213]).double(), atol=1e-5, rtol=0
    )


def test_it_equals_scikit_image_frame_by_frame() -> None:
    generator = torch.Generator().manual_seed(1)
    truth = torch.rand(3, 3, 24, 31, generator=generator)
    prediction = (truth + 0.2 * torch.randn(truth.shape, generator=generator)).clamp(0, 1)
    expected = [
        peak_signal_noise_ratio(true.double().numpy(), predicted.double().numpy(), data_range=1.0)
        for true, predicted in zip(truth, prediction, strict=True)
    ]
    values = psnr(prediction, truth)
    assert values.dtype == torch.float64
    torch.testing.assert_close(values, torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(psnr(prediction[1:2], truth[1:2]), values[1:2])


@pytest.mark.parametrize("offset", [0.0, 1e-6])
def test_identical_frames_count_as_100_db(offset: float) -> None:
    frames = torch.full((1, 3, 4, 4), 0.5, dtype=torch.float64)
    assert psnr(frames + offset, frames).item() == 100.0


def test_the_module_calls_the_function_and_says_its_unit() -> None:
    frames = torch.full((1, 3, 4, 4), 0.25)
    metric = Psnr()
    assert metric(frames + 0.1, frames).item() == pytest.approx(20.0, abs=1e-5)
    assert (metric.name, metric.better) == ("PSNR (dB) ↑", "higher")
    assert "100 dB" in metric.note
