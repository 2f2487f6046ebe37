"""The network that names the emotion on a face of FER-2013."""

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


class Emotion(ConvolutionalClassifier):
    """Two stages of convolution and pooling, a hidden layer of 500; 535 335 parameters at 48x48x1.

    ``dropout`` acts after both poolings and the hidden layer; 0 is the first of the source's two
    variants, 0.25 the second.

    The usual approach, which the thesis wants to replace, is another program: find key points of
    the face (dlib's 68-point predictor, or MediaPipe's Face Landmarker) and give their places to a
    small feed-forward net, a decision tree or an SVM (scikit-learn). It is not built here.

    Source: bachelor thesis "Emotion recognition by a CNN", sections 2.1 and 2.3, equation (1) for
    unpadded convolutions. Differs: the text's "43 outputs" is a slip, FER-2013 has 7 classes; the
    rate of the third dropout is not stated, and taken as 0.25 like the others.
    """

    def __init__(
        self,
        *,
        classes: int = 7,
        channels: int = 1,
        size: Sequence[int] = (48, 48),
        dropout: float = 0.25,
    ) -> None:
        check_counts(classes=classes, channels=channels)
        height, width = map_size(size, [(5, 2), (2, 2), (3, 1), (2, 2)])
        super().__init__(
            features=nn.Sequential(
                convolve(channels, 32, kernel=5, stride=2),
                nn.MaxPool2d(2),
                nn.Dropout(dropout),
                convolve(32, 64),
                nn.MaxPool2d(2),
                nn.Dropout(dropout),
            ),
            hidden=dense(64 * height * width, 500, dropout=dropout),
            output=nn.Linear(500, classes),
        )
