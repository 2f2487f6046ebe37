"""Spoilt frames: what stays, what changes, how often, and that one draw is one number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.data.corruption import Corruption

LUMA = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
NOTHING = {"hue": 0.0, "saturation": 0.0, "wash": 0.0, "holes": 0.0, "shift": 0.0}


def frames(count: int = 1, size: tuple[int, int] = (24, 32)) -> torch.Tensor:
    """Smooth colours well inside the gamut."""
    coarse = 0.35 + 0.3 * torch.rand(count, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")


def known(count: int) -> torch.Tensor:
    return torch.ones(count, dtype=torch.bool)


def luma(color: torch.Tensor) -> torch.Tensor:
    return (color * LUMA).sum(dim=1)


@pytest.mark.parametrize("seed", range(5))
def test_luma_stays_and_colours_stay_in_gamut(seed: int) -> None:
    color = frames(4)
    spoilt, kept = Corruption(drop=0.0, each=1.0)(color, known(4), seed=seed)
    assert kept.all()
    torch.testing.assert_close(luma(spoilt), luma(color), atol=1e-5, rtol=0)
    assert spoilt.min() >= 0
    assert spoilt.max() <= 1
    assert (spoilt - color).abs().amax(dim=(1, 2, 3)).min() > 0.02


def test_the_seed_decides_all() -> None:
    color, spoil = frames(3), Corruption()
    first, again = spoil(color, known(3), seed=7), spoil(color, known(3), seed=7)
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], spoil(color, known(3), seed=8)[0])


def test_dropped_frames_are_black_and_as_many_as_asked_for() -> None:
    spoil, color = Corruption(drop=0.3, each=0.0), frames(1, (2, 2)).expand(4000, -1, -1, -1)
    spoilt, kept = spoil(color, known(4000), seed=0)
    assert float(kept.float().mean()) == pytest.approx(0.7, abs=0.03)  # four standard deviations
    assert not spoilt[~kept].any()
    torch.testing.assert_close(spoilt[kept], color[kept], atol=1e-5, rtol=0)


def test_a_frame_that_is_not_known_stays_so() -> None:
    _, kept = Corruption(drop=0.0)(frames(2), torch.tensor([False, True]), seed=0)
    assert kept.tolist() == [False, True]


def polar(color: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Length and angle of (Cb, Cr) of one frame."""
    red, green, blue = color.double().numpy()
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    cb, cr = (blue - y) / 1.772, (red - y) / 1.402
    return np.hypot(cb, cr), np.arctan2(cr, cb)


def test_a_turn_of_the_hue_is_one_angle_and_keeps_saturation() -> None:
    """One flat colour, which bleeding leaves alone."""
    spoil = Corruption(drop=0.0, each=1.0, **(NOTHING | {"hue": 0.1}))
    color = torch.tensor([0.6, 0.5, 0.4]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    spoilt, _ = spoil(color, known(1), seed=0)
    (length, angle), (was, old) = polar(spoilt[0]), polar(color[0])
    np.testing.assert_allclose(length, was, atol=1e-6)
    turn = (angle - old) / (2 * np.pi)
    np.testing.assert_allclose(turn, turn[0, 0], atol=1e-6)
    assert 0.001 < abs(turn[0, 0]) <= 0.1


def test_saturation_is_one_factor() -> None:
    spoil = Corruption(drop=0.0, each=1.0, **(NOTHING | {"saturation": 0.5}))
    color = torch.tensor([0.6, 0.5, 0.4]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    spoilt, _ = spoil(color, known(1), seed=0)
    factor = polar(spoilt[0])[0] / polar(color[0])[0]
    np.testing.assert_allclose(factor, factor[0, 0], atol=1e-5)
    assert 0.5 <= factor[0, 0] <= 1.5
    assert abs(factor[0, 0] - 1) > 0.01


def test_a_hole_is_a_box_without_colour() -> None:
    spoil = Corruption(drop=0.0, each=1.0, **(NOTHING | {"holes": 0.9}))
    color = torch.tensor([0.6, 0.5, 0.4]).view(1, 3, 1, 1).expand(1, 3, 40, 40)
    spoilt, _ = spoil(color, known(1), seed=6)
    empty = polar(spoilt[0])[0] < 1e-6
    assert 0 < empty.sum() < empty.size
    rows, columns = np.flatnonzero(empty.any(axis=1)), np.flatnonzero(empty.any(axis=0))
    assert empty[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"drop": 1.5}, r"corruption\.drop is 1\.5: expected a share in \[0, 1\]"),
        ({"each": -0.1}, r"corruption\.each is -0\.1: expected a share"),
        ({"wash": -1.0}, r"corruption\.wash is -1\.0: expected 0 or more"),
        ({"shift": 1.0}, r"corruption\.shift is 1\.0: expected a share in \[0, 1\)"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message) -> None:
    with pytest.raises(ValueError, match=message):
        Corruption(**setting)
