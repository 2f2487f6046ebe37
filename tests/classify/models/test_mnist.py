"""The MNIST network: Keras' counts and shapes."""

from __future__ import annotations

import torch

from classify.models import Mnist
from tests.classify.models import keras


def test_parameters_are_those_of_the_keras_description() -> None:
    # 28 -> 26 -> 13: 13 * 13 * 32 = 5408 features
    by_hand = [keras.conv(1, 32), keras.dense(5408, 64), keras.dense(64, 10)]
    assert by_hand == [320, 346176, 650]
    assert keras.trained(Mnist()) == 347146 == sum(by_hand)


def test_shapes() -> None:
    network = Mnist()
    pictures = torch.rand(3, 1, 28, 28)
    assert network.features(pictures).shape == (3, 32, 13, 13)
    assert network(pictures).shape == (3, 10)


def test_a_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    keras.assert_gradient_reaches_every_parameter(Mnist(), torch.rand(4, 1, 28, 28))
