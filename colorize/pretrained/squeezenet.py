"""Give activations of a frozen SqueezeNet at three depths: what frames are matched by."""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.pretrained.frozen import Pretrained, input_scaling
from colorize.pretrained.weights import Wanted, Weights

# The last fire modules at strides 4, 8 and 16, as indices of torchvision's ``features``.
_TAPS = (4, 7, 12)


class SqueezeNet(Pretrained):
    """Frozen SqueezeNet 1.1 that returns activations at strides 4, 8 and 16.

    Its attribute ``channels`` is (128, 256, 512). ``weights``: see :class:`Pretrained`; a
    safetensors file whose metadata says ``input: BGR 0-255 …`` is fed Caffe's input.

    Source: Iandola et al. 2016, version 1.1 of the released code.
    Differs: the first convolution is padded by the edge of the frame, so that activations lie where
    their pixels do.
    """

    wanted = Wanted(
        network="SqueezeNet 1.1",
        option="model.features.weights",
        torchvision="SqueezeNet1_1_Weights.IMAGENET1K_V1",
        part="features.",
    )
    channels = (128, 256, 512)
    strides = (4, 8, 16)

    def __init__(self, *, weights: str | Path) -> None:
        super().__init__()
        # Takes no random numbers from others; to_empty() of a "meta" device would import SymPy.
        with torch.random.fork_rng(devices=[]):
            self.layers = _layers()
        self.take(weights)

    def forward(self, gray: Float[Tensor, "b 1 h w"]) -> list[Float[Tensor, "b _c _h _w"]]:
        """Return the activations of gray frames in [0, 1] at strides 4, 8 and 16.

        Raises: RuntimeError when the weights were to come from a checkpoint that was not loaded.
        """
        self.require_weights()
        seen = gray.expand(-1, 3, -1, -1) * self.scale - self.shift
        activation = functional.pad(seen, (1, 1, 1, 1), mode="replicate")
        taps = []
        for index, layer in enumerate(self.layers):
            activation = layer(activation)
            if index in _TAPS:
                taps.append(activation)
        return taps

    def _fill(self, found: Weights) -> str:
        caffe = found.caffe
        found.fill(self.layers.state_dict(), bgr=caffe)
        self.scale, self.shift = input_scaling(caffe=caffe)
        return f" ({'Caffe' if caffe else 'torchvision'})"


class _Fire(nn.Module):
    """Squeeze to few channels, then expand them by 1x1 and 3x3 convolutions side by side."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, activation: Float[Tensor, "b _c h w"]) -> Float[Tensor, "b _e h w"]:
        squeezed = functional.relu(self.squeeze(activation), inplace=True)
        expanded = torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1)
        return functional.relu(expanded, inplace=True)


def _layers() -> nn.Sequential:
    """Return the layers before the classifier, in torchvision's order and by its names."""
    pooling = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, stride=2),
        nn.ReLU(inplace=True),
        pooling,
        _Fire(64, 16, 64),
        _Fire(128, 16, 64),
        pooling,
        _Fire(128, 32, 128),
        _Fire(256, 32, 128),
        pooling,
        _Fire(256, 48, 192),
        _Fire(384, 48, 192),
        _Fire(384, 64, 256),
        _Fire(512, 64, 256),
    )
