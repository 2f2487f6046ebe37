"""Judge proposed colours by how well the drawing they come from fits, and fuse them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

KINDS = ("copied", "moved", "matched", "attended")
NEVER = -1e4  # the score of what is not there; finite, since a softmax of infinities is none
_SLOPE = 0.2
_MEASURES = 4  # planes that a proposal is judged by: both lumas, their difference, similarity


class Proposals(NamedTuple):
    """Colours proposed for b frames, n proposals in all, and what speaks for each.

    ``frame`` is the index of the frame that a proposal is for and ``slot`` its place among those of
    that frame; ``kind`` is an index into :data:`KINDS`. ``luma`` and ``chroma`` are those of the
    places it comes from, ``similarity`` is the cosine of the places there and here, ``visible``
    says where the reference shows anything there (None: everywhere). ``slots`` is how many slots of
    each kind a frame has, in the order of the kinds. ``share`` is the logarithm of how far one
    counts among those of its kind, that of a half where a reference was given twice (None: alike).
    """

    frame: Int64[Tensor, " n"]
    slot: Int64[Tensor, " n"]
    kind: Int64[Tensor, " n"]
    luma: Float[Tensor, "n 1 h w"]
    chroma: Float[Tensor, "n 2 h w"]
    similarity: Float[Tensor, "n 1 h w"]
    slots: tuple[int, ...]
    visible: Bool[Tensor, "n 1 h w"] | None = None
    share: Float[Tensor, " n"] | None = None


class Fused(NamedTuple):
    """Fused proposals: their chroma, the evidence for it (0…1), and how much they differ.

    All are zero where nothing is proposed.
    """

    chroma: Float[Tensor, "b 2 h w"]
    evidence: Float[Tensor, "b 1 h w"]
    spread: Float[Tensor, "b 1 h w"]


class Fusion(nn.Module):
    """Score every proposal by a small network, the same for all, and fuse them by a softmax.

    Only luma and places are seen, never colours: turning the hues of the references turns those of
    the result by the same angle, exactly.
    """

    def __init__(self, *, width: int = 24) -> None:
        super().__init__()
        self.enter = block(4 * _MEASURES + len(KINDS), width)
        self.near = block(width, width)
        self.down = block(width, 2 * width)
        self.wide = block(2 * width, 2 * width)
        self.wider = block(2 * width, 2 * width, dilation=2)
        self.back = block(3 * width, width)
        self.score = nn.Conv2d(width, 1, 3, padding=1)
        self.strictness = nn.Parameter(torch.tensor(10.0))  # of luma that differs at a pixel

    def forward(self, gray: Float[Tensor, "b 1 h w"], proposals: Proposals) -> Fused:
        """Return the fused proposals of gray frames; sides are multiples of 4."""
        scores = self.scores(gray, proposals)
        if proposals.visible is not None:
            scores = scores.masked_fill(~proposals.visible, NEVER)
        slots = sum(proposals.slots)
        places = proposals.frame * slots + proposals.slot
        spread_out = scores.new_full((len(gray) * slots, *scores.shape[1:]), NEVER)
        chroma = proposals.chroma.new_zeros(len(spread_out), *proposals.chroma.shape[1:])
        share = scores.new_zeros(len(spread_out))
        if proposals.share is not None:
            share = share.index_copy(0, places, proposals.share)
        return fuse(
            spread_out.index_copy(0, places, scores).unflatten(0, (-1, slots)),
            chroma.index_copy(0, places, proposals.chroma).unflatten(0, (-1, slots)),
            proposals.slots,
            share.unflatten(0, (-1, slots)),
        )

    def scores(
        self, gray: Float[Tensor, "b 1 h w"], proposals: Proposals
    ) -> Float[Tensor, "n 1 h w"]:
        """Return how good every pixel of every proposal is."""
        target = gray[proposals.frame]
        difference = (target - proposals.luma).abs()
        measures = torch.cat([target, proposals.luma, difference, proposals.similarity], dim=1)
        half = functional.pixel_unshuffle(measures, 2)
        kinds = functional.one_hot(proposals.kind, len(KINDS)).to(half)
        kinds = kinds[:, :, None, None].expand(-1, -1, *half.shape[-2:])
        near = self.near(self.enter(torch.cat([half, kinds], dim=1)))
        far = self.wider(self.wide(self.down(functional.avg_pool2d(near, 2))))
        score = self.score(self.back(torch.cat([near, _double(far)], dim=1)))
        blurred = functional.avg_pool2d(difference, 3, stride=1, padding=1, count_include_pad=False)
        return _double(score).float() - self.strictness * blurred


def fuse(
    scores: Float[Tensor, "b s 1 h w"],
    chroma: Float[Tensor, "b s 2 h w"],
    slots: tuple[int, ...],
    share: Float[Tensor, "b s"] | None = None,
) -> Fused:
    """Return the mean chroma under the scores, the evidence for it and its spread.

    ``slots`` are the numbers of proposals of each kind, in their order along s, ``share`` the
    logarithms of how far each counts in its kind (None: alike). Among those of one kind a softmax
    decides; the kinds count by the best score of each. So mere numbers are no evidence.
    """
    shared = scores if share is None else scores + share[:, :, None, None, None]
    within = [part.softmax(dim=1) for part in shared.split(slots, dim=1) if part.shape[1]]
    best = [part.amax(dim=1) for part in scores.split(slots, dim=1) if part.shape[1]]
    of_kinds = torch.stack(best, dim=1)
    parts = zip(within, of_kinds.softmax(dim=1).split(1, dim=1), strict=True)
    return fused(torch.cat([part * of_kind for part, of_kind in parts], dim=1), chroma, of_kinds)


def fused(
    weights: Float[Tensor, "b s 1 h w"],
    chroma: Float[Tensor, "b s 2 h w"],
    judged: Float[Tensor, "b n 1 h w"],
) -> Fused:
    """Return the mean chroma under the weights, its spread, and the evidence of n scores for it."""
    there = (judged.amax(dim=1) > NEVER / 2).to(chroma.dtype)
    mean = (weights * chroma).sum(dim=1)
    square = (weights * chroma.square().sum(dim=2, keepdim=True)).sum(dim=1)
    variance = (square - mean.square().sum(dim=1, keepdim=True)).clamp_min(1e-8)
    evidence = judged.logsumexp(dim=1).sigmoid()
    return Fused(mean * there, evidence * there, variance.sqrt() * there)


def _double(planes: Tensor) -> Tensor:
    return functional.interpolate(planes, scale_factor=2, mode="bilinear", align_corners=False)


def block(in_channels: int, out_channels: int, *, dilation: int = 1) -> nn.Module:
    """Return a 3x3 convolution with batch normalisation and leaky ReLU of slope 0.2."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(_SLOPE),
    )
