"""Paint gray frames by what things were coloured like in training, without any reference."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from colorize.networks.unet import Normalization, UNet

_HALF_RANGE = 0.5  # chroma fills [-0.5, 0.5]


class UnguidedPainter(nn.Module):
    """A U-Net that sees gray and SqueezeNet's activations, which tell what is where.

    ``seen`` are the channels of the activations at strides 4, 8 and 16.
    """

    def __init__(
        self,
        *,
        seen: Sequence[int],
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        normalization: Normalization = "batch",
    ) -> None:
        super().__init__()
        self.unet = UNet(
            in_channels=1,
            out_channels=2,
            channels=channels,
            normalization=normalization,
            sides={level: side for level, side in enumerate(seen, 2) if level < len(channels)},
        )
        with torch.no_grad():
            self.unet.output.weight.mul_(0.1)

    def forward(
        self, gray: Float[Tensor, "b 1 h w"], taps: Sequence[Float[Tensor, "b _ _h _w"]]
    ) -> Float[Tensor, "b 2 h w"]:
        """Return the chroma of frames; ``taps`` are the activations, of unit mean square."""
        return chroma_of(self.unet(gray - 0.5, dict(enumerate(taps, start=2))).float())


def chroma_of(painted: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 2 h w"]:
    """Bring the output of a network into the range of chroma."""
    return torch.tanh(painted) * _HALF_RANGE


def spread_of(painted: Float[Tensor, "b n h w"]) -> Float[Tensor, "b n h w"]:
    """Bring the output of a network into the range of errors of chroma: 0.004 to 0.5."""
    return torch.exp(painted.clamp(-3, 1.8) - 2.5)
