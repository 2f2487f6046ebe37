from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from colorize.losses.temporal import Temporal, temporal
from colorize.motion.warp import agreement
from tests.colorize.losses.family import (
    assert_never_waits_for_the_device,
    assert_runs_under_bfloat16,
    every_step,
    gradients_by_weight,
)


def _clips(
    b: int, t: int, k: int, size: tuple[int, int] = (6, 7)
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(b + 10 * t + 100 * k)
    return (
        torch.rand(b, t, k, 3, *size, generator=generator),
        torch.rand(b, t, 3, *size, generator=generator),
        {
            "flow": 4 * torch.rand(b, t, 2, *size, generator=generator) - 2,
            "visible": torch.rand(b, t, 1, *size, generator=generator) > 0.3,
        },
    )


def moving_texture(frames: int, *, right: int, down: int) -> tuple[torch.Tensor, dict]:
    """Return a texture that moves by whole pixels, ``1 t 3 h w``, and its true targets."""
    texture = torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(0))
    clip = [texture.roll((t * down, t * right), dims=(2, 3)) for t in range(frames)]
    truth = torch.stack(clip, dim=1)
    flow = torch.tensor([-right, -down]).float().view(1, 1, 2, 1, 1)
    flow = flow.expand(1, frames, 2, 40, 48).clone()
    flow[:, 0] = 0
    visible = torch.zeros(1, frames, 1, 40, 48, dtype=torch.bool)
    visible[:, 1:, :, max(down, 0) :, max(right, 0) :] = True
    return truth, {"flow": flow, "visible": visible}


def warped_by_scipy(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: image.shape[1], : image.shape[2]].astype(float)
    places = [y + flow[1], x + flow[0]]
    return np.stack([map_coordinates(plane, places, order=1, mode="nearest") for plane in image])


@pytest.mark.parametrize(("b", "t", "k"), [(1, 2, 1), (2, 2, 4), (1, 4, 3)])
def test_loss_is_the_formula_in_plain_loops(b: int, t: int, k: int) -> None:
    outputs, truth, targets = _clips(b, t, k)
    terms = []
    for clip in range(b):
        for frame in range(1, t):
            for output in range(k):
                before, now = outputs[clip, frame - 1, output], outputs[clip, frame, output]
                warped = warped_by_scipy(before.numpy(), targets["flow"][clip, frame].numpy())
                mask = targets["visible"][clip, frame].numpy()
                terms.append((mask * np.abs(warped - now.numpy())).mean())
    value = Temporal()(outputs, truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(np.mean(terms), rel=1e-4)


def test_a_value_by_hand() -> None:
    outputs = torch.tensor([[0.2, 0.4], [0.5, 0.9]]).view(1, 2, 1, 1, 1, 2)
    outputs = outputs.expand(-1, -1, 1, 3, -1, -1)
    flow = torch.zeros(1, 2, 2, 1, 2)
    visible = torch.tensor([[[[[False, False]]], [[[True, False]]]]])
    # |0.2 - 0.5| at the visible pixel, 0 at the other.
    assert float(temporal(outputs, flow, visible)) == pytest.approx(0.15)


def test_true_frames_on_true_flow_cost_next_to_nothing() -> None:
    truth, targets = moving_texture(3, right=3, down=2)
    outputs = truth.unsqueeze(2).expand(-1, -1, 4, -1, -1, -1)
    assert float(Temporal()(outputs, truth, targets)) < 1e-5
    seen = agreement(truth[:, 1], truth[:, 0], targets["flow"][:, 1])
    assert seen[targets["visible"][:, 1]].all()  # the mask of Lei & Chen holds where the truth does
    still = {**targets, "flow": torch.zeros_like(targets["flow"])}
    assert float(Temporal()(outputs, truth, still)) > 0.1


def test_flicker_costs_its_size() -> None:
    truth, targets = moving_texture(2, right=1, down=0)
    outputs = truth.unsqueeze(2).clone()
    outputs[:, 1] += 0.1
    share = float(targets["visible"][:, 1].float().mean())
    assert float(Temporal()(outputs, truth, targets)) == pytest.approx(0.1 * share, rel=1e-3)


def test_stills_cost_nothing_and_stay_attached() -> None:
    outputs, truth, targets = _clips(3, 1, 4)
    outputs.requires_grad_()
    value = Temporal()(outputs, truth, targets)
    value.backward()
    value = value.detach()
    assert float(value) == 0
    assert not outputs.grad.any()


def test_gradient_is_right_in_both_frames() -> None:
    outputs, _, targets = _clips(1, 2, 2, size=(3, 4))
    outputs = outputs.double().requires_grad_()
    flow = targets["flow"].double()
    assert torch.autograd.gradcheck(
        lambda value: temporal(value, flow, targets["visible"]), outputs
    )
    temporal(outputs, flow, targets["visible"]).backward()
    assert (outputs.grad.abs().sum(dim=(0, 3, 4, 5)) > 0).all()  # t and k


def test_its_weight_changes_the_gradient_of_the_total_and_zero_removes_it() -> None:
    outputs, truth, targets = _clips(1, 2, 4)
    gradients = gradients_by_weight(Temporal, (0.0, 1.0, 5.0), outputs, truth, targets)
    assert not gradients[0].any()
    assert gradients[1].any()
    torch.testing.assert_close(gradients[2], 5 * gradients[1])


def test_runs_under_bfloat16() -> None:
    outputs, truth, targets = _clips(1, 2, 4)
    assert_runs_under_bfloat16(Temporal(), outputs, truth, targets)


def test_no_value_is_read_on_the_way() -> None:
    outputs, truth, targets = _clips(2, 2, 4)
    targets = {name: target.to("meta") for name, target in targets.items()}
    # Tensors without values raise if one is read.
    assert Temporal()(outputs.to("meta"), truth.to("meta"), targets).shape == ()


@every_step
def test_a_step_never_waits_for_the_device(frames: int, count: int) -> None:
    assert_never_waits_for_the_device(Temporal(), *_clips(2, frames, count))


def test_it_names_its_targets_and_the_frames_it_compares() -> None:
    assert Temporal.needs == {"flow", "visible"}
    assert Temporal.frames == 2
