"""The U-Net that the generator and the refinement network are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.base.errors import UserError

Normalization = Literal["none", "batch"]

_NEGATIVE_SLOPE = 0.2


class UNet(nn.Module):
    """U-Net of plain 3x3 convolutions with leaky ReLU, for frames of any size.

    ``normalization="batch"`` puts batch normalisation after every 3x3 convolution but the last
    (ours: it learns several times faster on a few hundred steps); ``"none"`` is [L].

    ``sides`` gives the channels of planes that join on the way down: ``{2: 128}`` projects 128
    planes by a 1x1 convolution and adds them where the frame is a quarter of its size (level 2).

    ``first`` may replace the first layer, a 1x1 convolution of the input: any module from the
    padded frame to ``channels[0]`` planes of the same size, before the activation. Its trained
    convolutions are initialised like the others.

    Source: Lei & Chen 2019, section 3.1 and released code (VCN): slope 0.2, Xavier
    initialisation, no normalisation, no activation after the convolution that follows upsampling.
    Differs: sides that are no multiple of 16 are padded by replication and cut back (the released
    code crops the frame); bilinear upsampling has aligned pixel centres (``align_corners=False``),
    where TensorFlow's of that time was shifted by half a pixel.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        normalization: Normalization = "none",
        first: nn.Module | None = None,
        sides: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__()
        if len(channels) < 2 or min(channels) < 1:
            raise UserError(
                f"model.channels is {list(channels)}: expected two or more positive numbers"
            )
        self.first = nn.Conv2d(in_channels, channels[0], 1) if first is None else first
        self.second = _convolution(channels[0], channels[0], normalization)
        self.sides = nn.ModuleDict(
            {
                str(level): nn.Conv2d(side, channels[level], 1)
                for level, side in (sides or {}).items()
            }
        )
        self.downs = nn.ModuleList(
            _Down(shallow, deep, normalization) for shallow, deep in pairwise(channels)
        )
        ends = [*channels[1:-1][::-1], out_channels]
        self.ups = nn.ModuleList(
            _Up(deep, shallow, end, normalization)
            for deep, shallow, end in zip(channels[:0:-1], channels[-2::-1], ends, strict=True)
        )
        # The last convolution of the last stage is the network's output.
        self.ups[-1].convolve_2 = _convolution(channels[0], out_channels, "none")
        for module in (self.first, self.second, self.sides, self.downs, self.ups):
            _initialise(module)

    @property
    def output(self) -> nn.Conv2d:
        """The last convolution."""
        return cast("nn.Conv2d", self.ups[-1].convolve_2)

    @property
    def multiple(self) -> int:
        """What both sides are padded to a multiple of."""
        return int(2 ** len(self.downs))

    def forward(
        self,
        frame: Float[Tensor, "b c h w"],
        sides: Mapping[int, Float[Tensor, "b _c _h _w"]] | None = None,
    ) -> Float[Tensor, "b o h w"]:
        """Return the network's output, without activation, at the size of ``frame``.

        ``sides`` holds the planes of each level that the network was made with, of any size.
        """
        height, width = frame.shape[-2:]
        activation = _activate(self.first(pad_to_multiple(frame, self.multiple)))
        activation = _activate(self.second(activation))
        skips = []
        for level, down in enumerate(self.downs, start=1):
            skips.append(activation)
            activation = down(activation)
            if str(level) in self.sides:
                assert sides is not None
                side = self.sides[str(level)](sides[level])
                activation = activation + resize_bilinear(side, activation.shape[-2:])
        for up, skip in zip(self.ups[:-1], skips[:0:-1], strict=True):
            activation = _activate(up(activation, skip))
        return self.ups[-1](activation, skips[0])[..., :height, :width]


class _Down(nn.Module):
    """Halve the size, then convolve twice."""

    def __init__(self, in_channels: int, out_channels: int, normalization: Normalization) -> None:
        super().__init__()
        self.convolve_1 = _convolution(in_channels, out_channels, normalization)
        self.convolve_2 = _convolution(out_channels, out_channels, normalization)

    def forward(self, activation: Float[Tensor, "b c h w"]) -> Float[Tensor, "b o _h _w"]:
        activation = _activate(self.convolve_1(functional.max_pool2d(activation, 2)))
        return _activate(self.convolve_2(activation))


class _Up(nn.Module):
    """Double the size, add the skip, then convolve twice; the caller activates the result."""

    def __init__(
        self, in_channels: int, channels: int, out_channels: int, normalization: Normalization
    ) -> None:
        super().__init__()
        self.reduce = _convolution(in_channels, channels, normalization)
        self.convolve_1 = _convolution(2 * channels, channels, normalization)
        self.convolve_2 = _convolution(channels, out_channels, normalization)

    def forward(
        self, activation: Float[Tensor, "b c _h _w"], skip: Float[Tensor, "b s h w"]
    ) -> Float[Tensor, "b o h w"]:
        larger = functional.interpolate(
            activation, scale_factor=2, mode="bilinear", align_corners=False
        )
        joined = torch.cat([self.reduce(larger), skip], dim=1)
        return self.convolve_2(_activate(self.convolve_1(joined)))


def pad_to_multiple(frame: Float[Tensor, "b c h w"], multiple: int) -> Float[Tensor, "b c _h _w"]:
    """Repeat the last row and column until both sides are multiples of ``multiple``."""
    height, width = frame.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if not below and not right:
        return frame
    return functional.pad(frame, (0, right, 0, below), mode="replicate")


def resize_bilinear(
    planes: Float[Tensor, "b c _h _w"], size: Sequence[int]
) -> Float[Tensor, "b c h w"]:
    """Resize to ``size`` (height, width), pixel centres aligned as in ``align_corners=False``."""
    if tuple(planes.shape[-2:]) == tuple(size):
        return planes
    return functional.interpolate(planes, size=tuple(size), mode="bilinear", align_corners=False)


def _convolution(in_channels: int, out_channels: int, normalization: Normalization) -> nn.Module:
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    if normalization == "none":
        return convolution
    if normalization == "batch":
        return nn.Sequential(convolution, nn.BatchNorm2d(out_channels))
    raise UserError(f"model.normalization is {normalization!r}: expected none or batch")


def _activate(activation: Tensor) -> Tensor:
    return functional.leaky_relu(activation, _NEGATIVE_SLOPE)


def _initialise(module: nn.Module) -> None:
    """Draw Xavier-uniform weights and zero biases for every trained convolution."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and part.weight.requires_grad:
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
