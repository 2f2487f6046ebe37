"""Networks of torchvision with an output layer of our own, as the sources' outlooks suggest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from classify.models.layers import check_counts
from colorize.base.errors import UserError
from colorize.pretrained.frozen import IMAGENET_MEAN, IMAGENET_STD
from colorize.pretrained.weights import Wanted

Architecture = Literal["resnet18", "resnet34", "resnet50", "vgg16"]
_SMALLEST = 32  # pixels a side: both families halve the size five times
_ENTRIES = {
    "resnet18": "ResNet18_Weights.IMAGENET1K_V1",
    "resnet34": "ResNet34_Weights.IMAGENET1K_V1",
    "resnet50": "ResNet50_Weights.IMAGENET1K_V2",
    "vgg16": "VGG16_Weights.IMAGENET1K_V1",
}


class Backbone(nn.Module):
    """A ResNet or VGG-16 whose last layer is replaced by one logit per class.

    ``weights`` is ``random`` (trained from nothing), ``torchvision`` (ImageNet, downloaded), or a
    file of torchvision's names; a checkpoint of ours says ``checkpoint`` and fills the
    network itself. Gray pictures are repeated over RGB.

    Raises:
        UserError: Too small pictures, or (PretrainedWeightsError) weights that cannot be had.

    Source: He et al. 2016 and Simonyan & Zisserman 2015, by torchvision.
    """

    means: Tensor
    deviations: Tensor

    def __init__(
        self,
        *,
        architecture: Architecture,
        weights: str,
        classes: int,
        channels: int = 3,
        size: Sequence[int] = (224, 224),
    ) -> None:
        super().__init__()
        check_counts(classes=classes, channels=channels)
        if min(size) < _SMALLEST:
            raise UserError(
                f"preprocessing.size is {list(size)}: {architecture} needs at least "
                f"{_SMALLEST}x{_SMALLEST} pixels"
            )
        network: Any = _network(architecture, weights)
        # Both families end in a dense layer: ResNet's is `fc`, VGG's the last of `classifier`.
        if architecture == "vgg16":
            self.output = nn.Linear(network.classifier[-1].in_features, classes)
            network.classifier[-1] = nn.Identity()
        else:
            self.output = nn.Linear(network.fc.in_features, classes)
            network.fc = nn.Identity()
        self.features = network
        self.register_buffer("means", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviations", torch.tensor(IMAGENET_STD).view(3, 1, 1), False)

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Return logits of gray or RGB pictures in [0, 1]."""
        color = pictures.expand(-1, 3, -1, -1)
        return self.output(self.features((color - self.means) / self.deviations))


def _network(architecture: str, weights: str) -> nn.Module:
    """Build a network of torchvision and fill it as ``weights`` says."""
    from torchvision import models  # only here: it costs seconds that other classifiers do not need

    network: nn.Module = getattr(models, architecture)(weights=None)
    if weights not in ("random", "checkpoint"):
        wanted = Wanted(
            network=architecture,
            option="model.weights",
            torchvision=_ENTRIES[architecture],
            otherwise="set it to random to train from nothing",
        )
        wanted.find(weights).fill(network.state_dict())
    return network
