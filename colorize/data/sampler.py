"""Decide what every batch of every epoch holds, as a function of the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64
from torch.utils.data import Sampler

from colorize.base.errors import UserError, require


@dataclass(frozen=True)
class Sample:
    """A request to a dataset: frames ``frame - length + 1 ... frame`` of a clip.

    ``length`` is 1 for a still, 2 or more for consecutive frames; ``size`` is (height, width) of
    the result; ``seed`` is what augmentation draws from.
    """

    clip: int
    frame: int
    length: int
    size: tuple[int, int]
    seed: int


@dataclass(frozen=True)
class Stage:
    """Train for ``epochs`` epochs at ``size`` (height, width)."""

    epochs: int
    size: tuple[int, int]


@runtime_checkable
class Frames(Protocol):
    """What the sampler needs to know of a dataset."""

    def runs(self, length: int) -> Int64[np.ndarray, "n 2"]:
        """Return (clip, last frame) of every ``length`` consecutive frames of one shot."""


class EpochSampler(Sampler[list[Sample]]):
    """Yield batches of stills and batches of pairs (or longer runs), in a seeded order.

    Use it as ``batch_sampler``. An epoch is a pure function of (seed, epoch), so a run resumed at
    an epoch replays nothing and skips nothing. Frames are drawn without replacement: all are seen
    once before one is seen again, however they fall into epochs; pairs likewise. Counts per epoch
    are rounded up to whole batches.

    Under DDP each process yields its contiguous slice of each batch, so that all processes
    together see what one process would; the trainer must not wrap it in a sampler of its own
    (Lightning: ``use_distributed_sampler=False``).

    Args:
        dataset: Offers runs of frames.
        stills: Still images per epoch.
        pairs: Runs of ``length`` consecutive frames of one shot per epoch.
        length: Frames of each of them, 2 or more.
        batch_size: Of all processes together.
        seed: Of the run.
        schedule: Sizes by epoch; the last stage has no end.
        rank: Of this process, among ``world``.

    Raises:
        ValueError: Nothing to draw, or a batch that cannot be divided by the processes.
    """

    def __init__(
        self,
        dataset: Frames,
        *,
        stills: int,
        pairs: int,
        length: int = 2,
        batch_size: int,
        seed: int,
        schedule: Sequence[Stage],
        rank: int = 0,
        world: int = 1,
    ) -> None:
        _check(stills=stills, pairs=pairs, length=length, batch_size=batch_size, schedule=schedule)
        self.batch_size = batch_size
        self.seed = seed
        self.schedule = tuple(schedule)
        self.rank, self.world = rank, world
        self.epoch = 0
        # By length of the sample: what can be drawn, and batches per epoch.
        self._drawn = {frames: dataset.runs(frames) for frames in (1, length)}
        self._batches = {1: -(-stills // batch_size), length: -(-pairs // batch_size)}
        if stills and len(self._drawn[1]) == 0:
            raise UserError(
                "the training split holds no frames: add clips, or set sampling.stills=0"
            )
        if pairs and len(self._drawn[length]) == 0:
            raise UserError(
                f"sampling.length is {length}, but the training split holds no {length} "
                "consecutive frames of one shot: add clips, or set sampling.pairs=0"
            )
        if batch_size % world:
            raise UserError(
                f"sampling.batch_size: {batch_size} is the batch of all processes together; "
                f"expected a multiple of the {world} processes"
            )

    @property
    def sampler(self) -> EpochSampler:
        """Return itself: Lightning calls ``set_epoch`` on ``batch_sampler.sampler`` only."""
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Return the size of the current epoch."""
        last = 0
        for stage in self.schedule:
            last += stage.epochs
            if self.epoch < last:
                return stage.size
        return self.schedule[-1].size

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(self._batches.values())

    def __iter__(self) -> Iterator[list[Sample]]:
        rank, share = self.rank, self.batch_size // self.world
        epoch, size = self.epoch, self.size
        random = self._random("order", epoch)
        lengths = np.repeat(list(self._batches), list(self._batches.values()))
        random.shuffle(lengths)
        seeds = random.integers(2**62, size=(len(lengths), self.batch_size))
        rows = {length: self._rows(length, epoch) for length in self._batches}
        used = dict.fromkeys(rows, 0)
        for batch, length in enumerate(lengths.tolist()):
            start = used[length] + rank * share
            used[length] += self.batch_size
            slots = range(rank * share, (rank + 1) * share)
            yield [
                Sample(int(clip), int(frame), length, size, int(seeds[batch, slot]))
                for slot, (clip, frame) in zip(
                    slots, rows[length][start : start + share], strict=True
                )
            ]

    def _rows(self, length: int, epoch: int) -> Int64[np.ndarray, "n 2"]:
        """Return the (clip, frame) rows of an epoch: the next ones of endless shuffled passes."""
        drawn = self._drawn[length]
        wanted = self._batches[length] * self.batch_size
        if wanted == 0:
            return drawn[:0]
        positions = np.arange(epoch * wanted, (epoch + 1) * wanted)
        order = np.empty(wanted, dtype=np.int64)
        for number in range(positions[0] // len(drawn), positions[-1] // len(drawn) + 1):
            here = positions // len(drawn) == number
            shuffled = self._random(f"pass of {length}", number).permutation(len(drawn))
            order[here] = shuffled[positions[here] % len(drawn)]
        return drawn[order]

    def _random(self, purpose: str, number: int) -> np.random.Generator:
        """Return a generator of its own for one purpose and one epoch or pass."""
        return np.random.default_rng([*purpose.encode(), number, self.seed])


def _check(
    *, stills: int, pairs: int, length: int, batch_size: int, schedule: Sequence[Stage]
) -> None:
    """Refuse settings from which no epoch can be made."""
    require("sampling.batch_size", batch_size >= 1, batch_size, "1 or more")
    counts, some = (stills, pairs), stills + pairs > 0
    expected = "at least one sample per epoch"
    require("sampling.stills and sampling.pairs", min(counts) >= 0 and some, counts, expected)
    frames = "2 or more consecutive frames; single frames are counted by sampling.stills"
    require("sampling.length", length >= 2, length, frames)
    whole = bool(schedule) and all(each.epochs >= 1 and min(each.size) >= 1 for each in schedule)
    stages = "at least one stage, each of 1 epoch or more and a size (height, width) of 1 or more"
    require("sampling.stages", whole, list(schedule), stages)
