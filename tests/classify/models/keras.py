"""Parameter counts as Keras computes them, and what every network of the family must do."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(inputs: int, outputs: int, kernel: int = 3) -> int:
    """Conv2D: a kernel and a bias per output plane."""
    return (kernel * kernel * inputs + 1) * outputs


def dense(inputs: int, outputs: int) -> int:
    """Dense: a weight per input and a bias, per output."""
    return (inputs + 1) * outputs


def trained(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def assert_gradient_reaches_every_parameter(network: nn.Module, pictures: Tensor) -> None:
    labels = torch.arange(len(pictures)) % 2
    functional.cross_entropy(network(pictures), labels).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def assert_kernels_are_glorot_uniform(layer: nn.Conv2d | nn.Linear) -> None:
    area = layer.weight[0, 0].numel()
    bound = (6 / (area * (layer.weight.shape[0] + layer.weight.shape[1]))) ** 0.5
    assert float(layer.weight.detach().abs().max()) <= bound
    torch.testing.assert_close(
        float(layer.weight.detach().std()), bound / 3**0.5, rtol=0.05, atol=0.0
    )
    assert not layer.bias.detach().any()
