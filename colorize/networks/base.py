"""What every network that colours gray frames offers, whoever samples, trains or measures it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from colorize.networks.guided.references import References

Luma = Literal["free", "keep"]
Inputs = Literal["gray", "gray_pair", "gray_segments", "gray_previous"]


@dataclass(frozen=True)
class Painted:
    """What a network made of b frames.

    ``colors`` are its K RGB colourings, not clipped. ``provided`` are targets of losses that the
    network gives itself, by name (:attr:`Network.provides`).
    """

    colors: Float[Tensor, "b k 3 h w"]
    provided: Mapping[str, Tensor] = field(default_factory=dict)


class Network(nn.Module):
    """A network that colours gray frames in [0, 1].

    - ``outputs`` is K, the number of its colourings;
    - ``luma`` says whether they keep the luma of the frames ("keep") or have one of their own
      ("free", as in [L]): see :func:`colorize.imaging.color.displayable`;
    - ``inputs`` names what it sees beside the gray frame
      (:mod:`colorize.networks.prototype.inputs`), and so whether it waits for the one before;
    - ``takes`` is what it can be given besides: ``references``;
    - ``provides`` names the targets of losses that it gives itself, ``provides_with`` the setting
      by which it gives others;
    - ``fresh_parts`` are prefixes of its weights that a checkpoint to start from need not hold, or
      may hold in another form;
    - ``widened_parts`` are those of layers that may have had fewer outputs there.
    """

    outputs: int
    luma: Luma = "keep"
    inputs: Inputs = "gray"
    takes: ClassVar[frozenset[str]] = frozenset()
    provides: frozenset[str] = frozenset()
    provides_with: ClassVar[Mapping[str, str]] = {}
    fresh_parts: Sequence[str] = ()
    widened_parts: Sequence[str] = ()

    def forward(
        self,
        gray: Float[Tensor, "b 1 h w"],
        references: References | None = None,
        *,
        extra: Float[Tensor, "b e h w"] | None = None,
    ) -> Painted:
        """Return frames in [0, 1] of any size, coloured.

        ``references`` are those of each frame, for a network that takes them; ``extra`` are the
        planes that ``inputs`` asks for.
        """
        raise NotImplementedError
