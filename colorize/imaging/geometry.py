"""Sizes of pictures, and how they are brought to another; a size is (height, width) in pixels."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_SAME_ASPECT = 0.05  # a picture whose aspect differs by less is stretched


def working_size(size: Sequence[int], short_side: int) -> tuple[int, int]:
    """Return ``size`` scaled so that its short side is ``short_side``; never enlarged."""
    height, width = size
    scale = min(1.0, short_side / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(images: Float[Tensor, "b c _h _w"], size: Sequence[int]) -> Float[Tensor, "b c h w"]:
    """Resize bilinearly, with a filter as wide as the reduction when shrinking."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return functional.interpolate(images, size=tuple(size), mode="bilinear", antialias=True)


def fit(picture: Float[Tensor, "1 c _h _w"], size: tuple[int, int]) -> Float[Tensor, "1 c h w"]:
    """Bring a picture to ``size``: whole, its edges repeated where it is too short.

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
    picture = resize(picture, inner)
    below, right = height - inner[0], width - inner[1]
    edges = (right // 2, right - right // 2, below // 2, below - below // 2)
    return functional.pad(picture, edges, mode="replicate") if below or right else picture
