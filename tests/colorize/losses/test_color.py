from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.losses.color import Color, color_distance
from tests.colorize.losses.family import (
    assert_never_waits_for_the_device,
    assert_runs_under_bfloat16,
    every_step,
    gradients_by_weight,
    random_step,
)


@pytest.mark.parametrize(("b", "t", "k"), [(1, 1, 1), (2, 1, 3), (2, 2, 2)])
def test_loss_is_the_formula_in_numpy(b: int, t: int, k: int) -> None:
    outputs, truth, targets = random_step(b, t, k)
    distance = np.abs(outputs.double().numpy() - truth.double().numpy()[:, :, None])
    expected = np.where(distance < 0.3, distance**2 / 0.6, distance - 0.15).mean()
    value = Color(beta=0.3)(outputs, truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_values_by_hand() -> None:
    prediction = torch.tensor([0.52, 0.9, 0.5]).view(3, 1, 1)
    truth = torch.full((3, 1, 1), 0.5)
    # 0.02² / 0.2 = 0.002, 0.4 - 0.05 = 0.35, 0.
    assert float(color_distance(prediction, truth, beta=0.1)) == pytest.approx(0.352 / 3)


def test_the_true_colours_cost_nothing_and_nearer_ones_less() -> None:
    _, truth, targets = random_step(1, 1, 1)
    costs = [
        float(Color()(truth.unsqueeze(2) + offset, truth, targets)) for offset in (0, 0.05, 0.2)
    ]
    assert costs == pytest.approx([0, 0.0125, 0.15], abs=1e-6)


def test_the_gradient_is_right() -> None:
    outputs, truth, _ = random_step(1, 1, 2, size=(2, 3))
    outputs = outputs.double().requires_grad_()
    loss = Color(beta=0.2)
    assert torch.autograd.gradcheck(lambda value: loss(value, truth.double(), {}), outputs)


def test_its_weight_changes_the_gradient_of_the_total_and_zero_removes_it() -> None:
    gradients = gradients_by_weight(Color, (0.0, 1.0, 3.0), *random_step(1, 1, 2))
    assert not gradients[0].any()
    assert gradients[1].any()
    torch.testing.assert_close(gradients[2], 3 * gradients[1])


def test_runs_under_bfloat16() -> None:
    assert_runs_under_bfloat16(Color(), *random_step(1, 2, 2))


@every_step
def test_a_step_never_waits_for_the_device(frames: int, count: int) -> None:
    assert_never_waits_for_the_device(Color(), *random_step(2, frames, count))


@pytest.mark.parametrize("beta", [0.0, -1.0, 1.1])
def test_a_wrong_beta_is_refused(beta: float) -> None:
    with pytest.raises(ValueError, match=r"loss\.color\.beta is .*: expected above 0, at most 1"):
        Color(beta=beta)


def test_it_needs_no_targets() -> None:
    assert Color.needs == frozenset()
    assert Color().weight == 1.0
