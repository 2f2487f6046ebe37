"""RankDiv: let K colourings differ, and rank them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import UserError
from colorize.imaging.color import rgb_to_luma
from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth
from colorize.pretrained.vgg19 import VGG19

# What a tap's mean difference is divided by, for each convention of VGG-19's weights.
DIVISORS: Mapping[str, Mapping[str, float]] = {
    # Lei & Chen 2019, released code.
    "caffe": {"conv1_2": 2.6, "conv2_2": 4.8, "conv3_2": 3.7, "conv4_2": 5.6, "conv5_2": 1.5 / 10},
    # Ours, of the file cut off after relu3_1: the mean of balanced_divisors over 90 frames at
    # 180x320 of the training clips of one cartoon series, by `tools/benchmark.py --only divisors
    # --size 180 320 --first 48`. Single clips differ from it by up to a third.
    "normalised": {"conv1_2": 0.0188, "conv2_2": 0.0196, "conv3_1": 0.0168},
}


def rank_diversity(
    distances: Float[Tensor, "*b k"], *, rank_scale: float, rank_base: float
) -> Float[Tensor, "*b"]:
    """Return min_k l_k + sum_k rank_scale * rank_base^(K - k) * l_k, k from 0 in its fixed order.

    Source: Lei & Chen 2019, equation 4; constants 0.01 and 2 of the released code.
    """
    count = distances.shape[-1]
    exponents = torch.arange(count, 0, -1, device=distances.device, dtype=distances.dtype)
    return distances.min(dim=-1).values + (rank_scale * rank_base**exponents * distances).sum(-1)


def perceptual_distance(
    outputs: Float[Tensor, "b k 3 h w"],
    truth: Float[Tensor, "b 3 h w"],
    *,
    features: VGG19 | None,
    divisors: Mapping[str, float],
) -> Float[Tensor, "b k"]:
    """Return Lp: 255 * mean |RGB difference| + sum over taps of mean |difference| / divisor.

    The truth's activations are computed once and without gradient. Means are taken in float32 or
    better, also under autocast.
    """
    precise = torch.promote_types(outputs.dtype, torch.float32)
    outputs, truth = outputs.to(precise), truth.to(precise)
    total = 255 * _mean_difference(outputs, truth)
    if features is None:
        return total
    with torch.no_grad():
        truth_taps = features(truth)
    output_taps = features(rearrange(outputs, "b k c h w -> (b k) c h w"))
    for name, tap in output_taps.items():
        diverse = rearrange(tap, "(b k) c h w -> b k c h w", b=truth.shape[0])
        total = total + _mean_difference(diverse, truth_taps[name]) / divisors[name]
    return total


def _mean_difference(
    diverse: Float[Tensor, "b k c h w"], single: Float[Tensor, "b c h w"]
) -> Float[Tensor, "b k"]:
    precise = torch.promote_types(diverse.dtype, torch.float32)
    return (diverse - single.unsqueeze(1)).abs().mean(dim=(-3, -2, -1), dtype=precise)


@torch.no_grad()
def balanced_divisors(features: VGG19, color: Float[Tensor, "b 3 h w"]) -> dict[str, float]:
    """Return divisors by which each tap's distance of ``color`` to its gray equals the input's.

    Source: Chen & Koltun 2017, section 3.3, from where [L] took its loss: its weights "normalize
    the expected contribution of each term".
    """
    gray = rgb_to_luma(color).expand_as(color)
    base = 255 * (color - gray).abs().mean()
    pairs = zip(features.taps, features(color).values(), features(gray).values(), strict=True)
    return {tap: float((one - other).abs().mean() / base) for tap, one, other in pairs}


class RankDiversity(Loss):
    """The diversity loss RankDiv on the perceptual distance Lp of K colourings to the truth.

    ``features=None`` leaves the perceptual terms out: Lp is 255 times the mean RGB difference.
    ``divisors=None`` takes the constants known for the weights' convention (``DIVISORS``); for
    other weights or taps it measures :func:`balanced_divisors` on a fixed picture of flat, inked
    patches; for the ``normalised`` weights that gives 4 to 28 % more than real frames do. The
    attribute ``divisors`` shows what is used.

    A step on stills (t = 1) counts ``still_weight``; a step on clips sums over their frames.
    The feature network is part of no checkpoint.

    Source: Lei & Chen 2019, section 3.3 and released code.
    """

    def __init__(
        self,
        *,
        features: VGG19 | None,
        divisors: Mapping[str, float] | None = None,
        still_weight: float = 0.2,
        rank_scale: float = 0.01,
        rank_base: float = 2.0,
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight=weight)
        self._unsaved = (features,)  # inside a tuple, so that no state_dict holds it
        self.divisors = _choose_divisors(features, divisors)
        self.still_weight = still_weight
        self.rank_scale = rank_scale
        self.rank_base = rank_base

    @property
    def features(self) -> VGG19 | None:
        """The frozen feature network; it follows this module to its device."""
        return self._unsaved[0]

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the mean over samples of the sum over frames; RGB in [0, 1] where valid."""
        batch, frames = truth.shape[:2]
        distances = perceptual_distance(
            rearrange(outputs, "b t k c h w -> (b t) k c h w"),
            rearrange(truth, "b t c h w -> (b t) c h w"),
            features=self.features,
            divisors=self.divisors,
        )
        ranked = rank_diversity(distances, rank_scale=self.rank_scale, rank_base=self.rank_base)
        value = ranked.sum() / batch
        return self.still_weight * value if frames == 1 else value

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> RankDiversity:
        """Move the unsaved network together with this module (``to``, ``cuda``, ``double``)."""
        if self.features is not None:
            self.features._apply(fn, recurse)
        return super()._apply(fn, recurse)


def _choose_divisors(
    features: VGG19 | None, divisors: Mapping[str, float] | None
) -> dict[str, float]:
    taps: tuple[str, ...] = () if features is None else features.taps
    if divisors is not None:
        return _check_divisors(taps, divisors)
    if features is None:
        return {}
    known = DIVISORS.get(features.convention, {})
    if all(tap in known for tap in taps):
        return {tap: known[tap] for tap in taps}
    return balanced_divisors(features, _flat_patches())


def _check_divisors(taps: tuple[str, ...], divisors: Mapping[str, Any]) -> dict[str, float]:
    option = "loss.rank_diversity.divisors"
    if set(divisors) != set(taps):
        raise UserError(
            f"{option} names {', '.join(divisors) or 'no tap'}: expected exactly the taps of the "
            f"features, {', '.join(taps) or 'none'}"
        )
    for tap, divisor in divisors.items():
        if not divisor > 0:
            raise UserError(f"{option}.{tap} is {divisor}: expected above 0")
    return {tap: float(divisors[tap]) for tap in taps}


def _flat_patches() -> Float[Tensor, "1 3 128 128"]:
    """Draw a fixed picture of 12 flat colours in smooth patches with black outlines."""
    generator = torch.Generator().manual_seed(0)
    fields = torch.rand(1, 12, 6, 6, generator=generator)
    fields = nn.functional.interpolate(fields, size=(128, 128), mode="bicubic")
    labels = fields.argmax(dim=1)[0]
    picture = torch.rand(12, 3, generator=generator)[labels]
    outline = labels[1:, 1:] != labels[:-1, :-1]
    picture[1:, 1:][outline] = 0
    return rearrange(picture, "h w c -> 1 c h w")
