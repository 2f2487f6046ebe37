"""MonaCNN: the counts and the shrinking maps of the paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from classify.models import Mona
from tests.classify.models import keras


def test_parameters_and_maps_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        network = Mona()
        pictures = torch.empty(1, 3, 512, 512)
        sides = []
        for stage in network.features:
            pictures = stage(pictures)
            sides.append(pictures.shape[-1])
    assert sides == [255, 126, 62, 30, 14, 6, 2]
    assert pictures.shape == (1, 2048, 2, 2)
    widths = [3, 3, 64, 128, 256, 512, 1024, 2048]
    by_hand = [keras.conv(widths[i], widths[i + 1]) for i in range(7)]
    assert by_hand == [84, 1792, 73856, 295168, 1180160, 4719616, 18876416]
    by_hand += [keras.dense(8192, 2048), keras.dense(2048, 1024), keras.dense(1024, 2)]
    assert by_hand[7:] == [16779264, 2098176, 2050]
    assert keras.trained(network) == 44026582 == sum(by_hand)


def test_dropout_is_as_stated_and_gray_is_an_option() -> None:
    with torch.device("meta"):
        network = Mona(channels=1)
    dropouts = [part.p for part in network.modules() if isinstance(part, nn.Dropout)]
    assert dropouts == [0.3, 0.3]
    assert network.features[0][0][0].weight.shape == (3, 1, 3, 3)


def test_a_gradient_reaches_every_parameter_of_a_small_one() -> None:
    torch.manual_seed(0)
    network = Mona(size=(46, 46), widths=(3, 8, 8), hidden_widths=(16, 8))
    assert network(torch.rand(2, 3, 46, 46)).shape == (2, 2)
    keras.assert_gradient_reaches_every_parameter(network, torch.rand(8, 3, 46, 46))


def test_settings_that_fit_no_network() -> None:
    with pytest.raises(ValueError, match=r"model\.widths is \[\] .*one or more positive"):
        Mona(widths=())
    with pytest.raises(ValueError, match=r"preprocessing\.size is \[256, 256\].*at least 382x382"):
        Mona(size=(256, 256))
