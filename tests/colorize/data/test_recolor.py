"""Recolouring: hues by hand, and a luma that stays."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from colorize.data.recolor import Recoloring, draw_recoloring
from colorize.imaging.color import join, rgb_to_luma


def frames(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random luma in [0, 1] and chroma, of which none is nearly gray."""
    random = torch.Generator().manual_seed(0)
    luma = torch.rand(*shape[:-2], 1, *shape[-2:], generator=random)
    angle = math.tau * torch.rand(*shape, generator=random)
    radius = 0.05 + 0.4 * torch.rand(*shape, generator=random)
    return luma, torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-3)


def hue(chroma: torch.Tensor) -> np.ndarray:
    """Degrees."""
    cb, cr = chroma.double().unbind(-3)
    return np.degrees(np.arctan2(cr.numpy(), cb.numpy()))


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Degrees in [-180, 180)."""
    return (first - second + 180) % 360 - 180


def test_a_turn_by_120_degrees_turns_each_hue_by_120_degrees() -> None:
    luma, chroma = frames(2, 6, 7)
    result = Recoloring(turn=math.tau / 3)(luma, chroma)
    np.testing.assert_allclose(difference(hue(result), hue(chroma)), 120, atol=1e-3)
    torch.testing.assert_close(result.norm(dim=-3), chroma.norm(dim=-3))


def test_a_mirror_runs_the_circle_backwards_before_the_turn() -> None:
    luma, chroma = frames(5, 5)
    result = Recoloring(turn=0.5, mirror=True)(luma, chroma)
    expected = math.degrees(0.5) - hue(chroma)
    np.testing.assert_allclose(difference(hue(result), expected), 0, atol=1e-3)


def test_waves_and_tilt_add_their_angles() -> None:
    luma, chroma = frames(2, 5, 5)
    made = Recoloring(turn=0.2, waves=((0.3, 1.0), (0.4, -2.0)), tilt=0.8, gain=0.7)
    old = np.radians(hue(chroma))
    angle = 0.2 + 0.3 * np.sin(old + 1.0) + 0.4 * np.sin(2 * old - 2.0)
    angle += 0.8 * (luma.squeeze(-3).numpy() - 0.5)
    turned = difference(hue(made(luma, chroma)), hue(chroma) + np.degrees(angle))
    np.testing.assert_allclose(turned, 0, atol=1e-3)
    torch.testing.assert_close(made(luma, chroma).norm(dim=-3), 0.7 * chroma.norm(dim=-3))


def test_one_colour_of_one_brightness_stays_one_colour() -> None:
    made = draw_recoloring(np.random.default_rng(3))
    chroma = torch.tensor([0.2, -0.1]).view(2, 1, 1).expand(4, 2, 3, 3)
    result = made(torch.full((4, 1, 3, 3), 0.3), chroma)
    assert float(result.flatten(2).std(dim=2).max()) < 1e-7
    assert not torch.allclose(result, chroma, atol=0.01)


def test_gray_stays_gray() -> None:
    made = draw_recoloring(np.random.default_rng(0))
    assert not made(torch.rand(1, 1, 4, 4), torch.zeros(1, 2, 4, 4)).any()


@pytest.mark.parametrize("seed", range(5))
def test_the_luma_of_recoloured_frames_is_unchanged(seed: int) -> None:
    luma, chroma = frames(3, 8, 9)
    result = join(luma, draw_recoloring(np.random.default_rng(seed))(luma, chroma))
    torch.testing.assert_close(rgb_to_luma(result), luma, rtol=0, atol=1e-6)


def test_draws_have_the_stated_shares_and_ranges() -> None:
    random = np.random.default_rng(0)
    drawn = [draw_recoloring(random) for _ in range(4000)]
    shares = {
        "mirrored": np.mean([each.mirror for each in drawn]),
        "waved": np.mean([each.waves[0][0] != 0 for each in drawn]),
        "tilted": np.mean([each.tilt != 0 for each in drawn]),
    }
    assert shares == pytest.approx(dict.fromkeys(shares, 0.5), abs=0.03)
    turns = np.array([each.turn for each in drawn])
    quarters = np.histogram(turns, bins=4, range=(0, math.tau))[0] / len(drawn)
    assert quarters.sum() == 1
    np.testing.assert_allclose(quarters, 0.25, atol=0.03)
    gains = np.array([each.gain for each in drawn])
    assert gains.min() >= 0.6
    assert gains.max() <= 1.15
    assert gains.mean() == pytest.approx(0.875, abs=0.01)


def test_the_same_generator_draws_the_same_map() -> None:
    first, again, other = (draw_recoloring(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
