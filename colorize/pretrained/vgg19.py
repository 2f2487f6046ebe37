"""Give activations of a frozen VGG-19, and find the network's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.base.errors import UserError, require_choice
from colorize.pretrained.frozen import CAFFE_MEAN, Pretrained, input_scaling
from colorize.pretrained.weights import Wanted, Weights

Convention = Literal["caffe", "normalised", "torchvision"]
Pooling = Literal["average", "max"]
Padding = Literal["zeros", "reflect"]

# Convolutions and width of each block; a pooling stands between two blocks (Simonyan & Zisserman
# 2015, table 1, column E).
_BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))


@dataclass(frozen=True)
class _Layer:
    """One convolution: its name, torchvision's index in ``features``, and its widths."""

    name: str
    index: int
    in_channels: int
    out_channels: int


def _layers() -> tuple[_Layer, ...]:
    layers, index, width = [], 0, 3
    for block, (count, channels) in enumerate(_BLOCKS, start=1):
        for position in range(1, count + 1):
            layers.append(_Layer(f"conv{block}_{position}", index, width, channels))
            index, width = index + 2, channels  # each convolution is followed by a ReLU
        index += 1  # the pooling
    return tuple(layers)


_LAYERS = _layers()


class VGG19(Pretrained):
    """Frozen VGG-19 that returns chosen activations after ReLU; gradients flow to its input.

    Only the layers up to the deepest of ``taps`` (``conv1_1`` ... ``conv5_4``) are built.
    ``weights``: see :class:`Pretrained`; a file may be cut off after some layer.

    ``convention`` says how a file's weights were trained; a file does not say it itself:

    - ``caffe``: the original network, BGR in 0...255 minus the ImageNet mean. What the constants
      of [L] (taps divided by 255, the divisors of RankDiv) were made for;
    - ``normalised``: the same input, each ReLU rescaled to a mean of 1 over ImageNet;
    - ``torchvision``: RGB in [0, 1] minus the mean, divided by the standard deviation. Its input
      is 255 * 0.226 = 58 times smaller than Caffe's, and so are activations by as much as its
      training did not make up for in the weights.

    The attribute ``unit`` is what an activation is divided by to be of order one: 255 for Caffe
    ([L]), 1 for the others (ours: their input or activations are of that order by construction).
    It is part of the state, as input scaling is, so a checkpoint describes both.

    ``padding="zeros"`` pads with the mean colour, as all three were trained but for some
    ``normalised`` files, made with ``reflect``.

    Source: Simonyan & Zisserman 2015; average pooling as Lei & Chen 2019, released code.
    Differs: pooling keeps the last row and column of odd sizes (TensorFlow's SAME, as [L]).
    """

    wanted = Wanted(
        network="VGG-19",
        option="features.weights",
        torchvision="VGG19_Weights.IMAGENET1K_V1",
        otherwise="choose features=none",
        part="features.",
    )
    unit: Tensor

    def __init__(
        self,
        *,
        weights: str | Path,
        taps: Sequence[str] = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2"),
        pooling: Pooling = "average",
        padding: Padding = "zeros",
        convention: Convention | None = None,
    ) -> None:
        super().__init__()
        self.taps = tuple(taps)
        self.layers = _up_to_deepest(self.taps)
        require_choice("features.pooling", pooling, Pooling)
        require_choice("features.padding", padding, Padding)
        self.pooling = pooling
        self.convention = _resolve_convention(weights, convention)
        self.convolutions = nn.ModuleDict(
            {layer.name: _empty_convolution(layer, padding) for layer in self.layers}
        )
        self.scale, self.shift = input_scaling(caffe=self.convention != "torchvision")
        self.register_buffer("unit", torch.tensor(255.0 if self.convention == "caffe" else 1.0))
        self.take(weights)

    @property
    def channels(self) -> dict[str, int]:
        """Number of channels of each tap."""
        widths = {layer.name: layer.out_channels for layer in self.layers}
        return {tap: widths[tap] for tap in self.taps}

    def forward(self, rgb: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b _c _h _w"]]:
        """Return the activations of each tap for RGB in [0, 1], at the tap's own resolution.

        Raises: RuntimeError when the weights were to come from a checkpoint that was not loaded.
        """
        self.require_weights()
        activation = rgb * self.scale - self.shift
        found = {}
        for layer in self.layers:
            if layer.name != "conv1_1" and layer.name.endswith("_1"):
                activation = self._pool(activation)
            activation = functional.relu(self.convolutions[layer.name](activation), inplace=True)
            if layer.name in self.taps:
                found[layer.name] = activation
        return {tap: found[tap] for tap in self.taps}

    def _pool(self, activation: Tensor) -> Tensor:
        if self.pooling == "average":
            return functional.avg_pool2d(activation, 2, ceil_mode=True)
        return functional.max_pool2d(activation, 2, ceil_mode=True)

    def _fill(self, found: Weights) -> str:
        _check_preprocessing(found, self.convention)
        held = _held(found.tensors)
        own = self.convolutions.state_dict()
        # Shapes first: a file of another network is not to be called a VGG-19 cut short.
        found.fill(
            {
                f"{layer.index}.{kind}": own[f"{layer.name}.{kind}"]
                for layer in self.layers
                for kind in ("weight", "bias")
                if layer.name in held or not held
            },
            bgr=self.convention != "torchvision",
        )
        lacking = [tap for tap in self.taps if tap not in held]
        if lacking:
            raise found.error(
                f"holds no weights for the tap {lacking[0]}; it has {', '.join(held)}",
                "set features.taps to some of these, or features.weights to a complete file",
            )
        extent = "" if len(held) == len(_LAYERS) else f" to {held[-1].replace('conv', 'relu')}"
        return f"{extent} ({self.convention})"


def _up_to_deepest(taps: tuple[str, ...]) -> tuple[_Layer, ...]:
    """Return the layers needed for ``taps``."""
    names = [layer.name for layer in _LAYERS]
    unknown = [tap for tap in taps if tap not in names]
    if unknown or not taps or len(set(taps)) < len(taps):
        what = f"holds {unknown[0]!r}" if unknown else f"is {list(taps)}"
        raise UserError(f"features.taps {what}: expected different names among {', '.join(names)}")
    return _LAYERS[: 1 + max(names.index(tap) for tap in taps)]


def _resolve_convention(weights: str | Path, convention: Convention | None) -> Convention:
    """Return the convention of ``weights``; for a file it has to be given."""
    if convention is not None:
        require_choice("features.convention", convention, Convention)
        if str(weights) == "torchvision" and convention != "torchvision":
            raise UserError(
                f"features.convention is {convention!r}, but features.weights=torchvision was "
                "trained by torchvision's; leave features.convention out"
            )
        return convention
    if str(weights) == "torchvision":
        return "torchvision"
    if str(weights) in ("random", "checkpoint"):
        return "caffe"  # a checkpoint brings its own scaling in its state
    raise UserError(
        f"features.convention is not set: say how {weights} was trained: caffe, normalised "
        "or torchvision (see colorize.pretrained.vgg19.VGG19)"
    )


def _empty_convolution(layer: _Layer, padding: str) -> nn.Conv2d:
    """Return an unfilled convolution; unlike the constructor, draws no random numbers."""
    return nn.utils.skip_init(
        nn.Conv2d, layer.in_channels, layer.out_channels, 3, padding=1, padding_mode=padding
    )


def _held(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the layers before the first gap."""
    kinds = ("weight", "bias")
    whole = takewhile(lambda x: all(f"{x.index}.{kind}" in tensors for kind in kinds), _LAYERS)
    return [layer.name for layer in whole]


def _check_preprocessing(found: Weights, convention: Convention) -> None:
    """Refuse a file whose own ``preprocess`` layer is not the input scaling of ``convention``."""
    weight, bias = (found.tensors.get(f"preprocess.{kind}") for kind in ("weight", "bias"))
    if weight is None or bias is None:
        return
    expected_weight = 255 * torch.eye(3).flip(0)  # RGB in [0, 1] -> BGR in 0...255
    expected_bias = -torch.tensor(CAFFE_MEAN).flip(0)
    fits = weight.numel() == 9 and bias.numel() == 3 and convention != "torchvision"
    if not (
        fits
        and torch.allclose(weight.reshape(3, 3), expected_weight, atol=1e-3)
        and torch.allclose(bias.reshape(3), expected_bias, atol=1e-3)
    ):
        raise found.error(
            f"its preprocess layer is not that of features.convention={convention}",
            "choose the convention it was trained with, or another file for features.weights",
        )
