"""The compact network: counts by hand, shapes, gradients."""

from __future__ import annotations

import pytest
import torch

from classify.models import Compact
from tests.classify.models import keras


def test_parameters_are_those_counted_by_hand() -> None:
    # Convolutions without bias, and two numbers a plane for each batch normalisation.
    first = 9 * 1 * 4 + 9 * 4 * 4 + 2 * 2 * 4
    second = 9 * 4 * 8 + 9 * 8 * 8 + 2 * 2 * 8
    assert (first, second) == (196, 896)
    network = Compact(widths=(4, 8), classes=5)
    assert keras.trained(network) == 1137 == first + second + keras.dense(8, 5)


def test_shapes_and_gradients() -> None:
    torch.manual_seed(0)
    network = Compact(widths=(4, 8, 8), stride=2)
    pictures = torch.rand(6, 1, 48, 48)
    assert network.features(pictures).shape == (6, 8, 6, 6)
    keras.assert_gradient_reaches_every_parameter(network, pictures)


def test_gradcheck() -> None:
    torch.manual_seed(0)
    network = Compact(widths=(2, 3), classes=2, size=(4, 4), dropout=0.0).double().eval()
    pictures = torch.rand(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, pictures)


def test_pictures_that_are_too_small() -> None:
    with pytest.raises(ValueError, match=r"preprocessing\.size is \[4, 48\].*at least 8 pixels"):
        Compact(size=(4, 48))
