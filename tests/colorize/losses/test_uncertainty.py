"""What a network expects of its errors, against the errors that it makes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from colorize.imaging.color import join, rgb_to_chroma
from colorize.losses.uncertainty import Uncertainty, spread_distance

SIZE = (6, 8)


def step(b: int = 2, t: int = 1, *, seed: int = 0) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    random = torch.Generator().manual_seed(seed)
    truth = torch.rand(b, t, 3, *SIZE, generator=random)
    outputs = torch.rand(b, t, 1, 3, *SIZE, generator=random)
    targets = {
        "own": torch.rand(b * t, 2, *SIZE, generator=random) - 0.5,
        "own_spread": 0.05 + 0.3 * torch.rand(b * t, 1, *SIZE, generator=random),
        "spread": 0.05 + 0.3 * torch.rand(b * t, 1, *SIZE, generator=random),
    }
    return outputs, truth, targets


@pytest.mark.parametrize("t", [1, 2])
def test_loss_is_the_formula_in_numpy(t: int) -> None:
    outputs, truth, targets = step(2, t)
    true = rgb_to_chroma(truth.flatten(0, 1)).double().numpy()
    result = rgb_to_chroma(outputs[:, :, 0].flatten(0, 1)).double().numpy()
    own = targets["own"].double().numpy()
    terms = []
    for made, name in ((result, "spread"), (own, "own_spread")):
        expected = targets[name].double().numpy()[:, 0]
        square = ((made - true) ** 2).mean(axis=1)
        terms.append((np.log(expected) + square / (2 * expected**2)).mean())
    value = Uncertainty()(outputs, truth, targets)
    assert float(value) == pytest.approx(np.mean(terms), rel=1e-5)


def test_it_is_least_where_what_is_expected_is_what_comes() -> None:
    """Errors of ±0.1 in both channels: the root of their mean square is 0.1."""
    sign = torch.randint(0, 2, (1, 2, 40, 40), generator=torch.Generator().manual_seed(0))
    error = (2 * sign - 1) * 0.1
    values = {s: float(spread_distance(error, torch.full((1, 1, 40, 40), s))[0]) for s in _TRIED}
    assert min(values, key=values.__getitem__) == 0.1
    assert values[0.1] == pytest.approx(np.log(0.1) + 0.5)


_TRIED = (0.05, 0.08, 0.1, 0.12, 0.2)


def test_only_what_is_expected_is_taught() -> None:
    outputs, truth, targets = step()
    leaves = {name: each.clone().requires_grad_() for name, each in targets.items()}
    colors = outputs.clone().requires_grad_()
    Uncertainty()(colors, truth, leaves).backward()
    assert colors.grad is None
    assert leaves["own"].grad is None
    assert leaves["spread"].grad.abs().min() > 0
    assert leaves["own_spread"].grad.abs().min() > 0


def test_gradient_is_that_of_finite_differences() -> None:
    random = torch.Generator().manual_seed(4)
    error = torch.rand(1, 2, 3, 3, generator=random, dtype=torch.float64) - 0.5
    spread = 0.1 + torch.rand(1, 1, 3, 3, generator=random, dtype=torch.float64)
    leaf = spread.clone().requires_grad_()
    spread_distance(error, leaf).sum().backward()
    square = error.square().mean(dim=1, keepdim=True)
    by_hand = (1 / spread - square / spread**3) / spread.numel()
    torch.testing.assert_close(leaf.grad, by_hand, rtol=1e-5, atol=1e-7)


def test_it_never_waits_for_the_device() -> None:
    outputs, truth, targets = step()
    with FakeTensorMode(allow_non_fake_inputs=True) as fake:
        given = {name: fake.from_tensor(each) for name, each in targets.items()}
        given["spread"].requires_grad_()
        value = Uncertainty()(fake.from_tensor(outputs), fake.from_tensor(truth), given)
        value.backward()
    assert value.shape == ()


def test_colours_of_right_luma_give_their_own_error() -> None:
    truth = torch.full((1, 1, 3, *SIZE), 0.5)
    chroma = torch.zeros(1, 2, *SIZE)
    chroma[:, 0] = 0.1  # the mean square over Cb and Cr is 0.005
    outputs = join(truth[:, 0, :1], chroma)[:, None, None]
    spread = torch.full((1, 1, *SIZE), 0.1)
    targets = {"own": chroma, "own_spread": spread, "spread": spread}
    value = float(Uncertainty()(outputs, truth, targets))
    assert value == pytest.approx(np.log(0.1) + 0.005 / 0.02, abs=1e-4)
