"""Members of a committee: what each learns from, and what it is judged on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.imaging.color import join, rgb_to_chroma
from colorize.losses.unguided import Unguided, gain_over_gray

SIZE = (6, 8)


def step(
    groups: list[int], members: int = 3, *, t: int = 1, seed: int = 0
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    random = torch.Generator().manual_seed(seed)
    n = len(groups) * t
    chroma = 0.4 * torch.rand(n, 2, *SIZE, generator=random) - 0.2
    truth = join(torch.full((n, 1, *SIZE), 0.5), chroma).unflatten(0, (-1, t))
    targets = {
        "bold": 0.4 * torch.rand(n, members, 2, *SIZE, generator=random) - 0.2,
        "kept": 0.4 * torch.rand(n, members, 2, *SIZE, generator=random) - 0.2,
        "kept_spread": 0.05 + 0.2 * torch.rand(n, members, 1, *SIZE, generator=random),
        "group": torch.tensor(groups),
    }
    return truth[:, :, None], truth, targets


def squares(difference: np.ndarray) -> np.ndarray:
    """Mean square in RGB of a difference of Cb, Cr at one luma, of each frame."""
    cb, cr = difference.transpose(1, 0, 2, 3)
    red, blue = 1.402 * cr, 1.772 * cb
    green = -(0.299 * red + 0.114 * blue) / 0.587
    return (np.stack([red, green, blue]) ** 2).mean(axis=(0, 2, 3))


@pytest.mark.parametrize("t", [1, 2])
def test_loss_is_the_formula_in_numpy(t: int) -> None:
    groups = [0, 4, 7]  # of members 0, 1 and 1
    outputs, truth, targets = step(groups, t=t)
    true = rgb_to_chroma(truth.flatten(0, 1)).double().numpy()
    bold, kept, spread = (
        targets[name].double().numpy() for name in ("bold", "kept", "kept_spread")
    )
    whose = np.repeat([group % 3 for group in groups], t)
    gray = np.log(squares(true) + 1e-3)
    total = 0.0
    for member in range(3):
        strange = whose == member
        gain = np.log(squares(bold[:, member] - true) + 1e-3) - gray
        total += gain[~strange].mean()
        if strange.any():
            difference = kept[:, member] - true
            total += (np.log(squares(difference) + 1e-3) - gray)[strange].mean()
            s, square = spread[:, member, 0], (difference**2).mean(axis=1)
            total += 0.3 * (np.log(s) + square / (2 * s**2))[strange].mean()
    value = float(Unguided(spread=0.3)(outputs, truth, targets))
    assert value == pytest.approx(total / 3, rel=1e-4)


def test_nobody_learns_colours_from_its_own_group() -> None:
    outputs, truth, targets = step([0, 1, 2, 3])
    leaves = {
        name: each.clone().requires_grad_() if each.is_floating_point() else each
        for name, each in targets.items()
    }
    Unguided()(outputs, truth, leaves).backward()
    for frame, whose in enumerate([0, 1, 2, 0]):
        for member in range(3):
            own = member == whose
            assert bool(leaves["bold"].grad[frame, member].any()) != own
            assert bool(leaves["kept"].grad[frame, member].any()) == own
            assert bool(leaves["kept_spread"].grad[frame, member].any()) == own


def test_frames_of_no_group_teach_nothing() -> None:
    outputs, truth, targets = step([0, 1, 2, -1])
    value = float(Unguided()(outputs, truth, targets))
    kept = {name: each[:3] for name, each in targets.items()}
    assert value == pytest.approx(float(Unguided()(outputs[:3], truth[:3], kept)), rel=1e-6)


def test_gray_gains_nothing_and_a_tenth_of_its_error_ten_decibels() -> None:
    true = torch.full((1, 2, 4, 4), 0.2, dtype=torch.float64)
    assert float(gain_over_gray(torch.zeros_like(true), true)) == 0
    gray = float(squares(true.numpy())[0])
    near = true * (1 - math.sqrt((gray + 1e-3) / 10 - 1e-3) / math.sqrt(gray))
    assert float(gain_over_gray(near, true)) == pytest.approx(-math.log(10), abs=1e-6)
    # As much as wrong colours of a tenfold error cost.
    wrong = true * (1 + math.sqrt((gray + 1e-3) * 10 - 1e-3) / math.sqrt(gray))
    assert float(gain_over_gray(wrong, true)) == pytest.approx(math.log(10), abs=1e-6)


def test_gain_passes_gradcheck() -> None:
    random = torch.Generator().manual_seed(0)
    chroma, true = (
        (torch.rand(2, 2, 3, 3, generator=random, dtype=torch.float64) - 0.5) for _ in range(2)
    )
    assert torch.autograd.gradcheck(
        lambda each: gain_over_gray(each, true), chroma.requires_grad_()
    )
