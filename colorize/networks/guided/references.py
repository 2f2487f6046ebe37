"""Coloured frames as the reference-guided generator wants them: looked at once, then bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from colorize.imaging.color import rgb_to_chroma, rgb_to_luma
from colorize.motion.estimators import FlowEstimator
from colorize.motion.propagation import Tracked
from colorize.networks.guided.network import GuidedNetwork, References

_SAME_ASPECT = 0.05  # a reference whose aspect differs by less is stretched


class ReferenceSet(NamedTuple):
    """Coloured frames at the size a film is worked at, and how matching sees them."""

    gray: Float[Tensor, "r 1 h w"]
    chroma: Float[Tensor, "r 2 h w"]
    keys: Float[Tensor, "r d p q"]

    def picked(self, rows: Sequence[int]) -> ReferenceSet:
        """Return some of the references."""
        return ReferenceSet(*(planes[list(rows)] for planes in self))


@torch.inference_mode()
def look_at(
    model: GuidedNetwork,
    pictures: Sequence[Float[Tensor, "1 3 _h _w"]],
    *,
    size: tuple[int, int],
) -> ReferenceSet:
    """Prepare RGB pictures in [0, 1], one after another, for frames of ``size`` (height, width)."""
    device = next(model.parameters()).device
    fitted = [fit(picture.to(device), size) for picture in pictures]
    gray = torch.cat([rgb_to_luma(picture) for picture in fitted])
    chroma = torch.cat([rgb_to_chroma(picture) for picture in fitted])
    keys = torch.cat([model.keys(each[None]) for each in gray])
    return ReferenceSet(gray, chroma, keys)


def bind(
    references: ReferenceSet,
    gray: Float[Tensor, "t 1 h w"],
    *,
    flow: FlowEstimator,
    tracked: Tracked | None = None,
) -> References:
    """Bind all references to each of t frames, with the flow between them.

    ``tracked`` are the frames' tracks to the references; ``flow`` finds what they lack.
    """
    frames, count = len(gray), len(references.gray)
    seen = references.gray.repeat(frames, 1, 1, 1)
    straight = None if tracked is None else tracked.straight
    return References(
        frame=torch.arange(frames, device=gray.device).repeat_interleave(count),
        gray=seen,
        chroma=references.chroma.repeat(frames, 1, 1, 1),
        flow=flow(gray.repeat_interleave(count, dim=0), seen)
        if straight is None
        else straight.flatten(0, 1),
        keys=references.keys.repeat(frames, 1, 1, 1),
        carried=None if tracked is None else tracked.carried.flatten(0, 1),
    )


@torch.inference_mode()
def likeness(
    model: GuidedNetwork, gray: Float[Tensor, "1 1 h w"], references: ReferenceSet
) -> Float[Tensor, " r"]:
    """Return how much of a frame each reference shows: the mean of the best cosines, 0 to 1."""
    keys = model.keys(gray)[0]
    return torch.stack(
        [model.matcher(keys, own[None]).similarity.mean() for own in references.keys]
    )


def fit(picture: Float[Tensor, "1 3 _h _w"], size: tuple[int, int]) -> Float[Tensor, "1 3 h w"]:
    """Bring a picture to ``size`` (height, width): whole, its edges repeated where it is too short.

    One of nearly the same aspect is stretched.
    """
    height, width = size
    own = picture.shape[-2:]
    ratio = (own[1] / own[0]) / (width / height)
    inner = size
    if abs(ratio - 1) > _SAME_ASPECT:
        inner = (
            (height, max(1, round(width * ratio)))
            if ratio < 1
            else (max(1, round(height / ratio)), width)
        )
    if tuple(own) != inner:
        picture = functional.interpolate(picture, size=inner, mode="bilinear", antialias=True)
    below, right = height - inner[0], width - inner[1]
    edges = (right // 2, right - right // 2, below // 2, below - below // 2)
    return functional.pad(picture, edges, mode="replicate") if below or right else picture
