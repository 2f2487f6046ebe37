"""Look at frames all over a film: what is drawn where, and what of their colours is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from colorize.base.progress import tracked
from colorize.imaging.geometry import resize, working_size
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Source
from colorize.networks.guided.network import GuidedNetwork

MOST = 240  # frames of a film that are looked at, besides one for each shot
_COARSE = 2  # places of the matching grid, in each direction, that are compared as one
_LEAST_CONTRAST = 0.02  # deviation of luma below which a frame shows nothing
_FADED = 0.6  # of its shot's usual contrast: a frame that is paler is part of a fade

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Looks:
    """What n frames of a film show, each for ``weight`` frames around it.

    ``keys`` are unit vectors on a grid of places, ``stake`` is the mean square error of chroma
    that is expected there of a frame painted without references. ``shot`` is the number of each
    frame's shot from 0; ``clear`` says which frames are neither blank nor faded.
    """

    frame: list[int]
    shot: Int64[np.ndarray, " n"]
    weight: Float[np.ndarray, " n"]
    keys: Float[Tensor, "n d p q"]
    stake: Float[np.ndarray, "n pq"]
    clear: Bool[np.ndarray, " n"]


def frames_to_look_at(
    spans: Sequence[Span], *, most: int = MOST, also: Iterable[int] = ()
) -> dict[int, float]:
    """Return frames evenly over each shot, and for how many frames each stands.

    There are at most ``most`` and one for each shot; of more than ``most`` shots the longest are
    looked at. ``also`` are others, which stand for none.
    """
    longest = sorted(spans, key=lambda span: span[0] - span[1])[:most]
    step = max(1.0, sum(stop - start for start, stop in longest) / most)
    found: dict[int, float] = {}
    for start, stop in sorted(longest):
        count = max(1, int((stop - start) / step))
        pitch = (stop - start) / count
        found |= {int(start + (n + 0.5) * pitch): pitch for n in range(count)}
    return found | {each: 0.0 for each in also if each not in found}


@torch.inference_mode()
def look_at_frames(
    source: Source, spans: Sequence[Span], wanted: dict[int, float], networks: LoadedNetworks
) -> Looks:
    """Return what the ``wanted`` frames show; one is in memory at a time, its keys stay.

    Raises:
        MediaError: A frame cannot be read.
    """
    guided = networks.model
    assert isinstance(guided, GuidedNetwork), "it takes references"
    numbers, keys, stakes, contrast = [], [], [], []
    size = working_size(source.size, networks.short_side)  # frames of another are brought to it
    frames = source.frames(0, max(wanted) + 1, only=set(wanted))
    for frame in tracked(frames, "looking at frames", total=len(wanted), unit="frame"):
        gray = torch.from_numpy(frame.gray())[None, None]
        small = resize(gray.to(networks.device), size)
        seen = functional.avg_pool2d(guided.keys(small), _COARSE, ceil_mode=True)
        keys.append(functional.normalize(seen, dim=1)[0].cpu())
        stakes.append(_stake(guided, small, (seen.shape[-2], seen.shape[-1])))
        contrast.append(float(gray.std()))
        numbers.append(frame.index)
    starts = np.array([start for start, _ in spans])
    shot = np.searchsorted(starts, numbers, side="right") - 1
    return Looks(
        frame=numbers,
        shot=shot,
        weight=np.array([wanted[number] for number in numbers]),
        keys=torch.stack(keys),
        stake=np.stack(stakes),
        clear=_clear(np.array(contrast), shot),
    )


def _stake(
    guided: GuidedNetwork, gray: Float[Tensor, "1 1 h w"], grid: tuple[int, int]
) -> Float[np.ndarray, " pq"]:
    """Return the square of the error that the network expects of its own colours, by place."""
    spread = guided.paint(gray, None).spread
    if spread is None:  # weights that do not tell: every place alike
        return np.full(grid[0] * grid[1], 0.01)
    return functional.adaptive_avg_pool2d(spread.square(), grid)[0, 0].flatten().cpu().numpy()


def _clear(
    contrast: Float[np.ndarray, " n"], shot: Int64[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Return which frames show as much as others of their shot do."""
    usual = np.array([np.median(contrast[shot == each]) for each in shot])
    return (contrast >= _LEAST_CONTRAST) & (contrast >= _FADED * usual)
