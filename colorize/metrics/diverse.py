"""Say what a metric is, and measure one or K colourings of a frame with many.

The rows that K outputs give are never mixed: each is named by a constant below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

Better = Literal["higher", "lower", "closer"]

GRAY = "gray input"
MEAN = "mean over K"
FIRST = "first (k = 0)"
BEST = "best of K (per-frame oracle by PSNR)"
COLORIZED = "colorized"
TRUTH = "true colours"


@runtime_checkable
class Metric(Protocol):
    """What all metrics share; see the package's docstring for the signature of a call."""

    name: str  # column heading, with unit and arrow
    better: Better  # "closer": to the value of the true colours
    digits: int  # decimals worth showing
    note: str  # footnote of the column, or ""

    def __call__(self, prediction: Tensor, truth: Tensor, /) -> Any:
        """Return one float64 value for each frame."""


def measure(
    metrics: Mapping[str, Metric],
    prediction: Float[Tensor, "b 3 h w"],
    truth: Float[Tensor, "b 3 h w"],
) -> dict[str, Float[Tensor, " b"]]:
    """Return every metric's value for each frame, under the metric's key.

    Raises: ValueError when the sizes differ or a picture leaves [0, 1]: clip a prediction first.
    """
    _check(prediction, truth)
    with torch.no_grad():
        return {key: metric(prediction, truth) for key, metric in metrics.items()}


def measure_variants(
    metrics: Mapping[str, Metric],
    *,
    gray: Float[Tensor, "b 1 h w"],
    outputs: Float[Tensor, "b k 3 h w"],
    truth: Float[Tensor, "b 3 h w"],
) -> dict[str, dict[str, Float[Tensor, " b"]]]:
    """Return row → metric key → value per frame, for the gray input and the K colourings.

    ``MEAN`` averages the values (not the pictures) over k; ``FIRST`` is k = 0; ``BEST`` takes for
    every frame the one k of the highest PSNR, the lowest k on a tie, and all its columns belong to
    that picture. A single output (K = 1) gives one row, ``COLORIZED``. ``TRUTH`` holds the true
    colours' own value of those metrics that are best when closer to it, and nothing else.
    """
    rows = {GRAY: measure(metrics, gray.expand(-1, 3, -1, -1), truth)}
    count = outputs.shape[1]
    values = [measure(metrics, outputs[:, k], truth) for k in range(count)]
    if count == 1:
        rows[COLORIZED] = values[0]
    else:
        stacks = {key: torch.stack([value[key] for value in values]) for key in metrics}
        best = best_output(outputs, truth)[None]
        rows[MEAN] = {key: stack.mean(dim=0) for key, stack in stacks.items()}
        rows[FIRST] = values[0]
        rows[BEST] = {key: stack.gather(0, best)[0] for key, stack in stacks.items()}
    return rows | measure_truth(metrics, truth)


def measure_truth(
    metrics: Mapping[str, Metric], truth: Float[Tensor, "b 3 h w"]
) -> dict[str, dict[str, Float[Tensor, " b"]]]:
    """Return the row ``TRUTH``: the goal of the metrics that are best when closer, if any."""
    goals = {key: metric for key, metric in metrics.items() if metric.better == "closer"}
    return {TRUTH: measure(goals, truth, truth)} if goals else {}


def best_output(outputs: Float[Tensor, "b k 3 h w"], truth: Float[Tensor, "b 3 h w"]) -> Tensor:
    """Return for each frame the index k of the highest PSNR; the lowest k on a tie (``b``)."""
    error = (outputs.double() - truth.double()[:, None]).square().mean(dim=(2, 3, 4))
    return error.argmin(dim=1)


def _check(prediction: Tensor, truth: Tensor) -> None:
    if prediction.shape != truth.shape:
        raise ValueError(
            f"cannot measure frames of shape {tuple(prediction.shape)} against true frames of "
            f"{tuple(truth.shape)}: bring both to one size and count"
        )
    for what, image in (("predicted", prediction), ("true", truth)):
        low, high = (value.item() for value in image.aminmax())
        # Written so that NaN fails too.
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"{what} frames: expected RGB in [0, 1], got {low:.4g} to {high:.4g}; "
                "clip them to the gamut, or divide 8-bit frames by 255"
            )
