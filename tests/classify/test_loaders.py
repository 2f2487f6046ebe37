"""Batches: every example once, in an order of (seed, epoch), shared among processes."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch

from classify.loaders import Batches, EpochBatches, InOrder, Loaders
from tests.classify.samples import examples


def indices(**settings) -> list[list[int]]:
    sampler = EpochBatches(**({"count": 10, "batch_size": 4, "seed": 0} | settings))
    return [request.indices for request in sampler]


def test_an_epoch_holds_every_example_once() -> None:
    batches = indices()
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(chain.from_iterable(batches)) == list(range(10))


def test_order_and_seeds_follow_seed_and_epoch_alone() -> None:
    sampler = EpochBatches(count=10, batch_size=4, seed=3)
    sampler.set_epoch(2)
    again = EpochBatches(count=10, batch_size=4, seed=3)
    again.set_epoch(2)
    assert list(sampler) == list(again) == list(sampler)
    again.set_epoch(3)
    assert list(sampler) != list(again)
    assert indices(seed=1) != indices(seed=0)


def test_processes_share_every_batch() -> None:
    whole = indices()
    shares = [indices(rank=rank, world=2) for rank in (0, 1)]
    for number, batch in enumerate(whole):
        assert sorted(shares[0][number] + shares[1][number]) == sorted(batch)
        assert len(shares[0][number]) == len(shares[1][number])
    odd = [indices(count=9, rank=rank, world=2) for rank in (0, 1)]
    assert set(chain.from_iterable(odd[0] + odd[1])) == set(range(9))
    assert [len(batch) for batch in odd[0]] == [len(batch) for batch in odd[1]]


def test_in_order() -> None:
    assert [request.indices for request in InOrder(count=5, batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert len(InOrder(count=5, batch_size=2)) == 3


def test_a_batch_holds_pictures_and_labels() -> None:
    made = examples({"a": 3, "b": 3})
    loaders = Loaders(train=made, val=made.take([5, 0]), batch_size=4, seed=0)
    batch = next(iter(loaders.val_dataloader()))
    assert batch["pictures"].dtype == torch.uint8
    np.testing.assert_array_equal(batch["pictures"].numpy(), made.pictures([5, 0]))
    assert batch["labels"].tolist() == [1, 0]
    trained = list(loaders.train_dataloader())
    assert [len(batch["labels"]) for batch in trained] == [4, 2]
    assert len(Batches(made).examples) == 6


def test_a_batch_that_processes_cannot_share() -> None:
    with pytest.raises(ValueError, match=r"batch_size is 5: expected a positive multiple of the 2"):
        EpochBatches(count=10, batch_size=5, seed=0, world=2)
