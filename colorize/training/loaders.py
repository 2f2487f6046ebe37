"""Loaders of a training run: seeded epochs of stills and pairs, and fixed validation frames."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader

from colorize.base.errors import UserError
from colorize.data import Augment, ClipDataset, EpochSampler, Stage, ValidationFrames
from colorize.data.corruption import Corruption
from colorize.data.references import (
    ReferencedClips,
    ReferencedValidation,
    ReferenceSampling,
    collate,
)
from colorize.data.targets.clip import ClipTargets


@dataclass(kw_only=True, eq=False)
class Loaders(lightning.LightningDataModule):
    """Feed a task: seeded epochs of ``train``, and evenly spaced frames of ``val``.

    Made per process, so that every process of a DDP run takes its own part of each batch.
    Training batches hold what ``targets`` derive from their frames, and with ``previous`` the frame
    before each frame, spoilt by ``corruption``; validation batches hold clips of
    ``validation_length`` frames and no targets. With ``references`` every frame comes with coloured
    ones (:mod:`colorize.data.references`).

    Raises:
        ValueError: The clips, the augmentation and the settings of the targets do not fit together.
    """

    train: ClipDataset
    val: ClipDataset
    augment: Augment | None
    targets: ClipTargets | None = None
    previous: bool = False
    corruption: Corruption | None = None
    references: ReferenceSampling | None = None
    validation_length: int = 1
    sampling: Mapping[str, Any]
    seed: int
    frames_per_clip: int

    def __post_init__(self) -> None:
        super().__init__()
        targets = self.targets
        if targets is not None:
            targets.check(self.train.clips)
        if self.augment and targets is not None and targets.settings.cache is not None:
            raise UserError(
                "targets.cache keeps targets of frames that come again, which random crops do not: "
                "set augment=none, or targets.cache=null"
            )
        self.stages = [
            Stage(epochs=stage["epochs"], size=tuple(stage["size"]))
            for stage in self.sampling["stages"]
        ]

    def train_dataloader(self) -> DataLoader:
        """Return the loader of training batches, addressed by epoch."""
        sampler = EpochSampler(
            self.train,
            stills=self.sampling["stills"],
            pairs=self.sampling["pairs"],
            length=self.sampling["length"],
            batch_size=self.sampling["batch_size"],
            seed=self.seed,
            schedule=self.stages,
            rank=self.trainer.global_rank if self.trainer else 0,
            world=self.trainer.world_size if self.trainer else 1,
        )
        workers = _workers(self.sampling["workers"])
        if self.references is not None:
            referenced = ReferencedClips(self.train, augment=self.augment, sampling=self.references)
            return _loader(referenced, batch_sampler=sampler, collate_fn=collate, workers=workers)
        dataset = ClipDataset(
            clips=self.train.clips,
            augment=self.augment,
            previous=self.previous,
            corruption=self.corruption,
            targets=self.targets,
        )
        return _loader(dataset, batch_sampler=sampler, workers=workers)

    def val_dataloader(self) -> DataLoader:
        """Return the loader of validation frames, the same in every epoch and process."""
        frames = ValidationFrames(
            self.val,
            frames_per_clip=self.frames_per_clip,
            size=self.stages[-1].size,
            length=self.validation_length,
        )
        if self.references is not None:
            referenced = ReferencedValidation(frames, count=self.references.validation)
            return _loader(referenced, batch_size=1, collate_fn=collate, workers=0)
        return _loader(frames, batch_size=1, workers=0)


def _loader(dataset: Any, *, workers: int, **batching: Any) -> DataLoader:
    if workers and multiprocessing.get_start_method(allow_none=True) == "loky":
        # In a job of joblib's, whose name for the method the workers' processes do not know.
        multiprocessing.set_start_method("forkserver", force=True)
    return DataLoader(
        dataset,
        **batching,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
        # OpenCV and PyAV keep threads of their own, which a forked process would lose.
        multiprocessing_context="forkserver" if workers else None,
    )


def _workers(wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    return min(8, _cores()) if torch.cuda.is_available() else 0


def _cores() -> int:
    """Return the cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
