"""Say what a metric is, and measure one or K colourings of frames and of shots with many.

The rows that K outputs give are never mixed: each is named by a constant below.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import UserError

Better = Literal["higher", "lower", "closer"]

GRAY = "gray input"
MEAN = "mean over K"
FIRST = "first (k = 0)"
BEST = "best of K (per-frame oracle by PSNR)"
COLORIZED = "colorized"
TRUTH = "true colours"


@runtime_checkable
class Metric(Protocol):
    """What all metrics of single frames share; pictures are ``b 3 h w``, values ``b``."""

    name: str  # column heading, with unit and arrow
    better: Better  # "closer": to the value of the true colours
    digits: int  # decimals worth showing
    note: str  # footnote of the column, or ""

    def __call__(self, prediction: Tensor, truth: Tensor, /) -> Any:
        """Return one float64 value for each frame."""


class FrameMetric(nn.Module):
    """A metric that is a function of each frame and its true one, called ``measure``."""

    name: str
    better: Better
    digits: int
    note: str = ""
    measure: Callable[[Tensor, Tensor], Tensor]

    def forward(
        self, prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, " b"]:
        """Return the value of each frame."""
        return self.measure(prediction, truth)


@runtime_checkable
class ClipMetric(Protocol):
    """What all metrics of the consecutive frames of one shot share; pictures are ``t 3 h w``.

    ``prepare`` and ``observe`` take a shot in chunks of frames, each beginning with the last frame
    of the chunk before: the entry of a chunk's first frame counts only where the shot begins.
    """

    name: str
    better: Better
    digits: int
    note: str
    per: str  # what has one value: "pair" of frames, or "shot"
    basis: Hashable  # metrics of equal basis share what ``prepare`` returns

    def prepare(self, truth: Tensor, /) -> Any:
        """Return what depends on the true frames alone, such as flow; once for all colourings."""

    def observe(self, prediction: Tensor, prepared: Any, /) -> Any:
        """Return one entry for each frame, made of it and the frame before it at most."""

    def conclude(self, entries: Tensor, /) -> Any:
        """Return a float64 value for each frame of a whole shot, NaN where there is none.

        A pair's value stands at its second frame, a shot's at its last.
        """


def split_metrics(
    metrics: Mapping[str, Metric | ClipMetric],
) -> tuple[dict[str, Metric], dict[str, ClipMetric]]:
    """Return the metrics of single frames, and those of consecutive ones."""
    of_clips = {key: metric for key, metric in metrics.items() if isinstance(metric, ClipMetric)}
    of_frames = {
        key: metric for key, metric in metrics.items() if not isinstance(metric, ClipMetric)
    }
    return of_frames, of_clips


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
    goals = {key: metric for key, metric in metrics.items() if metric.better == "closer"}
    return rows | ({TRUTH: measure(goals, truth, truth)} if goals else {})


def best_output(outputs: Float[Tensor, "b k 3 h w"], truth: Float[Tensor, "b 3 h w"]) -> Tensor:
    """Return for each frame the index k of the highest PSNR; the lowest k on a tie (``b``)."""
    error = (outputs.double() - truth.double()[:, None]).square().mean(dim=(2, 3, 4))
    return error.argmin(dim=1)


class ShotMeasurement:
    """Measure one shot with clip metrics, fed chunk by chunk; each chunk goes on from the last.

    Kept are the last frame of every colouring and the entries (a frame's histograms, 6 KB a
    colouring, are the largest), not the pictures: memory is that of one chunk and K + 2 frames.
    """

    def __init__(self, metrics: Mapping[str, ClipMetric]) -> None:
        self.metrics = dict(metrics)
        self._entries: dict[str, list[Tensor]] = {key: [] for key in metrics}
        self._last: list[Tensor] = []

    @torch.no_grad()
    def add(
        self,
        *,
        gray: Float[Tensor, "t 1 h w"],
        outputs: Float[Tensor, "t k 3 h w"],
        truth: Float[Tensor, "t 3 h w"],
    ) -> None:
        """Add the following frames of the shot.

        Raises: ValueError when the sizes differ or a picture leaves [0, 1].
        """
        colourings = [gray.expand(-1, 3, -1, -1), *outputs.unbind(1), truth]
        for colouring in colourings:
            _check(colouring, truth)
        known = 1 if self._last else 0
        last = self._last or [colouring[:0] for colouring in colourings]
        joined = [torch.cat(pair) for pair in zip(last, colourings, strict=True)]
        self._last = [colouring[-1:].clone() for colouring in colourings]
        prepared: dict[Hashable, Any] = {}
        for key, metric in self.metrics.items():
            if metric.basis not in prepared:
                prepared[metric.basis] = metric.prepare(joined[-1])
            entries = [metric.observe(each, prepared[metric.basis]) for each in joined]
            self._entries[key].append(torch.stack(entries)[:, known:])

    def values(self) -> dict[str, dict[str, Float[Tensor, " t"]]]:
        """Return row → metric key → value per frame of the shot, NaN where there is none.

        Rows are those of :func:`measure_variants` without ``BEST``: frames that are each the best
        of K belong to no one film.
        """
        columns = {key: self._conclude(key) for key in self.metrics}
        count = len(self._last) - 2
        rows = {GRAY: {key: column[0] for key, column in columns.items()}}
        if count == 1:
            rows[COLORIZED] = {key: column[1] for key, column in columns.items()}
        else:
            rows[MEAN] = {key: column[1:-1].mean(dim=0) for key, column in columns.items()}
            rows[FIRST] = {key: column[1] for key, column in columns.items()}
        closer = [key for key, metric in self.metrics.items() if metric.better == "closer"]
        return rows | ({TRUTH: {key: columns[key][-1] for key in closer}} if closer else {})

    def _conclude(self, key: str) -> Float[Tensor, "colourings t"]:
        """Return the values of the gray input, the K outputs and the truth."""
        entries = torch.cat(self._entries[key], dim=1)
        return torch.stack([self.metrics[key].conclude(each) for each in entries])


def _check(prediction: Tensor, truth: Tensor) -> None:
    if prediction.shape != truth.shape:
        raise UserError(
            f"cannot measure frames of shape {tuple(prediction.shape)} against true frames of "
            f"{tuple(truth.shape)}: bring both to one size and count"
        )
    for what, image in (("predicted", prediction), ("true", truth)):
        low, high = (value.item() for value in image.aminmax())
        # Written so that NaN fails too.
        if not (low >= 0 and high <= 1):
            raise UserError(
                f"{what} frames: expected RGB in [0, 1], got {low:.4g} to {high:.4g}; "
                "clip them to the gamut, or divide 8-bit frames by 255"
            )
