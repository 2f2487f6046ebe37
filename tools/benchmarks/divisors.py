"""Measure RankDiv's constants for other weights on the frames of colour videos or pictures."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from benchmarks.timing import Setting
from colorize.base.errors import fail
from colorize.imaging.color import rgb_to_luma
from colorize.losses import balanced_divisors


def divisors(setting: Setting, *, frames: Sequence[Path], first: int, every: int) -> dict[str, Any]:
    """Print the mean of the balanced divisors over every n-th frame after the ``first`` ones."""
    color = [f for path in frames for f in _read(path, setting.size, first=first, every=every)]
    if not color:
        fail(
            "--frames holds no frame that has colour: give colour videos or pictures, and see "
            "--first and --every"
        )
    chunks = [balanced_divisors(setting.features, frame.to(setting.device)) for frame in color]
    taps = setting.features.taps
    means = {tap: statistics.fmean(chunk[tap] for chunk in chunks) for tap in taps}
    text = ",".join(f"{tap}:{value:.3g}" for tap, value in means.items())
    print(f"divisors by which each tap weighs as much as the input, mean of {len(chunks)} frames:")
    print(f"  loss.rank_diversity.divisors={{{text}}}")
    return {"divisors": means, "frames": len(chunks)}


def _read(
    path: Path, size: tuple[int, int], *, first: int, every: int
) -> Iterator[Float[Tensor, "1 3 h w"]]:
    """Yield every n-th frame of a video or picture that has colour, at the chosen size."""
    with av.open(path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index >= first and (index - first) % every == 0:
                picture = torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1)
                color = functional.interpolate(
                    picture[None] / 255, size=size, mode="bilinear", antialias=True
                )
                # A frame without colour says nothing about the change that colour makes.
                if (color - rgb_to_luma(color)).abs().mean() > 1 / 255:
                    yield color
