"""Divide examples into training, validation and test parts, stratified and fixed by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Int64

from classify.data.balance import Balance
from classify.data.entries import DataError
from classify.data.examples import Collection, Examples
from colorize.base.errors import UserError

Protocol = Literal["honest", "leaking"]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The examples of a run; no picture of ``test`` or ``val`` is also in what trains.

    ``dropped`` counts the training and validation pictures that were left out because the same
    pixels are measured. ``original`` holds how many of each class trained before balancing.
    """

    train: Examples
    val: Examples
    test: Examples
    dropped: int
    original: dict[str, int]
    protocol: Protocol = "honest"


class Split:
    """Take the parts that the data names, and cut what it does not name by fractions.

    ``test_fraction`` of each class is cut off where the data has no test part, then
    ``val_fraction`` of the rest where it has no validation part; both at random by ``seed``.
    Pictures whose exact pixels are in a part that is measured are dropped from what trains.

    ``protocol="leaking"`` repeats the mistake that explains too good figures: all pictures are
    pooled and balanced first, and split afterwards, so that variants of test pictures train. It
    exists to show its own effect, and everything that reports it says so.

    Raises:
        ValueError: A fraction is outside 0 … 1.
    """

    def __init__(
        self,
        *,
        val_fraction: float,
        test_fraction: float = 0.2,
        seed: int = 0,
        protocol: Protocol = "honest",
    ) -> None:
        for name, value in (("val_fraction", val_fraction), ("test_fraction", test_fraction)):
            if not 0 < value < 1:
                raise UserError(f"split.{name} is {value}: expected more than 0 and less than 1")
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.seed = seed
        self.protocol: Protocol = protocol

    def __call__(self, collection: Collection, balance: Balance | None = None) -> Parts:
        """Return the three parts, the training part balanced if so wished.

        Raises:
            DataError: A part, or a class in training, is left without a picture.
        """
        if self.protocol == "leaking":
            return self._leaking(collection.examples, balance)
        examples = collection.examples
        named = np.asarray(collection.parts)
        rest, val, test = (np.flatnonzero(named == part) for part in ("", "val", "test"))
        rest = np.concatenate([np.flatnonzero(named == "train"), rest])
        if not len(test):
            rest, test = self._cut(examples, rest, self.test_fraction, "test")
        if not len(val):
            rest, val = self._cut(examples, rest, self.val_fraction, "val")
        parts = _without_leaks(examples, rest, val, test)
        _check(parts)
        return replace(parts, train=balance(parts.train) if balance else parts.train)

    def _leaking(self, examples: Examples, balance: Balance | None) -> Parts:
        original = examples.counts()
        pooled = balance(examples) if balance else examples
        rest, test = self._cut(pooled, np.arange(len(pooled)), self.test_fraction, "test")
        train, val = self._cut(pooled, rest, self.val_fraction, "val")
        taken = [pooled.take(rows) for rows in (train, val, test)]
        return Parts(
            train=taken[0],
            val=taken[1],
            test=taken[2],
            dropped=0,
            original=original,
            protocol="leaking",
        )

    def _cut(
        self, examples: Examples, indices: Int64[np.ndarray, " n"], fraction: float, purpose: str
    ) -> tuple[Int64[np.ndarray, " rest"], Int64[np.ndarray, " cut"]]:
        """Return the indices that stay, and a ``fraction`` of each class that is cut off."""
        random = np.random.default_rng([*purpose.encode(), self.seed])
        cut = stratified(examples.labels[indices], fraction, random)
        mask = np.zeros(len(indices), dtype=bool)
        mask[cut] = True
        return indices[~mask], indices[mask]


def stratified(
    labels: Int64[np.ndarray, " n"], fraction: float, random: np.random.Generator
) -> Int64[np.ndarray, " k"]:
    """Return positions of ``fraction`` of each class, rounded; at least one of two or more."""
    chosen = []
    for label in np.unique(labels):
        places = random.permutation(np.flatnonzero(labels == label))
        wanted = max(round(fraction * len(places)), int(len(places) > 1))
        chosen.append(places[: min(wanted, len(places) - 1)])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)


def _without_leaks(
    examples: Examples,
    train: Int64[np.ndarray, " n"],
    val: Int64[np.ndarray, " v"],
    test: Int64[np.ndarray, " t"],
) -> Parts:
    """Drop from training what is in validation or test, and from validation what is in test."""
    prints = examples.fingerprints()
    tested = {prints[index] for index in test}
    kept_val = [index for index in val.tolist() if prints[index] not in tested]
    measured = tested | {prints[index] for index in kept_val}
    kept_train = [index for index in train.tolist() if prints[index] not in measured]
    taken = examples.take(kept_train)
    return Parts(
        train=taken,
        val=examples.take(kept_val),
        test=examples.take(test),
        dropped=len(train) + len(val) - len(kept_train) - len(kept_val),
        original=taken.counts(),
    )


def _check(parts: Parts) -> None:
    sizes = {"training": parts.train, "validation": parts.val, "test": parts.test}
    for name, examples in sizes.items():
        if len(examples) == 0:
            raise DataError(
                f"the {name} part holds no picture: add pictures, or change split.val_fraction "
                "and split.test_fraction"
            )
    empty: Sequence[str] = [name for name, count in parts.original.items() if not count]
    if empty:
        raise DataError(f"class {empty[0]!r} has no picture to train on: add some to its folder")
