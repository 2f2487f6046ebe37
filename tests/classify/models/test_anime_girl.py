"""The anime/cartoon network: counts, shapes and where its batch normalisation stands."""

from __future__ import annotations

import torch
from torch import nn

from classify.models import AnimeGirl
from tests.classify.models import keras


def test_parameters_are_those_of_the_description() -> None:
    # 120 -> 118 -> 116 -> 58 -> 56 -> 54 -> 27: 27 * 27 * 64 = 46656 features
    normalisation = 2 * 32  # scale and shift are trained, moving mean and variance are not
    by_hand = [keras.conv(1, 32), keras.conv(32, 32), normalisation]
    by_hand += [keras.conv(32, 64), keras.conv(64, 64)]
    by_hand += [keras.dense(46656, 128), keras.dense(128, 2)]
    assert by_hand == [320, 9248, 64, 18496, 36928, 5972096, 258]
    assert keras.trained(AnimeGirl()) == 6037410 == sum(by_hand)


def test_the_layers_stand_in_the_order_of_the_text() -> None:
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.Dropout, nn.Linear)
    network = AnimeGirl(size=(20, 20))
    found = [part for part in network.modules() if isinstance(part, kinds)]
    expected = "Conv2d Conv2d BatchNorm2d MaxPool2d Dropout Conv2d Conv2d MaxPool2d Dropout"
    assert [type(part).__name__ for part in found] == [
        *expected.split(),
        *["Linear", "Dropout", "Linear"],
    ]


def test_shapes_and_gradients() -> None:
    torch.manual_seed(0)
    network = AnimeGirl()
    pictures = torch.rand(2, 1, 120, 120)
    assert network.features(pictures).shape == (2, 64, 27, 27)
    assert network(pictures).shape == (2, 2)
    keras.assert_gradient_reaches_every_parameter(AnimeGirl(size=(30, 30)), pictures[..., :30, :30])
