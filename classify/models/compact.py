"""A small network of today's habits, for comparison with the ported ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from classify.models.layers import check_counts
from colorize.base.errors import UserError


class Compact(nn.Module):
    """Stages of two padded 3x3 convolutions with batch normalisation, then global average pooling.

    The first convolution has stride ``stride``; every later stage halves the size. Kernels start as
    in He et al. 2015.

    Source: the pattern of VGG (Simonyan & Zisserman 2015) with batch normalisation; ours in width.
    """

    def __init__(
        self,
        *,
        classes: int = 7,
        channels: int = 1,
        size: Sequence[int] = (48, 48),
        widths: Sequence[int] = (32, 64, 128, 256),
        stride: int = 1,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_counts(classes=classes, channels=channels)
        smallest = stride * 2 ** (len(widths) - 1)
        if not widths or min(size) < smallest:
            raise UserError(
                f"preprocessing.size is {list(size)}: model.widths={list(widths)} with "
                f"stride {stride} needs one stage or more, and at least {smallest} pixels a side"
            )
        stages = [_stage(channels, widths[0], stride)]
        stages += [
            nn.Sequential(nn.MaxPool2d(2), _stage(inputs, outputs, 1))
            for inputs, outputs in pairwise(widths)
        ]
        self.features = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(widths[-1], classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Return logits of pictures in [0, 1]."""
        features = self.features(pictures - 0.5).mean(dim=(2, 3))
        return self.output(self.dropout(features))


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
