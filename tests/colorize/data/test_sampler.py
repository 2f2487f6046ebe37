from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from colorize.data.sampler import EpochSampler, Sample, Stage

SMALL, LARGE = (16, 24), (32, 48)


@dataclass
class Frames:
    """Clips as lists of the numbers of frames of their shots."""

    shots: list[list[int]]

    def runs(self, length: int) -> np.ndarray:
        rows = []
        for clip, counts in enumerate(self.shots):
            for shot, count in enumerate(counts):
                first = sum(counts[:shot])
                rows += [(clip, frame) for frame in range(first + length - 1, first + count)]
        return np.array(rows, dtype=np.int64).reshape(-1, 2)


def frames() -> Frames:
    """Two clips of 7 and 4 frames; the first has a cut at 3."""
    return Frames([[3, 4], [4]])


def sampler(**changes: Any) -> EpochSampler:
    settings: dict[str, Any] = {
        "stills": 8,
        "pairs": 4,
        "batch_size": 4,
        "seed": 5,
        "schedule": [Stage(epochs=2, size=SMALL), Stage(epochs=3, size=LARGE)],
    }
    return EpochSampler(frames(), **{**settings, **changes})


def epochs(made: EpochSampler, numbers: range | list[int]) -> list[list[list[Sample]]]:
    result = []
    for number in numbers:
        made.set_epoch(number)
        result.append(list(made))
    return result


def test_an_epoch_holds_whole_batches_of_one_kind() -> None:
    made = sampler(stills=7, pairs=4)
    batches = list(made)
    assert len(batches) == len(made) == 3
    assert {len(batch) for batch in batches} == {4}
    kinds = Counter(batch[0].length for batch in batches)
    assert kinds == {1: 2, 2: 1}
    assert all(len({sample.length for sample in batch}) == 1 for batch in batches)


def test_kinds_are_interleaved_in_another_order_each_epoch() -> None:
    made = sampler(stills=64, pairs=64)
    orders = [tuple(batch[0].length for batch in epoch) for epoch in epochs(made, range(4))]
    assert len(set(orders)) == 4
    assert all(sum(a != b for a, b in pairwise(order)) > 1 for order in orders)


def test_an_epoch_depends_on_seed_and_number_only() -> None:
    straight = epochs(sampler(), range(6))
    assert epochs(sampler(), [4, 5]) == straight[4:]
    made = sampler()
    next(iter(made))  # a run that stops in the middle of an epoch
    assert epochs(made, [0]) == straight[:1]
    assert epochs(sampler(seed=6), range(6)) != straight
    assert len({str(epoch) for epoch in straight}) == 6


def test_a_recorded_run_draws_what_it_drew() -> None:
    (epoch,) = epochs(sampler(), [1])
    # Written down when pairs were the only runs.
    assert [[(s.clip, s.frame, s.length) for s in batch] for batch in epoch] == [
        [(1, 2, 1), (0, 2, 1), (1, 3, 1), (1, 3, 1)],
        [(0, 2, 1), (0, 1, 1), (1, 1, 1), (0, 3, 1)],
        [(0, 1, 2), (1, 2, 2), (1, 1, 2), (0, 6, 2)],
    ]


@pytest.mark.parametrize("length", [3, 4])
def test_pairs_may_be_longer_runs(length: int) -> None:
    batches = list(sampler(length=length))
    assert Counter(batch[0].length for batch in batches) == {1: 2, length: 1}
    longest = [s for batch in batches for s in batch if s.length > 1]
    assert {(s.clip, s.frame) for s in longest} <= set(map(tuple, frames().runs(length).tolist()))
    stills = [batch for batch in batches if batch[0].length == 1]
    assert stills == [batch for batch in sampler() if batch[0].length == 1]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_frame_is_seen_once_before_one_is_seen_again(length: int) -> None:
    made = sampler(stills=4, pairs=4, length=max(2, length))
    expected = frames().runs(length)
    drawn = [
        (sample.clip, sample.frame)
        for epoch in epochs(made, range(3 * len(expected)))
        for batch in epoch
        for sample in batch
        if sample.length == length
    ]
    size = len(expected)
    passes = [drawn[start : start + size] for start in range(0, len(drawn) - size + 1, size)]
    assert len(passes) == 12
    for seen in passes:
        assert sorted(seen) == sorted(map(tuple, expected.tolist()))
    assert len({tuple(seen) for seen in passes}) > 1


def test_a_pass_may_end_within_a_batch_larger_than_the_dataset() -> None:
    (epoch,) = epochs(sampler(stills=40, pairs=0, batch_size=40), [0])
    counts = Counter((sample.clip, sample.frame) for sample in epoch[0])
    assert len(counts) == 11
    assert set(counts.values()) == {3, 4}


def test_ranks_take_the_parts_of_what_one_process_sees() -> None:
    for number in (0, 3):
        (single,) = epochs(sampler(), [number])
        parts = [epochs(sampler(rank=rank, world=2), [number])[0] for rank in range(2)]
        assert {len(batch) for part in parts for batch in part} == {2}
        joined = [first + second for first, second in zip(*parts, strict=True)]
        assert joined == single


def test_sizes_follow_the_schedule_and_the_last_has_no_end() -> None:
    sizes = [{s.size for batch in epoch for s in batch} for epoch in epochs(sampler(), range(8))]
    assert sizes == [{SMALL}] * 2 + [{LARGE}] * 6


def test_seeds_of_samples_differ() -> None:
    seeds = [s.seed for epoch in epochs(sampler(), range(4)) for batch in epoch for s in batch]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world": 3, "rank": 0}, "batch_size: 4 .* multiple of the 3 processes"),
        ({"batch_size": 0}, "batch_size is 0: expected 1 or more"),
        ({"stills": 0, "pairs": 0}, "at least one sample per epoch"),
        ({"length": 1}, "sampling.length is 1: expected 2 or more .*; .* sampling.stills"),
        ({"length": 5}, "sampling.length is 5, .* no 5 consecutive .* sampling.pairs=0"),
        ({"schedule": []}, "stages is \\[\\]: expected at least one stage"),
    ],
)
def test_wrong_settings_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sampler(**changes)


def test_nothing_to_draw_is_said() -> None:
    settings: dict[str, Any] = {"batch_size": 1, "seed": 0, "schedule": [Stage(1, SMALL)]}
    with pytest.raises(ValueError, match=r"no frames: .* sampling\.stills=0"):
        EpochSampler(Frames([]), stills=1, pairs=0, **settings)
    with pytest.raises(ValueError, match=r"no 2 consecutive frames .* sampling\.pairs=0"):
        EpochSampler(Frames([[1, 1]]), stills=1, pairs=1, **settings)
    assert len(EpochSampler(Frames([[1, 1]]), stills=1, pairs=0, **settings)) == 1


class Requests(Dataset):
    """Returns the number of a request's frame."""

    def __len__(self) -> int:
        return 11

    def __getitem__(self, sample: Sample) -> torch.Tensor:
        return torch.tensor([sample.clip, sample.frame, sample.length], dtype=torch.float32)


class Recorder(lightning.LightningModule):
    """Notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[int, list]] = []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.seen.append((self.current_epoch, batch.tolist()))
        return self.weight * 1.0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore::lightning.pytorch.utilities.warnings.PossibleUserWarning")
@pytest.mark.filterwarnings(
    "ignore:.*isinstance.treespec:FutureWarning"
)  # Lightning with torch 2.15
def test_the_trainer_tells_the_sampler_its_epoch() -> None:
    module = Recorder()
    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(module, DataLoader(Requests(), batch_sampler=sampler()))
    expected = [
        (number, [[float(s.clip), float(s.frame), float(s.length)] for s in batch])
        for number, epoch in enumerate(epochs(sampler(), range(3)))
        for batch in epoch
    ]
    assert module.seen == expected
