"""What every loss of the family must do, so that each test file says it in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from colorize.training.objective import Objective

# Frames of a clip, and colourings of each: everything that a step may hold.
every_step = pytest.mark.parametrize(
    ("frames", "count"), [(frames, count) for frames in (1, 2, 3) for count in (1, 4)]
)


def assert_runs_under_bfloat16(
    loss: nn.Module, outputs: Tensor, truth: Tensor, targets: Mapping[str, Tensor]
) -> None:
    """The value stays float32 and near that of float32 outputs, and its gradient is finite."""
    expected = float(loss(outputs, truth, targets))
    leaf = outputs.bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(leaf, truth, targets)
    value.backward()
    value = value.detach()
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(expected, rel=0.01)
    assert torch.isfinite(leaf.grad).all()


def gradients_by_weight(
    build: Callable[..., nn.Module],
    weights: Sequence[float],
    outputs: Tensor,
    truth: Tensor,
    targets: Mapping[str, Tensor],
) -> list[Tensor]:
    """Return the gradient of an objective's total for each weight of its one loss."""
    gradients = []
    for weight in weights:
        leaf = outputs.clone().requires_grad_()
        Objective({"only": build(weight=weight)})(leaf, truth, targets).total.backward()
        gradients.append(leaf.grad)
    return gradients


def assert_never_waits_for_the_device(
    loss: nn.Module, outputs: Tensor, truth: Tensor, targets: Mapping[str, Tensor]
) -> None:
    """A step under bfloat16 autocast, forward and backward, keeps the host and the device apart.

    It runs on tensors without values, which raise when one is read (``item``, ``if tensor``) or
    decides a shape (``nonzero``, indexing by a mask), and refuses constants made of Python numbers,
    which would be copied to a device at every step. Weights of a loss stay real.
    """
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    leaf = fake.from_tensor(outputs.bfloat16()).requires_grad_()
    truth = fake.from_tensor(truth)
    targets = {name: fake.from_tensor(target) for name, target in targets.items()}
    with fake, _RefuseConstants(), torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(leaf, truth, targets)
    with fake, _RefuseConstants():
        value.backward()
    assert value.shape == ()
    assert leaf.grad.shape == outputs.shape


class _RefuseConstants(TorchDispatchMode):
    """Raise where a tensor is made of Python numbers."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.lift_fresh.default:
            raise RuntimeError("a constant is made on the host: keep it as a buffer, or use floats")
        return func(*args, **(kwargs or {}))


def random_step(
    b: int, t: int, k: int, *, size: tuple[int, int] = (12, 10)
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Return random outputs and truth, and every target that any loss of the family needs.

    Of 6 segments the last two have no pixel; some segments lack neighbours.
    """
    random = torch.Generator().manual_seed(b + 10 * t + 100 * k)
    height, width = size
    outputs, warped, unrefined = (torch.rand(b, t, k, 3, *size, generator=random) for _ in "owu")
    flow = 4 * torch.rand(b, t, 2, *size, generator=random) - 2
    visible = torch.rand(b, t, 1, *size, generator=random) > 0.3
    near = torch.randint(-1, 4, (b, t, 6, 3), generator=random, dtype=torch.int32)
    near[:, :, 4:] = -1
    pixels = torch.randint(0, height * width, (b, t, 5, *size), generator=random, dtype=torch.int32)
    targets = {
        "neighbors": pixels,
        "flow": flow,
        "visible": visible,
        "flow_second": 2 * flow,
        "visible_second": visible,
        "segments": torch.randint(0, 4, (b, t, *size), generator=random, dtype=torch.int32),
        "segment_areas": torch.zeros(b, t, 6, dtype=torch.int32),
        "segment_neighbors": near,
        "warped": warped,
        "unrefined": unrefined,
        "flicker": torch.rand(b, t, k, 1, *size, generator=random) > 0.6,
    }
    return outputs, torch.rand(b, t, 3, *size, generator=random), targets
