from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.losses.bilateral import Bilateral, bilateral
from tests.colorize.losses.family import (
    assert_never_waits_for_the_device,
    assert_runs_under_bfloat16,
    every_step,
    gradients_by_weight,
)


def _clips(
    b: int, t: int, k: int, size: tuple[int, int] = (6, 5), q: int = 4
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(b + 10 * t + 100 * k)
    height, width = size
    neighbors = torch.randint(
        0, height * width, (b, t, q, *size), generator=generator, dtype=torch.int32
    )
    return (
        torch.rand(b, t, k, 3, *size, generator=generator),
        torch.rand(b, t, 3, *size, generator=generator),
        {"neighbors": neighbors},
    )


@pytest.mark.parametrize(("b", "t", "k"), [(1, 1, 1), (2, 1, 4), (2, 2, 3)])
def test_loss_is_the_formula_in_plain_loops(b: int, t: int, k: int) -> None:
    outputs, truth, targets = _clips(b, t, k)
    neighbors = targets["neighbors"].numpy()
    expected = 0.0
    for output in range(k):
        terms = []
        for clip in range(b):
            for frame in range(t):
                colors = outputs[clip, frame, output].numpy().reshape(3, -1)
                for near in neighbors[clip, frame].reshape(4, -1):
                    for pixel, other in enumerate(near):
                        terms.append(np.abs(colors[:, pixel] - colors[:, other]).mean())
        expected += np.mean(terms)
    value = Bilateral()(outputs, truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_a_value_by_hand() -> None:
    outputs = torch.tensor([0.0, 1.0]).view(1, 1, 1, 1, 1, 2).expand(-1, -1, 2, 3, -1, -1)
    neighbors = torch.tensor([[0, 1], [1, 1]]).view(1, 1, 2, 1, 2)
    # Each pixel itself, then pixel 1: differences 0, 0, 1, 0 -> 1/4 for each of two outputs.
    assert float(bilateral(outputs, neighbors)) == pytest.approx(0.5)


def test_equal_neighbours_cost_nothing() -> None:
    _, truth, targets = _clips(2, 1, 2)
    flat = torch.full((2, 1, 2, 3, 6, 5), 0.3)
    assert float(Bilateral()(flat, truth, targets)) == 0


def test_frames_do_not_mix() -> None:
    outputs, truth, targets = _clips(2, 2, 2)
    parts = [
        float(bilateral(outputs[b : b + 1, t : t + 1], targets["neighbors"][b : b + 1, t : t + 1]))
        for b in range(2)
        for t in range(2)
    ]
    assert float(Bilateral()(outputs, truth, targets)) == pytest.approx(np.mean(parts), rel=1e-5)


def test_gradient_is_right() -> None:
    outputs, _, targets = _clips(1, 2, 2, size=(3, 4))
    outputs = outputs.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda value: bilateral(value, targets["neighbors"]), outputs)


def test_its_weight_changes_the_gradient_of_the_total_and_zero_removes_it() -> None:
    outputs, truth, targets = _clips(1, 1, 4)
    gradients = gradients_by_weight(Bilateral, (0.0, 1.0, 2.5), outputs, truth, targets)
    assert not gradients[0].any()
    assert (gradients[1].abs().sum(dim=(0, 1, 3, 4, 5)) > 0).all()  # every output k
    torch.testing.assert_close(gradients[2], 2.5 * gradients[1])


def test_runs_under_bfloat16() -> None:
    outputs, truth, targets = _clips(1, 2, 4)
    assert_runs_under_bfloat16(Bilateral(), outputs, truth, targets)


def test_no_value_is_read_on_the_way() -> None:
    outputs, truth, targets = (_to_meta(part) for part in _clips(2, 2, 4))
    assert Bilateral()(outputs, truth, targets).shape == ()  # tensors without values raise if read


def _to_meta(part: torch.Tensor | dict[str, torch.Tensor]) -> torch.Tensor | dict:
    if isinstance(part, dict):
        return {name: value.to("meta") for name, value in part.items()}
    return part.to("meta")


@every_step
def test_a_step_never_waits_for_the_device(frames: int, count: int) -> None:
    assert_never_waits_for_the_device(Bilateral(), *_clips(2, frames, count))


def test_it_names_its_target() -> None:
    assert Bilateral.needs == {"neighbors"}
    assert Bilateral().weight == 1.0
