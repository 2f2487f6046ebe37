"""Feed a task: seeded batches of the training part, and all of the validation part in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from classify.data import Examples
from colorize.base.errors import UserError
from colorize.base.pieces import pieces


@dataclass(frozen=True)
class Request:
    """Which examples a batch holds, and the seed of what varies them."""

    indices: list[int]
    seed: int


class Batches(Dataset[dict[str, Any]]):
    """Examples, a whole batch at a time: ``pictures`` b c h w of 8 bits, ``labels`` b, ``seed``."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples

    def __getitem__(self, request: Request) -> dict[str, Any]:
        return {
            "pictures": torch.from_numpy(self.examples.pictures(request.indices)),
            "labels": torch.from_numpy(self.examples.labels[request.indices]),
            "seed": request.seed,
        }


class EpochBatches(Sampler[Request]):
    """Every example once per epoch, in an order that is a function of (seed, epoch) alone.

    So a resumed run replays nothing and skips nothing. Under DDP each process yields its share of
    each batch; the last batch is filled up from the start, so that all shares are equal.
    """

    def __init__(
        self, *, count: int, batch_size: int, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        if batch_size < 1 or batch_size % world:
            raise UserError(
                f"batch_size is {batch_size}: expected a positive multiple of the {world} "
                "processes, which share each batch"
            )
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.rank, self.world = rank, world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def __iter__(self) -> Iterator[Request]:
        random = np.random.default_rng([*b"order", self.seed, self.epoch])
        order = random.permutation(self.count)
        order = np.concatenate([order, order[: -self.count % self.world]])
        seeds = random.integers(2**62, size=(len(self), self.world))
        for number in range(len(self)):
            batch = order[number * self.batch_size : (number + 1) * self.batch_size]
            share = batch[self.rank :: self.world].tolist()
            yield Request(share, int(seeds[number, self.rank]))


class InOrder(Sampler[Request]):
    """Every example once, in order."""

    def __init__(self, *, count: int, batch_size: int) -> None:
        self.count, self.batch_size = count, batch_size

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def __iter__(self) -> Iterator[Request]:
        for piece in pieces(0, self.count, self.batch_size):
            yield Request(list(piece), 0)


class Loaders(lightning.LightningDataModule):
    """Loaders of a run; made per process, so that every process of a DDP run takes its part."""

    def __init__(self, *, train: Examples, val: Examples, batch_size: int, seed: int) -> None:
        super().__init__()
        self.train, self.val = train, val
        self.batch_size, self.seed = batch_size, seed

    def train_dataloader(self) -> DataLoader:
        """Return the loader of training batches, addressed by epoch."""
        sampler = EpochBatches(
            count=len(self.train),
            batch_size=self.batch_size,
            seed=self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            world=self.trainer.world_size if self.trainer else 1,
        )
        return in_batches(self.train, sampler)

    def val_dataloader(self) -> DataLoader:
        """Return the loader of the validation part, the same in every epoch and process."""
        size = max(self.batch_size, 64)
        return in_batches(self.val, InOrder(count=len(self.val), batch_size=size))


def in_batches(examples: Examples, sampler: Sampler[Request]) -> DataLoader:
    """Return a loader of the batches that ``sampler`` asks for; slicing memory needs no workers."""
    return DataLoader(Batches(examples), sampler=sampler, batch_size=None)
