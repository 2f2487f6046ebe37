"""What every loss of the family must do, so that each test file says it in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn

from colorize.objective import Objective


def assert_runs_under_bfloat16(
    loss: nn.Module, outputs: Tensor, truth: Tensor, guides: Mapping[str, Tensor]
) -> None:
    """The value stays float32 and near that of float32 outputs, and its gradient is finite."""
    expected = float(loss(outputs, truth, guides))
    leaf = outputs.bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(leaf, truth, guides)
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
    guides: Mapping[str, Tensor],
) -> list[Tensor]:
    """Return the gradient of an objective's total for each weight of its one loss."""
    gradients = []
    for weight in weights:
        leaf = outputs.clone().requires_grad_()
        Objective({"only": build(weight=weight)})(leaf, truth, guides).total.backward()
        gradients.append(leaf.grad)
    return gradients
