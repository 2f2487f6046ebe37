"""Ask consecutive outputs for the same colour along the flow of the true frames."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth
from colorize.motion.warp import warp


def temporal(
    outputs: Outputs,
    flow: Float[Tensor, "b t 2 h w"],
    visible: Bool[Tensor, "b t 1 h w"],
    *,
    distance: int = 1,
) -> Scalar:
    """Return mean(M·|W(f_k(X_{t-d})) - f_k(X_t)|) over frames, outputs k, channels and pixels.

    ``flow[:, t]`` points from frame t to frame t - ``distance`` and ``visible[:, t]`` is M; the
    first ``distance`` entries of both are not looked at. Hidden pixels count as 0 in the mean.
    Clips of at most ``distance`` frames give 0.

    Source: Lei & Chen 2019, with the mean of the released code.
    """
    outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    if outputs.shape[1] <= distance:
        return 0.0 * outputs.sum()
    count = outputs.shape[2]
    earlier, later = (
        rearrange(part, "b t k c h w -> (b t) (k c) h w")
        for part in (outputs[:, :-distance], outputs[:, distance:])
    )
    warped = warp(earlier, flow[:, distance:].flatten(0, 1))
    mask = visible[:, distance:].flatten(0, 1).expand(-1, 3 * count, -1, -1)
    return torch.where(mask, (warped - later).abs(), 0.0).mean()


class Temporal(Loss):
    """The temporal loss of consecutive frames; 0 for stills. See :func:`temporal`.

    The visibility M, by default 1[max_c |C1 - W(C0)| < 0.05] on the true frames, is a target.
    """

    needs = frozenset({"flow", "visible"})
    frames = 2

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; targets ``flow`` (b t 2 h w, backward) and ``visible`` (b t 1 h w)."""
        return temporal(outputs, targets["flow"], targets["visible"])
