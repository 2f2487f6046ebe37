"""Networks of torchvision with an output layer of our own, as the sources' outlooks suggest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
import torchvision
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor, nn

from classify.models.layers import check_counts
from colorize.base.errors import UserError

Architecture = Literal["resnet18", "resnet34", "resnet50", "vgg16"]
_SMALLEST = 32  # pixels a side: both families halve the size five times
_MEANS = (0.485, 0.456, 0.406)  # of ImageNet's RGB in [0, 1], as torchvision's weights expect
_DEVIATIONS = (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """A ResNet or VGG-16 whose last layer is replaced by one logit per class.

    ``weights`` is ``random`` (trained from nothing), ``torchvision`` (ImageNet, downloaded), or a
    safetensors file of torchvision's names; a checkpoint of ours says ``checkpoint`` and fills the
    network itself. Gray pictures are repeated over RGB.

    Raises:
        ValueError: Too small pictures, or weights that cannot be had.

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
        self.register_buffer("means", torch.tensor(_MEANS).view(3, 1, 1), persistent=False)
        self.register_buffer("deviations", torch.tensor(_DEVIATIONS).view(3, 1, 1), False)

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Return logits of gray or RGB pictures in [0, 1]."""
        color = pictures.expand(-1, 3, -1, -1)
        return self.output(self.features((color - self.means) / self.deviations))


def _network(architecture: str, weights: str) -> nn.Module:
    """Build a network of torchvision and fill it as ``weights`` says."""
    build: Callable[..., nn.Module] = getattr(torchvision.models, architecture)
    if weights in ("random", "checkpoint"):
        return build(weights=None)
    if weights == "torchvision":
        try:
            return build(weights="DEFAULT")
        except OSError as error:
            raise UserError(
                f"model.weights=torchvision: {architecture} cannot be downloaded ({error}); pass "
                "model.weights=FILE.safetensors, or model.weights=random to train from nothing"
            ) from error
    path = Path(weights)
    if not path.is_file():
        raise UserError(
            f"model.weights is {weights!r}: no such file; expected random, torchvision or a "
            f"safetensors file of torchvision's {architecture}"
        )
    network = build(weights=None)
    try:
        network.load_state_dict(safetensors.torch.load_file(path))
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is no weights of {architecture} ({reason})") from error
    return network
