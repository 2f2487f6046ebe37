"""The FER-2013 network: counts, shapes, both variants."""

from __future__ import annotations

import torch
from torch import nn

from classify.models import Emotion
from tests.classify.models import keras


def test_parameters_are_those_of_the_thesis() -> None:
    # 48 -> 22 (stride 2) -> 11 -> 9 -> 4: 4 * 4 * 64 = 1024 features
    by_hand = [keras.conv(1, 32, kernel=5), keras.conv(32, 64)]
    by_hand += [keras.dense(1024, 500), keras.dense(500, 7)]
    assert by_hand == [832, 18496, 512500, 3507]
    assert keras.trained(Emotion()) == 535335 == sum(by_hand)


def test_shapes_and_gradients() -> None:
    torch.manual_seed(0)
    network = Emotion()
    pictures = torch.rand(3, 1, 48, 48)
    assert network.features[0](pictures).shape == (3, 32, 22, 22)
    assert network.features(pictures).shape == (3, 64, 4, 4)
    assert network(pictures).shape == (3, 7)
    keras.assert_gradient_reaches_every_parameter(network, pictures)


def test_dropout_acts_in_training_only_and_zero_is_none() -> None:
    torch.manual_seed(0)
    network = Emotion()
    assert [part.p for part in network.modules() if isinstance(part, nn.Dropout)] == [0.25] * 3
    pictures = torch.rand(2, 1, 48, 48)
    assert not torch.equal(network(pictures), network(pictures))
    network.eval()
    torch.testing.assert_close(network(pictures), network(pictures), rtol=0, atol=0)
    without = Emotion(dropout=0.0)
    torch.testing.assert_close(without(pictures), without(pictures), rtol=0, atol=0)
