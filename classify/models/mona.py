"""MonaCNN: does a picture show one certain character?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from classify.models.layers import (
    ConvolutionalClassifier,
    check_counts,
    convolve,
    dense,
    map_size,
)
from colorize.base.errors import UserError


class Mona(ConvolutionalClassifier):
    """Seven stages of convolution and pooling, two hidden layers; 44 026 582 parameters at 512x512.

    ``widths`` are the channels of the stages, ``hidden_widths`` those of the dense layers. Unpadded
    maps shrink 512 → 255 → 126 → 62 → 30 → 14 → 6 → 2, the stated 2x2x2048.

    Source: Sun & Yang, "Design and Implementation of Animation Recognition System", section 2.
    Differs: the paper speaks of "grayscale processing" beside its 512x512x3 input; RGB is the
    default here, gray is ``preprocessing.channels=1``.
    """

    def __init__(
        self,
        *,
        classes: int = 2,
        channels: int = 3,
        size: Sequence[int] = (512, 512),
        widths: Sequence[int] = (3, 64, 128, 256, 512, 1024, 2048),
        hidden_widths: Sequence[int] = (2048, 1024),
        dropout: float = 0.3,
    ) -> None:
        check_counts(classes=classes, channels=channels)
        if not widths or not hidden_widths or min(*widths, *hidden_widths) < 1:
            raise UserError(
                f"model.widths is {list(widths)} and model.hidden_widths {list(hidden_widths)}: "
                "expected one or more positive numbers each"
            )
        height, width = map_size(size, [(3, 1), (2, 2)] * len(widths))
        stages = [
            nn.Sequential(convolve(inputs, outputs), nn.MaxPool2d(2))
            for inputs, outputs in pairwise([channels, *widths])
        ]
        flat = widths[-1] * height * width
        layers = [
            dense(inputs, outputs, dropout=dropout)
            for inputs, outputs in pairwise([flat, *hidden_widths])
        ]
        super().__init__(
            features=nn.Sequential(*stages),
            hidden=nn.Sequential(*layers),
            output=nn.Linear(hidden_widths[-1], classes),
        )
