"""The network for drawn expressions: Keras' counts and shapes."""

from __future__ import annotations

import torch

from classify.models import Expressions
from tests.classify.models import keras


def test_parameters_are_those_of_the_keras_description() -> None:
    # 100 -> 98 -> 49: 49 * 49 * 32 = 76832 features
    by_hand = [keras.conv(1, 32), keras.dense(76832, 64), keras.dense(64, 4)]
    assert by_hand == [320, 4917312, 260]
    assert keras.trained(Expressions()) == 4917892 == sum(by_hand)


def test_shapes_and_gradients() -> None:
    torch.manual_seed(0)
    network = Expressions()
    pictures = torch.rand(3, 1, 100, 100)
    assert network.features(pictures).shape == (3, 32, 49, 49)
    assert network(pictures).shape == (3, 4)
    keras.assert_gradient_reaches_every_parameter(network, pictures)
