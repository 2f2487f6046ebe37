from __future__ import annotations

import pytest
import torch

from colorize.metrics import (
    BEST,
    COLORIZED,
    FIRST,
    GRAY,
    MEAN,
    TRUTH,
    Colorfulness,
    ColorfulnessError,
    DeltaE2000,
    Metric,
    MseLab,
    Psnr,
    Ssim,
    measure,
    measure_variants,
)
from colorize.metrics.colorfulness import colorfulness
from colorize.metrics.diverse import _check, best_output

OFFSETS = torch.tensor([[0.1, 0.01, 0.2], [0.02, 0.04, 0.08]])  # frame x k, added to each channel


def _flat() -> dict[str, torch.Tensor]:
    """Return two mid-gray frames and K = 3 outputs that are off by a known amount."""
    truth = torch.full((2, 3, 12, 12), 0.5, dtype=torch.float64)
    outputs = truth[:, None] + OFFSETS.double()[:, :, None, None, None]
    return {"gray": truth[:, :1] + 0.25, "outputs": outputs, "truth": truth}


def _decibels(offset: float) -> float:
    return -20 * torch.tensor(offset, dtype=torch.float64).log10().item()


def test_the_rows_of_three_outputs_by_hand() -> None:
    rows = measure_variants({"psnr": Psnr()}, **_flat())
    first, best = (0.1, 0.02), (0.01, 0.02)
    assert list(rows) == [GRAY, MEAN, FIRST, BEST]
    assert rows[GRAY]["psnr"].tolist() == pytest.approx([_decibels(0.25)] * 2)
    assert rows[FIRST]["psnr"].tolist() == pytest.approx([_decibels(x) for x in first], abs=1e-5)
    assert rows[BEST]["psnr"].tolist() == pytest.approx([_decibels(x) for x in best], abs=1e-5)
    # The mean of the values, not the value of the mean picture.
    means = [sum(map(_decibels, offsets)) / 3 for offsets in OFFSETS.tolist()]
    assert rows[MEAN]["psnr"].tolist() == pytest.approx(means, abs=1e-5)


def test_all_columns_of_the_best_row_belong_to_the_picture_of_the_highest_psnr() -> None:
    generator = torch.Generator().manual_seed(6)
    truth = torch.rand(4, 3, 16, 16, generator=generator)
    noise = torch.randn(4, 3, 3, 16, 16, generator=generator)
    outputs = truth[:, None] + noise * torch.tensor([0.3, 0.1, 0.2])[None, :, None, None, None]
    outputs = outputs.clamp(0, 1)
    outputs[2, [0, 1]] = outputs[2, [1, 0]]
    metrics = {"ssim": Ssim(), "mse_lab": MseLab()}
    rows = measure_variants(metrics, gray=truth[:, :1], outputs=outputs, truth=truth)
    chosen = [1, 1, 0, 1]
    assert best_output(outputs, truth).tolist() == chosen
    pictures = torch.stack([outputs[frame, k] for frame, k in enumerate(chosen)])
    for key, values in measure(metrics, pictures, truth).items():
        torch.testing.assert_close(rows[BEST][key], values)
        assert not torch.equal(rows[FIRST][key], values)


def test_a_tie_takes_the_lowest_k() -> None:
    truth = torch.full((1, 3, 4, 4), 0.5)
    outputs = torch.stack([truth + 0.2, truth + 0.1, truth + 0.1], dim=1)
    assert best_output(outputs, truth).tolist() == [1]


def test_one_output_gives_one_row_and_closer_metrics_their_goal() -> None:
    truth = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(7))
    metrics = {"psnr": Psnr(), "colorfulness": Colorfulness()}
    rows = measure_variants(metrics, gray=truth[:, :1], outputs=0.5 * truth[:, None], truth=truth)
    assert list(rows) == [GRAY, COLORIZED, TRUTH]
    assert list(rows[TRUTH]) == ["colorfulness"]
    torch.testing.assert_close(rows[TRUTH]["colorfulness"], colorfulness(truth))
    torch.testing.assert_close(rows[COLORIZED]["colorfulness"], 0.5 * colorfulness(truth))


@pytest.mark.parametrize("value", [1.5, -0.01, float("nan")])
def test_pictures_outside_the_range_are_refused(value: float) -> None:
    truth = torch.full((1, 3, 4, 4), 0.5)
    bad = truth.clone()
    bad[0, 1, 2, 3] = value
    with pytest.raises(ValueError, match=r"predicted frames: expected RGB in \[0, 1\], got"):
        measure({"psnr": Psnr()}, bad, truth)
    with pytest.raises(ValueError, match=r"true frames: expected RGB in \[0, 1\], got"):
        measure({"psnr": Psnr()}, truth, bad)


@pytest.mark.parametrize(
    "metric", [Psnr, Ssim, MseLab, DeltaE2000, Colorfulness, ColorfulnessError]
)
def test_every_metric_keeps_the_protocol_and_gives_one_double_a_frame(metric: type) -> None:
    frames = torch.rand(3, 3, 12, 14, generator=torch.Generator().manual_seed(11))
    assert isinstance(metric(), Metric)
    values = metric()(frames, frames.flip(0))
    assert (values.shape, values.dtype) == ((3,), torch.float64)


def test_frames_of_another_size_or_count_are_refused() -> None:
    truth = torch.full((2, 3, 4, 4), 0.5)
    for prediction in (truth[:1], truth[..., :3]):
        with pytest.raises(ValueError, match=r"bring both to one size and count"):
            # Run-time shape checks of the tests would stop it before the message for users.
            _check(prediction, truth)
