"""The network that names the expression of a hand-drawn face."""

from __future__ import annotations

from collections.abc import Sequence

from classify.models.mnist import Mnist


class Expressions(Mnist):
    """The MNIST network on 100x100 drawings of four expressions; 4 917 892 parameters.

    Source: "Cartoon recognition with TensorFlow" (2024). The paper prints the MNIST listing as the
    code of its expressions; only the size of the pictures and the number of classes are its own.
    """

    def __init__(
        self, *, classes: int = 4, channels: int = 1, size: Sequence[int] = (100, 100)
    ) -> None:
        super().__init__(classes=classes, channels=channels, size=size)
