"""Paint gray frames without any reference, by members that know how far they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.networks.guided.fusion import block
from colorize.networks.guided.unguided import chroma_of, spread_of
from colorize.networks.unet import resize_bilinear

_STRIDE = 4  # pixels of a frame for one place that is painted
_SLOPE = 0.2
_NEIGHBORS = 9  # places that a pixel's colour is mixed of
_BLOCK, _BRIGHT = 8, 0.7  # pixels, and their luma in a frame that is no fade
_GAIN = 4.0  # brings chroma to the order of 1


class Opinions(NamedTuple):
    """What m members make of b frames.

    ``bold`` is the chroma that each would paint, ``kept`` as much of it as it can be trusted with,
    by itself, on drawings of a kind that it has never seen. ``spread`` is the error that it expects
    of that: the root of the mean square over Cb and Cr.
    """

    bold: Float[Tensor, "b m 2 h w"]
    kept: Float[Tensor, "b m 2 h w"]
    spread: Float[Tensor, "b m 1 h w"]


class Guess(NamedTuple):
    """What is painted without references, and the error that is expected of it."""

    chroma: Float[Tensor, "b 2 h w"]
    spread: Float[Tensor, "b 1 h w"]
    opinions: Opinions


class Committee(nn.Module):
    """Some small decoders of frozen activations, who paint what they agree on.

    Drawings are divided into as many groups as there are members, by who drew them. Each member
    learns to paint from all groups but its own, and from its own what error is to be expected of it
    where it has never learnt (:mod:`colorize.losses.unguided`). What is painted is their mean,
    times its length over the mean of their lengths: 1 where they are of one mind, 0 where each says
    another hue, as they do of what nobody has seen. A frame that is dark as a whole, as in a fade,
    has as much less colour.

    ``seen`` are the channels of the activations at strides 4, 8 and 16.

    Source: ours; Wolpert 1992, Stacked generalization (what is learnt of the part that was left
    out), and Lakshminarayanan et al. 2017, Deep ensembles.
    """

    def __init__(
        self, *, seen: Sequence[int], members: int = 3, width: Sequence[int] = (48, 64, 96)
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(_Member(seen, width) for _ in range(members))

    def forward(
        self, gray: Float[Tensor, "b 1 h w"], taps: Sequence[Float[Tensor, "b _ _h _w"]]
    ) -> Guess:
        """Return the chroma of frames whose sides are multiples of 16.

        ``taps`` are the activations, of unit mean square.
        """
        found = [member(gray, taps) for member in self.members]
        opinions = Opinions(*(torch.stack(each, dim=1) for each in zip(*found, strict=True)))
        exposure = _exposure(gray)
        spread = opinions.spread.square().mean(dim=1).sqrt()
        return Guess(_agreed(opinions.bold) * exposure, spread * exposure, opinions)


class _Member(nn.Module):
    """Decode activations from coarse to fine, then mix colours of places to those of pixels."""

    def __init__(self, seen: Sequence[int], width: Sequence[int]) -> None:
        super().__init__()
        fine, middle, coarse = width
        self.enter = nn.ModuleList(
            nn.Conv2d(channels, inner, 1) for channels, inner in zip(seen, width, strict=True)
        )
        self.coarse = nn.Sequential(block(coarse, coarse), block(coarse, coarse, dilation=2))
        self.whole = nn.Linear(coarse, coarse)
        self.middle = nn.Sequential(
            block(coarse + middle, middle), block(middle, middle, dilation=2)
        )
        self.fine = nn.Sequential(block(middle + fine + _STRIDE**2, fine), block(fine, fine))
        self.paint = nn.Conv2d(fine, 2, 1)
        self.mix = nn.Conv2d(fine, _NEIGHBORS * _STRIDE**2, 1)
        self.trust = nn.Sequential(
            nn.Conv2d(fine + 2, fine, 3, padding=1), nn.LeakyReLU(_SLOPE), nn.Conv2d(fine, 2, 1)
        )
        with torch.no_grad():
            for layer in (self.paint, self.mix):
                layer.weight.mul_(0.1)

    def forward(
        self, gray: Float[Tensor, "b 1 h w"], taps: Sequence[Float[Tensor, "b _ _h _w"]]
    ) -> tuple[Float[Tensor, "b 2 h w"], Float[Tensor, "b 2 h w"], Float[Tensor, "b 1 h w"]]:
        """Return bold chroma, as much of it as is kept, and the spread of that."""
        drawn = functional.pixel_unshuffle(gray - 0.5, _STRIDE)
        near, middle, far = (enter(tap) for enter, tap in zip(self.enter, taps, strict=True))
        deep = self.coarse(far)
        deep = deep + self.whole(deep.mean(dim=(2, 3)))[:, :, None, None]
        deep = torch.cat([resize_bilinear(deep, middle.shape[-2:]), middle], dim=1)
        deep, size = self.middle(deep), drawn.shape[-2:]
        deep = self.fine(
            torch.cat([resize_bilinear(deep, size), resize_bilinear(near, size), drawn], dim=1)
        )
        bold = chroma_of(self.paint(deep).float())
        # What is to be trusted is judged, and changes nothing of what is judged.
        judged = torch.cat([deep, (bold * _GAIN).to(deep)], dim=1).detach()
        trust, spread = self.trust(judged).float().split(1, dim=1)
        weights = self.mix(deep).float().unflatten(1, (_NEIGHBORS, _STRIDE**2)).softmax(dim=1)
        spread = spread_of(spread)
        kept = bold.detach() * torch.sigmoid(trust + 1)
        return (
            _mixed(bold, weights),
            _mixed(kept, weights.detach()),
            _mixed(spread, weights.detach()),
        )


def pooled(
    colors: tuple[Float[Tensor, "b 2 h w"], Float[Tensor, "b 2 h w"]],
    precision: tuple[Float[Tensor, "b 1 h w"], Float[Tensor, "b 1 h w"]],
) -> tuple[Float[Tensor, "b 2 h w"], Float[Tensor, "b 1 h w"]]:
    """Return the mean of two estimates under their precisions, and the error to expect of it."""
    (first, second), (one, other) = colors, precision
    together = one + other
    return (one * first + other * second) / together, together**-0.5


def _agreed(bold: Float[Tensor, "b m 2 h w"]) -> Float[Tensor, "b 2 h w"]:
    """Return the mean of members' colours, less where their hues differ."""
    mean = bold.mean(dim=1)
    lengths = bold.norm(dim=2, keepdim=True).mean(dim=1)
    return mean * (mean.norm(dim=1, keepdim=True) / lengths.clamp_min(1e-6))


def _exposure(gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 1 1"]:
    """Return how far frames are exposed: 1 where any block of 8 by 8 pixels is bright enough."""
    blocks = functional.avg_pool2d(gray, _BLOCK, ceil_mode=True, count_include_pad=False)
    return (blocks.amax(dim=(1, 2, 3), keepdim=True) / _BRIGHT).clamp(0, 1)


def _mixed(
    planes: Float[Tensor, "b c p q"], weights: Float[Tensor, "b n s p q"]
) -> Float[Tensor, "b c h w"]:
    """Return pixels as means of the nine places around them: convex upsampling.

    Source: Teed & Deng 2020, RAFT, section 3.3.
    """
    padded = functional.pad(planes, (1, 1, 1, 1), mode="replicate")
    around = functional.unfold(padded, 3).unflatten(1, (planes.shape[1], _NEIGHBORS))
    around = around.unflatten(-1, planes.shape[-2:]).unsqueeze(3)
    mixed = (around * weights.unsqueeze(1)).sum(dim=2)
    return functional.pixel_shuffle(mixed.flatten(1, 2), _STRIDE)
