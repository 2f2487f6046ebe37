from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.losses.refinement import Refinement
from colorize.training.objective import Objective
from tests.colorize.losses.family import assert_never_waits_for_the_device, every_step


def _clips(
    b: int, t: int, k: int, size: tuple[int, int] = (5, 6)
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(b + 10 * t + 100 * k)
    refined, warped, unrefined = (
        torch.rand(b, t, k, 3, *size, generator=generator) for _ in range(3)
    )
    flicker = torch.rand(b, t, k, 1, *size, generator=generator) > 0.6
    targets = {"warped": warped, "unrefined": unrefined, "flicker": flicker}
    return refined, torch.rand(b, t, 3, *size, generator=generator), targets


@pytest.mark.parametrize(("b", "t", "k"), [(1, 1, 1), (2, 1, 4), (1, 2, 3)])
def test_loss_is_the_published_formula_in_plain_loops(b: int, t: int, k: int) -> None:
    refined, truth, targets = _clips(b, t, k)
    terms = []
    for clip in range(b):
        for frame in range(t):
            for output in range(k):
                here = (clip, frame, output)
                g = refined[here].numpy()
                low = targets["flicker"][here].numpy().astype(float)
                terms.append(
                    np.abs(truth[clip, frame].numpy() - g).mean()
                    + (low * np.abs(targets["warped"][here].numpy() - g)).mean()
                    + ((1 - low) * np.abs(targets["unrefined"][here].numpy() - g)).mean()
                )
    value = Refinement()(refined, truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(np.mean(terms), rel=1e-5)


def test_a_value_by_hand() -> None:
    refined = torch.full((1, 1, 1, 3, 1, 2), 0.5)
    truth = torch.full((1, 1, 3, 1, 2), 0.7)
    targets = {
        "warped": torch.full_like(refined, 0.9),
        "unrefined": torch.full_like(refined, 0.6),
        "flicker": torch.tensor([True, False]).view(1, 1, 1, 1, 1, 2),
    }
    # 0.2 from the truth; 0.4 from the warped frame at one pixel, 0.1 from its own at the other.
    assert float(Refinement()(refined, truth, targets)) == pytest.approx(0.2 + (0.4 + 0.1) / 2)


def test_perfect_frames_cost_nothing() -> None:
    _, truth, targets = _clips(1, 1, 2)
    perfect = truth.unsqueeze(2).expand(-1, -1, 2, -1, -1, -1)
    targets = {**targets, "warped": perfect, "unrefined": perfect}
    assert float(Refinement()(perfect, truth, targets)) == 0


def test_without_refined_frames_it_is_zero_and_attached() -> None:
    refined, truth, targets = _clips(2, 0, 4)
    refined.requires_grad_()
    value = Refinement()(refined, truth, targets)
    value.backward()
    value = value.detach()
    assert float(value) == 0


def test_gradient_is_right() -> None:
    refined, truth, targets = _clips(1, 1, 2, size=(2, 3))
    refined = refined.double().requires_grad_()
    truth = truth.double()
    targets = {
        name: part if part.dtype == torch.bool else part.double() for name, part in targets.items()
    }
    assert torch.autograd.gradcheck(lambda value: Refinement()(value, truth, targets), refined)


def test_its_weight_changes_the_gradient_of_the_total_and_zero_removes_it() -> None:
    refined, truth, targets = _clips(1, 1, 4)
    gradients = []
    for weight in (0.0, 1.0, 2.0):
        leaf = refined.clone().requires_grad_()
        Objective({"refinement": Refinement(weight=weight)})(leaf, truth, targets).total.backward()
        gradients.append(leaf.grad)
    assert not gradients[0].any()
    assert (gradients[1].abs().sum(dim=(0, 1, 3, 4, 5)) > 0).all()
    torch.testing.assert_close(gradients[2], 2 * gradients[1])


def test_runs_under_bfloat16_and_reads_no_value() -> None:
    refined, truth, targets = _clips(1, 1, 4)
    expected = float(Refinement()(refined, truth, targets))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = Refinement()(refined.bfloat16(), truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(expected, rel=0.01)
    targets = {name: target.to("meta") for name, target in targets.items()}
    assert Refinement()(refined.to("meta"), truth.to("meta"), targets).shape == ()


@every_step
def test_a_step_never_waits_for_the_device(frames: int, count: int) -> None:
    assert_never_waits_for_the_device(Refinement(), *_clips(2, frames, count))


def test_it_names_what_the_refining_step_hands_over() -> None:
    assert Refinement.needs == {"warped", "unrefined", "flicker"}
    assert (Refinement.frames, Refinement.trains) == (2, "refiner")
