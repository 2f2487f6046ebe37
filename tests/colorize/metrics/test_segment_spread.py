from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorize.cartoon import CartoonSeries
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.imaging.segments import watershed
from colorize.metrics import GRAY, TRUTH, ClipMetric, Metric, measure_variants
from colorize.metrics.segment_spread import SegmentSpread, segment_spread


def _frames(count: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, 9, 12, generator=generator, dtype=torch.float64)


@pytest.fixture(scope="module")
def truth() -> torch.Tensor:
    """Return three frames of a cartoon in [0, 1]."""
    series = CartoonSeries(seed=1, size=(54, 96), shots=1, frames_per_shot=3, effects=False)
    return torch.from_numpy(series.color(0)).permute(0, 3, 1, 2).float() / 255


def test_it_equals_a_loop_over_segments() -> None:
    frames = _frames()
    labels = np.random.default_rng(0).integers(0, 5, (2, 9, 12), dtype=np.int32)
    expected = []
    for frame, regions in zip(frames.numpy(), labels, strict=True):
        ab = rgb2lab(frame, channel_axis=0)[1:]
        deviations, areas = [], []
        for label in range(5):
            inside = ab[:, regions == label]
            deviations.append(np.sqrt(inside[0].var() + inside[1].var()))
            areas.append(inside.shape[1])
        expected.append(np.average(deviations, weights=areas))
    values = segment_spread(frames, torch.from_numpy(labels))
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-4)


def test_two_colours_in_a_quarter_by_hand() -> None:
    frame = torch.full((1, 3, 4, 4), 0.5, dtype=torch.float64)
    frame[0, :, :2, 0] = torch.tensor([0.9, 0.1, 0.1], dtype=torch.float64)[:, None]
    labels = torch.ones(1, 4, 4, dtype=torch.int32)
    labels[0, :2, :2] = 0  # two red and two gray pixels, in a quarter of the picture
    red, gray = rgb2lab(np.array([[[0.9, 0.1, 0.1], [0.5, 0.5, 0.5]]]))[0]
    # Halfway between two colours both are half their distance away; the rest is flat.
    expected = np.hypot(*(red - gray)[1:]) / 2 / 4
    assert expected > 5
    assert segment_spread(frame, labels).item() == pytest.approx(expected, rel=1e-4)


def test_labels_that_a_frame_lacks_weigh_nothing() -> None:
    frames = _frames()
    labels = torch.zeros(2, 9, 12, dtype=torch.int32)
    labels[1, 4:] = 7
    alone = segment_spread(frames[:1], labels[:1])
    torch.testing.assert_close(segment_spread(frames, labels)[:1], alone)


def test_the_segments_are_the_true_frames(truth: torch.Tensor) -> None:
    labels = [watershed((f * 255).round().byte().permute(1, 2, 0).numpy()) for f in truth]
    expected = segment_spread(truth, torch.from_numpy(np.stack(labels)))
    torch.testing.assert_close(SegmentSpread()(truth, truth), expected)
    assert expected.min() > 1


def test_blotches_spread_more_than_the_truth_and_pale_colours_less(truth: torch.Tensor) -> None:
    luma, chroma = rgb_to_luma(truth), rgb_to_chroma(truth)
    coarse = torch.randn(3, 2, 6, 10, generator=torch.Generator().manual_seed(0))
    blotches = torch.nn.functional.interpolate(coarse, size=truth.shape[-2:], mode="bilinear")
    metric = SegmentSpread()
    own = metric(truth, truth)
    assert (metric(join_in_gamut(luma, chroma + 0.15 * blotches), truth) > own).all()
    assert (metric(join_in_gamut(luma, 0.5 * chroma), truth) < own).all()
    assert (metric(luma.expand(-1, 3, -1, -1), truth) < 0.01).all()


def test_a_frame_is_segmented_once_for_all_colourings(
    truth: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(
        "colorize.metrics.segment_spread.watershed", lambda f: seen.append(f) or watershed(f)
    )
    metric = SegmentSpread()
    outputs = torch.stack([truth * 0.5, truth * 0.7, truth * 0.9], dim=1)
    rows = measure_variants({"x": metric}, gray=truth[:, :1], outputs=outputs, truth=truth)
    assert len(seen) == len(truth)
    torch.testing.assert_close(rows[TRUTH]["x"], SegmentSpread()(truth, truth))
    assert rows[GRAY]["x"].max() < rows[TRUTH]["x"].min()
    changed = truth.clone()
    changed[1] = changed[1].flip(-1)
    before = len(seen)
    torch.testing.assert_close(metric(truth, changed), SegmentSpread()(truth, changed))
    assert len(seen) - before == 2 * len(truth)  # once by each of the two


def test_it_is_a_metric_of_single_frames(truth: torch.Tensor) -> None:
    metric = SegmentSpread()
    assert isinstance(metric, Metric)
    assert not isinstance(metric, ClipMetric)
    assert metric.better == "closer"
    values = metric(truth, truth)
    assert (values.shape, values.dtype) == ((3,), torch.float64)
