"""The checks of the family themselves: what they are there to find, they find."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.colorize.losses.family import assert_never_waits_for_the_device

_OUTPUTS, _TRUTH = torch.rand(1, 1, 2, 3, 4, 4), torch.rand(1, 1, 3, 4, 4)


class _Loss(nn.Module):
    def __init__(self, formula: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.formula = formula

    def forward(self, outputs: Tensor, truth: Tensor, targets: dict[str, Tensor]) -> Tensor:
        return self.formula(outputs.float())


class _ReadsInBackward(torch.autograd.Function):
    @staticmethod
    def forward(context, values: Tensor) -> Tensor:
        context.save_for_backward(values)
        return values.sum()

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        (values,) = context.saved_tensors
        return gradient * values.sum().item() * torch.ones_like(values)


# What a loss does, and what the check says of it.
_WAITING: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "reads a value": (lambda x: x.sum() / float(x.detach().max()), "local_scalar_dense"),
    "decides by a value": (lambda x: x.sum() if x.any() else x.mean(), "local_scalar_dense"),
    "counts": (lambda x: x.sum() * (x > 0.5).nonzero().shape[0], "nonzero"),
    "indexes by a mask": (lambda x: x[x > 0.5].sum(), "nonzero"),
    "looks for the labels": (lambda x: x.sum() * torch.unique(x.detach()).sum(), "unique"),
    "makes a constant": (
        lambda x: (x * x.new_tensor([1.0, 2.0, 3.0, 4.0])).sum(),
        "made on the host",
    ),
    "reads on the way back": (_ReadsInBackward.apply, "local_scalar_dense"),
}


@pytest.mark.parametrize("what", _WAITING)
def test_a_loss_that_waits_for_the_device_is_found(what: str) -> None:
    formula, message = _WAITING[what]
    with pytest.raises(RuntimeError, match=message):
        assert_never_waits_for_the_device(_Loss(formula), _OUTPUTS, _TRUTH, {})


def test_a_loss_that_does_not_wait_passes() -> None:
    loss = _Loss(lambda outputs: torch.where(outputs > 0.5, outputs, 0.0).mean())
    assert_never_waits_for_the_device(loss, _OUTPUTS, _TRUTH, {})
