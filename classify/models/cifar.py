"""The small network of the cartoon recognition paper for CIFAR-10."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from classify.models.layers import (
    ConvolutionalClassifier,
    check_counts,
    convolve,
    dense,
    map_size,
)


class Cifar(ConvolutionalClassifier):
    """Two stages of convolution and pooling, a hidden layer of 64; 167 562 parameters at 32x32x3.

    Source: "Cartoon recognition with TensorFlow" (2024), listing of the CIFAR-10 model.
    """

    def __init__(
        self, *, classes: int = 10, channels: int = 3, size: Sequence[int] = (32, 32)
    ) -> None:
        check_counts(classes=classes, channels=channels)
        height, width = map_size(size, [(3, 1), (2, 2), (3, 1), (2, 2)])
        super().__init__(
            features=nn.Sequential(
                convolve(channels, 32), nn.MaxPool2d(2), convolve(32, 64), nn.MaxPool2d(2)
            ),
            hidden=dense(64 * height * width, 64),
            output=nn.Linear(64, classes),
        )
