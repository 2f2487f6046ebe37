"""The smallest network of the cartoon recognition paper, for MNIST digits."""

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


class Mnist(ConvolutionalClassifier):
    """One convolution with pooling, a hidden layer of 64; 347 146 parameters at 28x28x1.

    Source: "Cartoon recognition with TensorFlow" (2024), listing of the MNIST model.
    """

    def __init__(
        self, *, classes: int = 10, channels: int = 1, size: Sequence[int] = (28, 28)
    ) -> None:
        check_counts(classes=classes, channels=channels)
        height, width = map_size(size, [(3, 1), (2, 2)])
        super().__init__(
            features=nn.Sequential(convolve(channels, 32), nn.MaxPool2d(2)),
            hidden=dense(32 * height * width, 64),
            output=nn.Linear(64, classes),
        )
