"""The CIFAR-10 network: Keras' counts and shapes, its forward pass written out."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from classify.models import Cifar
from tests.classify.models import keras


def test_parameters_are_those_of_the_keras_description() -> None:
    # 32 -> 30 -> 15 -> 13 -> 6: 6 * 6 * 64 = 2304 features
    by_hand = [keras.conv(3, 32), keras.conv(32, 64), keras.dense(2304, 64), keras.dense(64, 10)]
    assert by_hand == [896, 18496, 147520, 650]
    assert keras.trained(Cifar()) == 167562 == sum(by_hand)


def test_forward_is_the_listed_sequence_of_layers() -> None:
    torch.manual_seed(0)
    network = Cifar().double()
    pictures = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    first, second = network.features[0][0], network.features[2][0]
    maps = functional.conv2d(pictures, first.weight, first.bias).clamp(min=0)
    assert maps.shape == (2, 32, 30, 30)
    maps = functional.conv2d(functional.max_pool2d(maps, 2), second.weight, second.bias)
    maps = functional.max_pool2d(maps.clamp(min=0), 2)
    assert maps.shape == (2, 64, 6, 6)
    hidden = network.hidden[0]
    flat = (maps.reshape(2, -1) @ hidden.weight.T + hidden.bias).clamp(min=0)
    expected = flat @ network.output.weight.T + network.output.bias
    torch.testing.assert_close(network(pictures), expected)


def test_gradients_are_right_and_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = Cifar(classes=2, size=(10, 11)).double()
    pictures = torch.rand(1, 3, 10, 11, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, pictures)
    keras.assert_gradient_reaches_every_parameter(Cifar(), torch.rand(4, 3, 32, 32))


def test_kernels_start_as_in_keras() -> None:
    keras.assert_kernels_are_glorot_uniform(Cifar().features[2][0])
    keras.assert_kernels_are_glorot_uniform(Cifar().hidden[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, r"model\.classes is 1: expected 2 or more"),
        ({"channels": 2}, r"preprocessing\.channels is 2: expected 1 \(gray\) or 3 \(RGB\)"),
        ({"size": (9, 40)}, r"preprocessing\.size is \[9, 40\].*at least 10x10"),
    ],
)
def test_settings_that_fit_no_network(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Cifar(**settings)
