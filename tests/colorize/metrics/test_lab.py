from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize.metrics.lab import DeltaE2000, MseLab, ciede2000, delta_e_2000, mse_lab

# Sharma, Wu and Dalal 2005, table 1: pairs 1, 4, 7, 9, 11, 13, 17, 19, 20, 25, 29, 32 and 34, among
# them those where the hue difference wraps (9 and 11 lie on both sides of 180 degrees; 10 lies on
# it exactly, where rounding decides).
SHARMA = [
    ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
    ((50.0000, -1.3802, -84.2814), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, 0.0000, 0.0000), (50.0000, -1.0000, 2.0000), 2.3669),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0009), 7.1792),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0011), 7.2195),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0009, -2.4900), 4.8045),
    ((50.0000, 2.5000, 0.0000), (73.0000, 25.0000, -18.0000), 27.1492),
    ((50.0000, 2.5000, 0.0000), (56.0000, -27.0000, -3.0000), 31.9030),
    ((50.0000, 2.5000, 0.0000), (58.0000, 24.0000, 15.0000), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def _frames() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    truth = torch.rand(2, 3, 5, 6, generator=generator, dtype=torch.float64)
    noise = torch.randn(truth.shape, generator=generator, dtype=torch.float64)
    return (truth + 0.1 * noise).clamp(0, 1), truth


def test_mse_lab_equals_a_loop_over_pixels() -> None:
    prediction, truth = _frames()
    expected = []
    for frame, true in zip(prediction.numpy(), truth.numpy(), strict=True):
        lab, true_lab = (rgb2lab(picture, channel_axis=0) for picture in (frame, true))
        total = 0.0
        for y in range(5):
            for x in range(6):
                (l0, a0, b0), (l1, a1, b1) = lab[:, y, x], true_lab[:, y, x]
                total += (l0 / 100 - l1 / 100) ** 2
                total += ((a0 + 128) / 255 - (a1 + 128) / 255) ** 2
                total += ((b0 + 128) / 255 - (b1 + 128) / 255) ** 2
        expected.append(total / (3 * 5 * 6))
    np.testing.assert_allclose(mse_lab(prediction, truth).numpy(), expected, rtol=1e-4)


def test_mse_lab_of_black_against_white_by_hand() -> None:
    black, white = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    # L differs by 100, a and b hardly: (1² + 0 + 0) / 3.
    assert mse_lab(black, white).item() == pytest.approx(1 / 3, abs=1e-5)


def test_ciede2000_equals_the_published_pairs() -> None:
    lab, other, expected = (torch.tensor(column).double() for column in zip(*SHARMA, strict=True))
    differences = ciede2000(lab.T[None, :, None], other.T[None, :, None])
    torch.testing.assert_close(differences[0, 0], expected, atol=5e-5, rtol=0)


def test_delta_e_is_the_mean_over_pixels() -> None:
    prediction, truth = _frames()
    labs = [
        [rgb2lab(frame.permute(1, 2, 0).numpy()) for frame in frames]
        for frames in (prediction, truth)
    ]
    expected = [deltaE_ciede2000(lab, true).mean() for lab, true in zip(*labs, strict=True)]
    values = delta_e_2000(prediction, truth)
    np.testing.assert_allclose(values.numpy(), expected, atol=2e-3)
    torch.testing.assert_close(delta_e_2000(prediction[1:], truth[1:]), values[1:])


@pytest.mark.parametrize("metric", [MseLab(), DeltaE2000()])
def test_a_nearer_colour_is_better(metric: torch.nn.Module) -> None:
    prediction, truth = _frames()
    assert metric.better == "lower"
    assert (metric((prediction + truth) / 2, truth) < metric(prediction, truth)).all()
    assert metric(truth, truth).tolist() == [0.0, 0.0]
