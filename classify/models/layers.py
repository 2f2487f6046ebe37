"""What the ported networks share: convolutions, then dense layers, then one logit per class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import UserError


class ConvolutionalClassifier(nn.Module):
    """Features by convolutions, hidden dense layers, and an output layer of one logit per class.

    Every kernel starts as in Keras: Glorot uniform, biases zero.
    """

    def __init__(self, *, features: nn.Module, hidden: nn.Module, output: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.hidden = hidden
        self.output = output
        initialise_as_keras(self)

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Return logits of pictures in [0, 1]."""
        return self.output(self.hidden(self.features(pictures).flatten(1)))


def initialise_as_keras(module: nn.Module) -> None:
    """Draw Glorot-uniform kernels and zero the biases of every convolution and dense layer."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def convolve(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return an unpadded convolution with ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride), nn.ReLU())


def dense(inputs: int, outputs: int, *, dropout: float = 0.0) -> nn.Sequential:
    """Return a dense layer with ReLU and dropout."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout))


def side_after(side: int, steps: Iterable[tuple[int, int]]) -> int:
    """Return what is left of ``side`` pixels after unpadded steps of (kernel, stride)."""
    for kernel, stride in steps:
        side = (side - kernel) // stride + 1 if side >= kernel else 0
    return side


def map_size(size: Sequence[int], steps: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return (height, width) of the last map for pictures of ``size``.

    Raises:
        ValueError: Nothing would be left of such small pictures.
    """
    height, width = (side_after(int(side), steps) for side in size)
    if min(height, width) < 1:
        smallest = next(side for side in range(1, 4096) if side_after(side, steps) > 0)
        raise UserError(
            f"preprocessing.size is {list(size)}: this network needs at least "
            f"{smallest}x{smallest} pixels"
        )
    return height, width


def check_counts(*, classes: int, channels: int) -> None:
    """Refuse a network without anything to tell apart, or pictures that are no gray or RGB.

    Raises:
        ValueError: Naming the option and what it can be.
    """
    if classes < 2:
        raise UserError(f"model.classes is {classes}: expected 2 or more")
    if channels not in (1, 3):
        raise UserError(f"preprocessing.channels is {channels}: expected 1 (gray) or 3 (RGB)")
