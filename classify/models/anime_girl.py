"""The network that tells anime girls from cartoon girls."""

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


class AnimeGirl(ConvolutionalClassifier):
    """Two stages of two convolutions and pooling, batch normalisation in the first.

    6 037 410 trained parameters at 120x120x1. Its L2 penalty is ``optimizer.l2``.

    Source: "Anime/Cartoon Girl Classifier" (mlearning.ai), section on the choice of a model.
    Differs: the article shows the layers as a picture that is gone. Their kinds and order are its
    text's; the widths (32, 64, 128) and dropout rates are the customary ones of that time.
    """

    def __init__(
        self,
        *,
        classes: int = 2,
        channels: int = 1,
        size: Sequence[int] = (120, 120),
        dropout: float = 0.25,
        hidden_dropout: float = 0.5,
    ) -> None:
        check_counts(classes=classes, channels=channels)
        height, width = map_size(size, [(3, 1), (3, 1), (2, 2)] * 2)
        first = [convolve(channels, 32), convolve(32, 32), nn.BatchNorm2d(32), nn.MaxPool2d(2)]
        second = [convolve(32, 64), convolve(64, 64), nn.MaxPool2d(2)]
        super().__init__(
            features=nn.Sequential(*first, nn.Dropout(dropout), *second, nn.Dropout(dropout)),
            hidden=dense(64 * height * width, 128, dropout=hidden_dropout),
            output=nn.Linear(128, classes),
        )
