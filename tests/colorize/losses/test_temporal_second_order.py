from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.losses.temporal_second_order import TemporalSecondOrder
from colorize.training.objective import Objective
from tests.colorize.losses.family import assert_never_waits_for_the_device, every_step
from tests.colorize.losses.test_temporal import moving_texture, warped_by_scipy


def _clips(b: int, t: int, k: int) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(b + 10 * t + 100 * k)
    size = (5, 6)
    return (
        torch.rand(b, t, k, 3, *size, generator=generator),
        torch.rand(b, t, 3, *size, generator=generator),
        {
            "flow_second": 4 * torch.rand(b, t, 2, *size, generator=generator) - 2,
            "visible_second": torch.rand(b, t, 1, *size, generator=generator) > 0.3,
        },
    )


@pytest.mark.parametrize(("b", "t", "k"), [(1, 3, 1), (2, 4, 3)])
def test_loss_is_the_formula_in_plain_loops(b: int, t: int, k: int) -> None:
    outputs, truth, targets = _clips(b, t, k)
    terms = []
    for clip in range(b):
        for frame in range(2, t):
            flow = targets["flow_second"][clip, frame].numpy()
            mask = targets["visible_second"][clip, frame].numpy()
            for output in range(k):
                before = outputs[clip, frame - 2, output].numpy()
                difference = warped_by_scipy(before, flow) - outputs[clip, frame, output].numpy()
                terms.append((mask * np.abs(difference)).mean())
    value = TemporalSecondOrder()(outputs, truth, targets)
    assert float(value) == pytest.approx(np.mean(terms), rel=1e-4)


def test_true_frames_cost_nothing_and_a_drift_does() -> None:
    truth, targets = moving_texture(4, right=2, down=1)
    second = {
        "flow_second": 2 * targets["flow"],
        "visible_second": torch.zeros_like(targets["visible"]),
    }
    second["visible_second"][:, 2:, :, 2:, 4:] = True
    outputs = truth.unsqueeze(2).expand(-1, -1, 2, -1, -1, -1)
    assert float(TemporalSecondOrder()(outputs, truth, second)) < 1e-5
    drift = outputs + 0.05 * torch.arange(4).view(1, 4, 1, 1, 1, 1)
    share = float(second["visible_second"][:, 2:].float().mean())
    value = float(TemporalSecondOrder()(drift, truth, second))
    assert value == pytest.approx(0.1 * share, rel=1e-3)  # two frames' drift


@pytest.mark.parametrize("frames", [1, 2])
def test_shorter_clips_cost_nothing_and_stay_attached(frames: int) -> None:
    outputs, truth, targets = _clips(2, frames, 2)
    outputs.requires_grad_()
    value = TemporalSecondOrder()(outputs, truth, targets)
    value.backward()
    value = value.detach()
    assert float(value) == 0
    assert not outputs.grad.any()


def test_gradient_is_right() -> None:
    outputs, truth, targets = _clips(1, 3, 1)
    outputs = outputs[..., :3, :4].double().requires_grad_()
    targets = {name: target[..., :3, :4] for name, target in targets.items()}
    truth = truth[..., :3, :4]
    assert torch.autograd.gradcheck(
        lambda value: TemporalSecondOrder()(value, truth, targets), outputs
    )


def test_its_weight_changes_the_gradient_of_the_total_and_zero_removes_it() -> None:
    outputs, truth, targets = _clips(1, 3, 2)
    gradients = []
    for weight in (0.0, 1.0, 3.0):
        leaf = outputs.clone().requires_grad_()
        objective = Objective({"second": TemporalSecondOrder(weight=weight)})
        objective(leaf, truth, targets).total.backward()
        gradients.append(leaf.grad)
    assert not gradients[0].any()
    assert gradients[1].any()
    torch.testing.assert_close(gradients[2], 3 * gradients[1])


def test_runs_under_bfloat16_and_reads_no_value() -> None:
    outputs, truth, targets = _clips(1, 3, 4)
    expected = float(TemporalSecondOrder()(outputs, truth, targets))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = TemporalSecondOrder()(outputs.bfloat16(), truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(expected, rel=0.01)
    targets = {name: target.to("meta") for name, target in targets.items()}
    assert TemporalSecondOrder()(outputs.to("meta"), truth.to("meta"), targets).shape == ()


@every_step
def test_a_step_never_waits_for_the_device(frames: int, count: int) -> None:
    assert_never_waits_for_the_device(TemporalSecondOrder(), *_clips(2, frames, count))


def test_it_names_its_targets() -> None:
    assert TemporalSecondOrder.needs == {"flow_second", "visible_second"}
    assert TemporalSecondOrder.frames == 3
