"""Compare the rows of a table over seeds: with gray, with each other, and with published figures.

Knows nothing of training or files: every run comes in as its scores by metric.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

# The worst first.
Verdict = Literal["disagrees", "within the spread of seeds", "not measured", "agrees"]
Scores = Mapping[str, float]  # by metric key


@dataclass(frozen=True, kw_only=True)
class Run:
    """The scores of one row with one seed, and of the gray input and the true colours beside it."""

    row: str
    seed: int
    scores: Scores
    gray: Scores
    truth: Scores = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """The mean of some values and their sample deviation (n - 1), ``None`` for a single value."""

    mean: float
    deviation: float | None
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of some values, ``None`` where there are none."""
        numbers = list(values)
        if not numbers:
            return None
        deviation = statistics.stdev(numbers) if len(numbers) > 1 else None
        return cls(statistics.fmean(numbers), deviation, len(numbers))


@dataclass(kw_only=True)
class Claim:
    """A statement of a publication: ``row`` is better than every row of ``over`` by ``metrics``."""

    text: str = ""
    row: str = ""
    over: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Paired:
    """By how much ``first`` is better than ``second``, seed by seed; positive: first is better.

    ``advantage`` is ``None`` where no seed has both.
    """

    metric: str
    first: str
    second: str
    advantage: Spread | None

    @property
    def verdict(self) -> Verdict:
        """Whether this agrees with the claim that ``first`` is better.

        A mean no larger than the deviation over seeds says neither.
        """
        if self.advantage is None:
            return "not measured"
        if abs(self.advantage.mean) <= (self.advantage.deviation or 0.0):
            return "within the spread of seeds"
        return "agrees" if self.advantage.mean > 0 else "disagrees"


class Comparison:
    """All runs of a table; ``better`` says of each metric what is better: higher, lower, closer.

    "closer" means nearer to the true colours' own value.
    """

    def __init__(self, runs: Sequence[Run], better: Mapping[str, str]) -> None:
        self.runs = list(runs)
        self.better = dict(better)

    @property
    def rows(self) -> list[str]:
        """The rows in the order they came in."""
        return list(dict.fromkeys(run.row for run in self.runs))

    def of(self, row: str) -> list[Run]:
        """Return the runs of a row, one for each seed."""
        return [run for run in self.runs if run.row == row]

    def score(self, row: str, metric: str) -> Spread | None:
        """Return a row's value over seeds."""
        return Spread.of(run.scores[metric] for run in self.of(row) if metric in run.scores)

    def gray(self, metric: str) -> Spread | None:
        """Return the gray input's value over all runs: the same in each, on the same frames."""
        return Spread.of(run.gray[metric] for run in self.runs if metric in run.gray)

    def truth(self, metric: str) -> Spread | None:
        """Return the true colours' own value over all runs."""
        return Spread.of(run.truth[metric] for run in self.runs if metric in run.truth)

    def gain(self, row: str, metric: str) -> Spread | None:
        """Return by how much a row is better than gray, over seeds."""
        pairs = [
            (self._goodness(run, run.scores, metric), self._goodness(run, run.gray, metric))
            for run in self.of(row)
        ]
        return Spread.of(ours - gray for ours, gray in pairs if None not in (ours, gray))  # type: ignore[operator]

    def paired(self, metric: str, first: str, second: str) -> Paired:
        """Return by how much ``first`` is better than ``second``, over the seeds both have."""
        one, other = self._by_seed(first, metric), self._by_seed(second, metric)
        common = [one[seed] - other[seed] for seed in one if seed in other]
        return Paired(metric=metric, first=first, second=second, advantage=Spread.of(common))

    def judge(self, claim: Claim) -> tuple[Verdict, list[Paired]]:
        """Return what the runs say of a claim, and every difference behind it.

        One difference that disagrees refutes the claim; it holds only where all agree.
        """
        pairs = [self.paired(m, claim.row, other) for m in claim.metrics for other in claim.over]
        verdicts = {pair.verdict for pair in pairs} or {"not measured"}
        return next(verdict for verdict in get_args(Verdict) if verdict in verdicts), pairs

    def reversed_pairs(self, published: Mapping[str, Scores]) -> list[Paired]:
        """Return the pairs of rows whose order differs from the published one, by metric.

        ``first`` is the row that was better as published, so the advantage is negative.
        """
        found = []
        for metric, better in self.better.items():
            scores = {row: published[row].get(metric) for row in self.rows if row in published}
            known = {row: score for row, score in scores.items() if score is not None}
            for rows in itertools.combinations(known, 2):
                first, second = sorted(rows, key=known.__getitem__, reverse=better == "higher")
                pair = self.paired(metric, first, second)
                if known[first] == known[second] or pair.advantage is None:
                    continue
                if pair.advantage.mean < 0:
                    found.append(pair)
        return found

    def _by_seed(self, row: str, metric: str) -> dict[int, float]:
        values = {run.seed: self._goodness(run, run.scores, metric) for run in self.of(row)}
        return {seed: value for seed, value in values.items() if value is not None}

    def _goodness(self, run: Run, scores: Scores, metric: str) -> float | None:
        """Return a value that is larger for better scores, in the unit of the metric."""
        value = scores.get(metric)
        if value is None:
            return None
        if self.better[metric] == "closer":
            return -abs(value - run.truth[metric]) if metric in run.truth else None
        return value if self.better[metric] == "higher" else -value
