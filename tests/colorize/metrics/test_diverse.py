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
    ClipMetric,
    Metric,
    ShotMeasurement,
    measure,
    measure_variants,
    split_metrics,
)
from colorize.metrics.colorfulness import Colorfulness, ColorfulnessError, colorfulness
from colorize.metrics.distribution import ColorDistribution
from colorize.metrics.diverse import _check, best_output
from colorize.metrics.lab import DeltaE2000, MseLab
from colorize.metrics.psnr import Psnr
from colorize.metrics.ssim import Ssim
from colorize.metrics.warp_error import WarpError

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


def _film(frames: int = 7, k: int = 2) -> dict[str, torch.Tensor]:
    """Return a film of noise and K colourings of it."""
    generator = torch.Generator().manual_seed(8)
    truth = torch.rand(frames, 3, 40, 48, generator=generator)
    outputs = torch.rand(frames, k, 3, 40, 48, generator=generator)
    return {"gray": truth.mean(dim=1, keepdim=True), "outputs": outputs, "truth": truth}


def _alone(metric: ClipMetric, film: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return metric.conclude(metric.observe(film, metric.prepare(truth)))


CLIP_METRICS = {"warp": WarpError(), "cdc": ColorDistribution()}


def test_the_rows_of_a_shot_are_those_of_each_colouring_alone() -> None:
    film = _film()
    shot = ShotMeasurement(CLIP_METRICS)
    shot.add(**film)
    rows = shot.values()
    assert list(rows) == [GRAY, MEAN, FIRST, TRUTH]
    for key, metric in CLIP_METRICS.items():
        gray = film["gray"].expand(-1, 3, -1, -1)
        by_k = [_alone(metric, each, film["truth"]) for each in film["outputs"].unbind(1)]
        expected = {
            GRAY: _alone(metric, gray, film["truth"]),
            MEAN: (by_k[0] + by_k[1]) / 2,
            FIRST: by_k[0],
            TRUTH: _alone(metric, film["truth"], film["truth"]),
        }
        for row, values in expected.items():
            assert values.isfinite().any()
            torch.testing.assert_close(rows[row][key], values, equal_nan=True)


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_chunks_give_the_values_of_the_whole_shot(length: int) -> None:
    film = _film(k=1)
    whole, parts = ShotMeasurement(CLIP_METRICS), ShotMeasurement(CLIP_METRICS)
    whole.add(**film)
    for start in range(0, 7, length):
        parts.add(**{name: frames[start : start + length] for name, frames in film.items()})
    expected, values = whole.values(), parts.values()
    assert list(values) == [GRAY, COLORIZED, TRUTH]
    for row, by_key in expected.items():
        for key in by_key:
            torch.testing.assert_close(values[row][key], by_key[key], equal_nan=True)


def test_metrics_of_equal_basis_prepare_the_truth_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = []
    prepare = WarpError.prepare
    monkeypatch.setattr(
        WarpError,
        "prepare",
        lambda self, truth: prepared.append(len(truth)) or prepare(self, truth),
    )
    shot = ShotMeasurement({"rgb": WarpError(), "ab": WarpError(space="ab")})
    film = _film()
    for start, stop in ((0, 4), (4, 7)):
        shot.add(**{name: frames[start:stop] for name, frames in film.items()})
    assert prepared == [4, 4]  # the second chunk with the last frame of the first
    assert shot.values()[FIRST]["ab"].shape == (7,)


def test_a_shot_outside_the_range_is_refused() -> None:
    film = _film()
    film["outputs"][3, 1] += 1
    with pytest.raises(ValueError, match=r"predicted frames: expected RGB in \[0, 1\]"):
        ShotMeasurement(CLIP_METRICS).add(**film)


def test_metrics_are_split_by_what_they_look_at() -> None:
    of_frames, of_clips = split_metrics({"psnr": Psnr(), **CLIP_METRICS})
    assert (list(of_frames), list(of_clips)) == (["psnr"], ["warp", "cdc"])
