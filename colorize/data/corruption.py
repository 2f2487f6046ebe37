"""Spoil the colours of the frame before, as a network's own mistakes would.

A network that sees the frame before in its true colours learns to copy it, and in use copies its
own mistakes on and on. So in training the frame before is missing now and then, and otherwise wrong
in ways that can be put right by looking at the gray frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import require
from colorize.data.recolor import turned
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma

_COARSE = 6  # a field of wrong colours has this many knots along the height
_BLUR = 4  # a bleeding colouring is this many times coarser


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """Drop or spoil frames; a function of the frames and a seed.

    Args:
        drop: Probability that a frame is missing: black, and not known.
        each: Probability of each of the following, drawn apart for every frame that is left.
        hue: Largest turn of the hue, ±, in full turns.
        saturation: Range of the factor of the chroma, 1 ±.
        wash: Standard deviation of a smooth field of wrong Cb and Cr.
        holes: Largest side of a box without colour, as a share of the frame's sides.
        shift: Largest displacement of the colours, ±, as a share of the frame's sides.

    Colours bleed besides, as from a coarser frame. Luma stays as it is.

    Source: ours; the idea of training on one's own errors is Bengio et al. 2015, Scheduled
    Sampling, here by noise, which costs no second pass of the network.
    """

    drop: float = 0.2
    each: float = 0.4
    hue: float = 0.06
    saturation: float = 0.5
    wash: float = 0.06
    holes: float = 0.5
    shift: float = 0.03

    def __post_init__(self) -> None:
        for name in ("drop", "each", "holes"):
            value = getattr(self, name)
            require(f"corruption.{name}", 0 <= value <= 1, value, "a share in [0, 1]")
        for name in ("hue", "wash", "saturation"):
            value = getattr(self, name)
            require(f"corruption.{name}", value >= 0, value, "0 or more")
        require("corruption.shift", 0 <= self.shift < 1, self.shift, "a share in [0, 1)")

    def __call__(
        self, color: Float[Tensor, "t 3 h w"], known: Bool[Tensor, " t"], *, seed: int
    ) -> tuple[Float[Tensor, "t 3 h w"], Bool[Tensor, " t"]]:
        """Return spoilt frames in [0, 1], and which of them are still known."""
        random = torch.Generator().manual_seed(seed)
        kept = known & (torch.rand(len(color), generator=random) >= self.drop)
        chroma = torch.stack([self._spoil(frame, random) for frame in rgb_to_chroma(color)])
        spoilt = join_in_gamut(rgb_to_luma(color), chroma)
        return torch.where(kept[:, None, None, None], spoilt, 0.0), kept

    def _spoil(
        self, chroma: Float[Tensor, "2 h w"], random: torch.Generator
    ) -> Float[Tensor, "2 h w"]:
        """Return one frame's chroma after the spoilers that were drawn."""
        # All is drawn, used or not, so that one setting does not change what another draws.
        chosen = torch.rand(6, generator=random) < self.each
        turn, factor, down, right = _symmetric(4, random)
        height, width = chroma.shape[-2:]
        knots = torch.randn(2, _COARSE, _COARSE * 2, generator=random)
        box = torch.rand(4, generator=random)
        if chosen[0]:
            chroma = turned(chroma, turns=turn * self.hue)
        if chosen[1]:
            chroma = chroma * (1 + factor * self.saturation)
        if chosen[2]:
            field = functional.interpolate(knots[None], size=(height, width), mode="bicubic")
            chroma = chroma + self.wash * field[0]
        if chosen[3]:
            chroma = chroma * _outside(box, self.holes, height=height, width=width)
        if chosen[4]:
            steps = round(down * self.shift * height), round(right * self.shift * width)
            chroma = chroma.roll(steps, dims=(1, 2))
        if chosen[5]:
            chroma = _bleeding(chroma)
        return chroma


def _symmetric(count: int, random: torch.Generator) -> list[float]:
    """Return numbers in [-1, 1]."""
    return (2 * torch.rand(count, generator=random) - 1).tolist()


def _outside(
    box: Float[Tensor, " 4"], largest: float, *, height: int, width: int
) -> Float[Tensor, "h w"]:
    """Return 0 inside a box drawn from four numbers in [0, 1], and 1 outside."""
    tall, wide = (largest * box[:2] * torch.tensor([height, width])).int().tolist()
    top = int(box[2] * (height - tall + 1))
    left = int(box[3] * (width - wide + 1))
    mask = torch.ones(height, width)
    mask[top : top + tall, left : left + wide] = 0
    return mask


def _bleeding(chroma: Float[Tensor, "2 h w"]) -> Float[Tensor, "2 h w"]:
    """Return the chroma of a frame ``_BLUR`` times coarser."""
    height, width = chroma.shape[-2:]
    coarse = (max(1, height // _BLUR), max(1, width // _BLUR))
    small = functional.interpolate(chroma[None], size=coarse, mode="area")
    return functional.interpolate(small, size=(height, width), mode="bilinear")[0]
