"""What all losses share: one signature, and what each says of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

Outputs = Float[Tensor, "b t k 3 h w"]
Truth = Float[Tensor, "b t 3 h w"]
Scalar = Float[Tensor, ""]
Targets = Mapping[str, Tensor]


class Loss(nn.Module, ABC):
    """A loss of K colourings, unweighted; ``weight`` is what an objective multiplies it by.

    - ``needs`` names the targets that it takes beside the true frames: derived from these
      (:mod:`colorize.data.targets.compute`), or what the network that it trains ``provides``;
    - ``frames`` is how many consecutive frames it compares: with fewer it is 0;
    - ``trains`` is the network that it is a loss of.
    """

    needs: ClassVar[frozenset[str]] = frozenset()
    frames: ClassVar[int] = 1
    trains: ClassVar[Literal["generator", "refiner"]] = "generator"

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    @abstractmethod
    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss.

        Args:
            outputs: K colourings of b clips of t frames, RGB in [0, 1] where valid, not clipped.
            truth: The true colours in [0, 1].
            targets: What ``needs`` names; entries of others are not looked at.
        """
