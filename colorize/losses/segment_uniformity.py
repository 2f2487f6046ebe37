"""Ask each segment for one colour: penalise the variance inside segments."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from colorize.base.errors import require_choice
from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.segments import segment_means
from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth

Space = Literal["chroma", "rgb"]
Allowance = Literal["truth", "none"]


def segment_variance(
    image: Float[Tensor, "f c h w"], labels: Int[Tensor, "f h w"], count: int
) -> Float[Tensor, "f s c"]:
    """Return the variance of every channel inside each of ``count`` segments; 0 if empty."""
    means, _ = segment_means(image, labels, count)
    index = labels.flatten(1).long().unsqueeze(1).expand(-1, image.shape[1], -1)
    own_mean = means.transpose(1, 2).gather(2, index).view(image.shape)
    return segment_means((image - own_mean).square(), labels, count)[0]


def segment_uniformity(
    outputs: Outputs,
    truth: Truth,
    labels: Int[Tensor, "b t h w"],
    count: int,
    *,
    space: Space = "chroma",
    allowance: Allowance = "truth",
) -> Scalar:
    """Return the mean over pixels, channels, frames and k of each segment's excess variance.

    The excess of a segment is max(0, its variance - the true one's), or its whole variance with
    ``allowance="none"``; each counts by its area. ``labels`` are below ``count``.
    """
    outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    colors = torch.cat([outputs, truth.unsqueeze(2).to(outputs.dtype)], dim=2)
    colors = rgb_to_chroma(colors) if space == "chroma" else colors
    channels, labels = colors.shape[3], labels.flatten(0, 1)
    flat = rearrange(colors, "b t k c h w -> (b t) (k c) h w")
    variance = segment_variance(flat, labels, count)
    variance = rearrange(variance, "f s (k c) -> f s k c", c=channels)
    allowed = variance[:, :, -1:] if allowance == "truth" else 0.0
    excess = (variance[:, :, :-1] - allowed).clamp_min(0).mean(dim=(2, 3))
    areas = excess.new_zeros(excess.shape).scatter_add(
        1, labels.flatten(1).long(), torch.ones_like(flat[:, 0].flatten(1))
    )
    return (excess * areas).sum() / areas.sum()


class SegmentUniformity(Loss):
    """Our own term, not the paper's: flat fills. See :func:`segment_uniformity`.

    In ``space="chroma"`` (Cb, Cr) it leaves luma, which is given and may be shaded, alone; "rgb"
    takes all of it. ``allowance="truth"`` lets a segment vary as much as the true one, so that a
    perfect prediction has the minimum, 0; "none" allows no variance. Values are squares of small
    chroma differences, around 1e-3: weigh them accordingly.
    """

    needs = frozenset({"segments", "segment_areas"})

    def __init__(
        self, *, weight: float = 1.0, space: Space = "chroma", allowance: Allowance = "truth"
    ) -> None:
        super().__init__(weight=weight)
        require_choice("loss.segment_uniformity.space", space, Space)
        require_choice("loss.segment_uniformity.allowance", allowance, Allowance)
        self.space: Space = space
        self.allowance: Allowance = allowance

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; targets ``segments`` (b t h w) and ``segment_areas`` (b t s)."""
        return segment_uniformity(
            outputs,
            truth,
            targets["segments"],
            targets["segment_areas"].shape[-1],
            space=self.space,
            allowance=self.allowance,
        )
