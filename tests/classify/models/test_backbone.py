"""torchvision's networks with an output layer of our own."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch
import torchvision

from classify.models import Backbone
from tests.classify.models import keras


@pytest.mark.parametrize(
    ("architecture", "published", "features"),
    # Parameters for 1000 classes as torchvision's documentation states them.
    [
        ("resnet18", 11689512, 512),
        ("resnet34", 21797672, 512),
        ("resnet50", 25557032, 2048),
        ("vgg16", 138357544, 4096),
    ],
)
def test_only_the_output_layer_differs_from_the_published_network(
    architecture, published, features
) -> None:
    with torch.device("meta"):
        network = Backbone(architecture=architecture, weights="random", classes=7)
    expected = published - keras.dense(features, 1000) + keras.dense(features, 7)
    assert keras.trained(network) == expected
    assert network.output.out_features == 7


def test_gray_pictures_are_repeated_and_normalised_as_imagenet() -> None:
    torch.manual_seed(0)
    network = Backbone(architecture="resnet18", weights="random", classes=3, channels=1).eval()
    gray = torch.rand(2, 1, 40, 33)
    means = torch.tensor([0.485, 0.456, 0.406])
    deviations = torch.tensor([0.229, 0.224, 0.225])
    color = torch.cat([gray, gray, gray], dim=1)
    normalised = (color - means[:, None, None]) / deviations[:, None, None]
    expected = network.output(network.features(normalised))
    torch.testing.assert_close(network(gray), expected)
    assert expected.shape == (2, 3)


def test_weights_of_a_file_are_taken_over(tmp_path) -> None:
    torch.manual_seed(1)
    original = torchvision.models.resnet18(weights=None)
    path = tmp_path / "resnet18.safetensors"
    safetensors.torch.save_file(original.state_dict(), path)
    network = Backbone(architecture="resnet18", weights=str(path), classes=2)
    torch.testing.assert_close(network.features.conv1.weight, original.conv1.weight)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"weights": "imagenet"},
            r"model\.weights=imagenet: no such file; set .*, or set it to random",
        ),
        ({"size": (20, 224)}, r"preprocessing\.size is \[20, 224\]: resnet18 needs at least 32x32"),
    ],
)
def test_a_mistake_is_one_line(settings, message) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Backbone(**({"architecture": "resnet18", "weights": "random", "classes": 2} | settings))
    assert "\n" not in str(error.value)


def test_weights_of_another_network(tmp_path) -> None:
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(1)}, path)
    with pytest.raises(
        ValueError, match=r"other\.safetensors: not the weights of resnet18, 123 of 123 tensors"
    ):
        Backbone(architecture="resnet18", weights=str(path), classes=2)
