"""What every network that colours gray frames offers, whoever samples, trains or measures it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import nn

Luma = Literal["free", "keep"]
Inputs = Literal["gray", "gray_pair", "gray_segments", "gray_previous"]


class Network(nn.Module):
    """A network that colours gray frames in [0, 1].

    - ``outputs`` is K, the number of its colourings;
    - ``luma`` says whether they keep the luma of the frames ("keep") or have one of their own
      ("free", as in [L]): see :func:`colorize.imaging.color.displayable`;
    - ``inputs`` names what it sees beside the gray frame
      (:mod:`colorize.networks.prototype.inputs`), and so whether it waits for the one before;
    - ``takes`` is what it can be given besides: ``references``;
    - ``provides`` names the targets of losses that it gives itself;
    - ``fresh_parts`` are prefixes of its weights that a checkpoint to start from need not hold.
    """

    outputs: int
    luma: Luma = "keep"
    inputs: Inputs = "gray"
    takes: ClassVar[frozenset[str]] = frozenset()
    provides: ClassVar[frozenset[str]] = frozenset()
    fresh_parts: Sequence[str] = ()
