"""Teach members of a committee to paint, and each what it is worth where it is a stranger."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from colorize.imaging.color import join, rgb_to_chroma
from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth
from colorize.losses.uncertainty import spread_distance

_LEAST = 1e-3  # mean square of RGB: the error of a frame that is nearly right counts no more


def gain_over_gray(
    chroma: Float[Tensor, "n 2 h w"], true: Float[Tensor, "n 2 h w"]
) -> Float[Tensor, " n"]:
    """Return log((e + c) / (g + c)) of each frame; e, g are the errors of chroma and of gray.

    Errors are mean squares in RGB, c = 0.001. It is what PSNR gains, in nepers of power: a frame
    that comes out worse than gray costs as much as one that is as much better earns, whatever their
    colours, so that what is not known is best left gray.
    """
    return (_square(chroma - true) + _LEAST).log() - (_square(true) + _LEAST).log()


class Unguided(Loss):
    """The gain over gray of each member, and of what it trusts itself with, on other drawings.

    Member m paints the frames of all groups but m (:func:`gain_over_gray` of its bold colours); on
    those of group m it learns how much of them to keep, and what error to expect, and no colours.
    ``spread`` weighs what it expects.
    """

    needs = frozenset({"bold", "kept", "kept_spread", "group"})

    def __init__(self, *, weight: float = 1.0, spread: float = 0.05) -> None:
        super().__init__(weight=weight)
        self.spread = spread

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; targets, of the n = b t frames in order:

        ``bold`` and ``kept`` chroma (n m 2 h w) and ``kept_spread`` (n m 1 h w) of m members, and
        ``group`` (b), any number of who drew a clip: its rest by m says whose group it is. One
        below 0 is of no group, and teaches nothing: its colours are not its own.
        """
        true = rgb_to_chroma(truth.flatten(0, 1)).float()
        bold, kept = targets["bold"].float(), targets["kept"].float()
        group = _of_frames(targets["group"], frames=truth.shape[1])
        terms = []
        for member in range(bold.shape[1]):
            own = group % bold.shape[1] == member
            strange, familiar = (own & (group >= 0)).to(true), (~own & (group >= 0)).to(true)
            taught = _mean(gain_over_gray(bold[:, member], true), familiar)
            trusted = _mean(gain_over_gray(kept[:, member], true), strange)
            expected = spread_distance(
                kept[:, member].detach() - true, targets["kept_spread"][:, member]
            )
            terms.append(taught + trusted + self.spread * _mean(expected, strange))
        return torch.stack(terms).mean()


def _of_frames(group: Int64[Tensor, " b"], *, frames: int) -> Int64[Tensor, " n"]:
    return group.repeat_interleave(frames)


def _mean(values: Float[Tensor, " n"], weights: Float[Tensor, " n"]) -> Scalar:
    """Return the mean under weights; nothing where all are zero."""
    return (values * weights).sum() / weights.sum().clamp_min(1)


def _square(chroma: Float[Tensor, "n 2 h w"]) -> Float[Tensor, " n"]:
    """Return the mean square in RGB of a difference of chroma at the same luma."""
    return join(torch.zeros_like(chroma[:, :1]), chroma).square().mean(dim=(1, 2, 3))
