from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from colorize.metrics import ClipMetric
from colorize.metrics.distribution import (
    ColorDistribution,
    color_distribution_consistency,
    histograms,
    jensen_shannon,
)


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def _fading(frames: int) -> torch.Tensor:
    """Return frames whose colours drift a little each time."""
    start = 0.5 * _random(1, 3, 12, 16)
    drift = torch.tensor([0.05, 0.02, 0.0])[None, :, None, None]
    return (start + torch.arange(frames)[:, None, None, None] * drift).clamp(0, 1)


def _value(frames: torch.Tensor) -> float:
    metric = ColorDistribution()
    return metric.conclude(metric.observe(frames, metric.prepare(frames)))[-1].item()


def test_histograms_are_those_of_numpy() -> None:
    frames = _random(2, 3, 7, 9)
    found = histograms(frames).numpy()
    for index in np.ndindex(2, 3):
        values = np.rint(frames[index].numpy() * 255).astype(int).ravel()
        np.testing.assert_allclose(found[index], np.bincount(values, minlength=256) / 63)


def test_the_divergence_is_the_square_of_scipys_distance() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.dirichlet(np.full(20, 0.3), size=(2, 5))
    first[:, :3] = 0  # some empty bins
    first /= first.sum(axis=1, keepdims=True)
    found = jensen_shannon(torch.from_numpy(first), torch.from_numpy(second))
    expected = [jensenshannon(p, q) ** 2 for p, q in zip(first, second, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_distributions_apart_diverge_by_the_logarithm_of_two() -> None:
    first, second = torch.eye(4)[0].double(), torch.tensor([0.0, 0.5, 0.5, 0]).double()
    assert jensen_shannon(first, second).item() == pytest.approx(math.log(2))
    half = torch.tensor([0.5, 0.5, 0, 0]).double()
    # ½·ln(1 / ¾) + ½·(½·ln(½ / ¾) + ½·ln(½ / ¼))
    expected = 0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3) + 0.25 * math.log(2)
    assert jensen_shannon(first, half).item() == pytest.approx(expected)


def test_a_shot_equals_a_plain_computation() -> None:
    frames = _random(7, 3, 10, 11, seed=3) ** torch.linspace(1, 3, 7)[:, None, None, None]
    bytes_ = np.rint(frames.numpy() * 255).astype(int)
    steps = []
    for distance in (1, 2, 4):
        for channel in range(3):
            counts = [np.bincount(f[channel].ravel(), minlength=256) for f in bytes_]
            divergences = [
                jensenshannon(counts[t], counts[t + distance]) ** 2 for t in range(7 - distance)
            ]
            steps.append(np.mean(divergences))
    assert _value(frames) == pytest.approx(1000 * np.mean(steps), rel=1e-9)


def test_one_value_a_shot_and_none_for_a_short_one() -> None:
    metric = ColorDistribution()
    for count in (5, 8):
        frames = _fading(count)
        values = metric.conclude(metric.observe(frames, None))
        assert torch.isnan(values).tolist() == [True] * (count - 1) + [False]
    frames = _fading(4)
    assert torch.isnan(metric.conclude(metric.observe(frames, None))).all()
    with pytest.raises(ValueError, match=r"CDC: 4 frames; it needs 5 or more"):
        color_distribution_consistency(histograms(frames))


def test_still_is_zero_and_what_jumps_diverges_more() -> None:
    frames = _fading(8)
    flicker = frames.clone()
    flicker[::2] = flicker[::2].flip(1)
    shuffled = frames[[4, 0, 6, 2, 7, 1, 5, 3]]
    assert _value(frames[:1].expand(6, -1, -1, -1)) == 0
    assert 0 < _value(frames) < _value(shuffled)
    assert _value(frames) < _value(flicker)


def test_it_is_a_clip_metric() -> None:
    metric = ColorDistribution()
    assert isinstance(metric, ClipMetric)
    assert (metric.better, metric.per) == ("closer", "shot")
