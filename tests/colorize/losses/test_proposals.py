from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.imaging.color import join, rgb_to_chroma
from colorize.losses.proposals import Proposals
from tests.colorize.losses.family import assert_never_waits_for_the_device


def step(
    b: int, t: int, *, size: tuple[int, int] = (16, 32), seed: int = 0
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Random outputs, truth and targets of frames that all but the first have a reference."""
    random = torch.Generator().manual_seed(seed)
    height, width = size
    grid = tuple(-(-side // 16) * 4 for side in size)
    targets = {
        "fused": torch.rand(b * t, 2, height, width, generator=random) - 0.5,
        "attended": torch.rand(b * t, 2, *grid, generator=random) - 0.5,
        "served": torch.arange(b * t) > 0,
    }
    truth = torch.rand(b, t, 3, height, width, generator=random)
    return torch.rand(b, t, 1, 3, height, width, generator=random), truth, targets


def rgb_distance(chroma: np.ndarray, true: np.ndarray, beta: float) -> np.ndarray:
    """Distance per frame of two colours of the same luma: Cb, Cr to offsets of R, G and B."""
    cb, cr = (chroma - true).transpose(1, 0, 2, 3)
    red, blue = 1.402 * cr, 1.772 * cb
    green = -(0.299 * red + 0.114 * blue) / 0.587
    offsets = np.abs(np.stack([red, green, blue], axis=1))
    costs = np.where(offsets < beta, offsets**2 / (2 * beta), offsets - beta / 2)
    return costs.mean(axis=(1, 2, 3))


@pytest.mark.parametrize(("b", "t", "size"), [(3, 1, (16, 32)), (1, 2, (16, 16)), (2, 2, (19, 30))])
def test_loss_is_the_formula_in_numpy(b: int, t: int, size: tuple[int, int]) -> None:
    outputs, truth, targets = step(b, t, size=size)
    red, green, blue = truth.double().numpy().reshape(b * t, 3, *size).transpose(1, 0, 2, 3)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    true = np.stack([(blue - luma) / 1.772, (red - luma) / 1.402], axis=1)
    padded = np.pad(true, ((0, 0), (0, 0), (0, -size[0] % 16), (0, -size[1] % 16)), mode="edge")
    height, width = padded.shape[2:]
    coarse = padded.reshape(b * t, 2, height // 4, 4, width // 4, 4).mean(axis=(3, 5))
    fine = rgb_distance(targets["fused"].double().numpy(), true, 0.2)
    rough = rgb_distance(targets["attended"].double().numpy(), coarse, 0.2)
    fine[0] = rough[0] = 0  # no reference
    value = Proposals(beta=0.2, matching=0.7)(outputs, truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(fine.mean() + 0.7 * rough.mean(), rel=1e-4)


def test_a_value_by_hand() -> None:
    """Cb off by 0.1 is B off by 0.1772 and G by 0.114 * 0.1772 / 0.587 = 0.034414."""
    truth = torch.full((1, 1, 3, 16, 16), 0.5)
    fused = torch.zeros(1, 2, 16, 16)
    fused[:, 0] = 0.1
    targets = {"fused": fused, "attended": torch.zeros(1, 2, 4, 4), "served": torch.tensor([True])}
    value = Proposals(beta=0.1)(truth.unsqueeze(2), truth, targets)
    expected = ((0.1772 - 0.05) + 0.034414**2 / 0.2) / 3
    assert float(value) == pytest.approx(expected, rel=1e-4)


def test_right_proposals_cost_nothing_and_nearer_ones_less() -> None:
    outputs, truth, targets = step(1, 1)
    targets["served"] = torch.tensor([True])
    true = rgb_to_chroma(truth[0])
    coarse = torch.nn.functional.avg_pool2d(true, 4)
    costs = []
    for offset in (0.0, 0.05, 0.2):
        given = targets | {"fused": true + offset, "attended": coarse + offset}
        costs.append(float(Proposals()(outputs, truth, given)))
    assert costs[0] == pytest.approx(0, abs=1e-6)
    assert costs[0] < costs[1] < costs[2]


def test_frames_without_a_reference_cost_nothing_and_get_no_gradient() -> None:
    outputs, truth, targets = step(2, 1)
    for name in ("fused", "attended"):
        targets[name].requires_grad_()
    Proposals()(outputs, truth, targets).backward()
    for name in ("fused", "attended"):
        assert not targets[name].grad[0].any()
        assert targets[name].grad[1].any()
    targets["served"] = torch.zeros(2, dtype=torch.bool)
    assert float(Proposals()(outputs, truth, targets).detach()) == 0


def test_the_gradient_is_right() -> None:
    outputs, truth, targets = step(2, 1, size=(4, 5))
    truth, loss = truth.double(), Proposals(beta=0.3)
    fused = targets["fused"].double().requires_grad_()
    value = loss(outputs, truth, targets | {"fused": fused})
    (gradient,) = torch.autograd.grad(value, fused)
    # The loss works in float32, so the slope is taken over a step that it can see.
    direction = torch.randn(fused.shape, generator=torch.Generator().manual_seed(1)).double()
    ends = [
        float(loss(outputs, truth, targets | {"fused": (fused + sign * 1e-2 * direction).detach()}))
        for sign in (-1, 1)
    ]
    slope = (ends[1] - ends[0]) / 2e-2
    assert float((gradient * direction).sum()) == pytest.approx(slope, rel=0.02)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_step_never_waits_for_the_device(frames: int) -> None:
    outputs, truth, targets = step(2, frames)
    # Outputs themselves cost nothing; the family's check wants a gradient through them.
    fused = rgb_to_chroma(outputs.squeeze(2).flatten(0, 1))

    class OfOutputs(torch.nn.Module):
        def forward(self, outputs: Tensor, truth: Tensor, targets: dict[str, Tensor]) -> Tensor:
            own = rgb_to_chroma(outputs.squeeze(2).flatten(0, 1))
            return Proposals()(outputs, truth, {**targets, "fused": own})

    assert fused.shape == targets["fused"].shape
    assert_never_waits_for_the_device(OfOutputs(), outputs, truth, targets)


def test_runs_on_proposals_in_bfloat16() -> None:
    outputs, truth, targets = step(2, 1)
    expected = float(Proposals()(outputs, truth, targets))
    for name in ("fused", "attended"):
        targets[name] = targets[name].bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = Proposals()(outputs, truth, targets)
    value.backward()
    assert value.dtype == torch.float32
    assert float(value.detach()) == pytest.approx(expected, rel=0.01)
    assert torch.isfinite(targets["fused"].grad).all()


def test_the_cost_of_chroma_is_that_of_the_frames_it_makes() -> None:
    """Colours of one luma differ as their RGB pictures do."""
    outputs, truth, targets = step(1, 1)
    targets["served"] = torch.tensor([True])
    targets["attended"] = torch.nn.functional.avg_pool2d(rgb_to_chroma(truth[0]), 4)
    made = join(torch.full((1, 1, 16, 32), 0.5), targets["fused"])
    right = join(torch.full((1, 1, 16, 32), 0.5), rgb_to_chroma(truth[0]))
    expected = torch.nn.functional.smooth_l1_loss(made, right, beta=0.1)
    value = Proposals()(outputs, truth, targets)
    assert float(value) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 0.0}, r"loss\.proposals\.beta is 0\.0: expected above 0, at most 1"),
        ({"beta": 2.0}, r"loss\.proposals\.beta is 2\.0: expected above 0, at most 1"),
        ({"matching": -0.1}, r"loss\.proposals\.matching is -0\.1: expected 0 or more"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Proposals(**settings)


def test_it_names_the_targets_that_the_model_gives() -> None:
    assert Proposals.needs == {"fused", "attended", "served"}
    assert Proposals(weight=0.5).weight == 0.5
