"""Count which starts a detector found, and which it invented."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shot_films.joints import Joint

_SLACK = 1  # frames by which a start may miss its joint


@dataclass(frozen=True)
class Score:
    """Joints found, starts that are none, and joints missed; scores of films add up."""

    found: int = 0
    invented: int = 0
    missed: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.found + other.found, self.invented + other.invented,
                     self.missed + other.missed)  # fmt: skip

    @property
    def precision(self) -> float:
        """Share of the starts that are joints; 1 where nothing was found."""
        return self.found / (self.found + self.invented) if self.found + self.invented else 1.0

    @property
    def recall(self) -> float:
        """Share of the joints that were found; 1 where there are none."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.found / max(2 * self.found + self.invented + self.missed, 1)


def score(joints: Sequence[Joint], starts: Iterable[int]) -> Score:
    """Match each start but 0 with the first free joint that it lies in, give or take a frame."""
    free, invented = list(joints), 0
    for start in sorted(set(starts) - {0}):
        hit = next((j for j in free if j.first - _SLACK <= start <= j.last + _SLACK), None)
        if hit is None:
            invented += 1
        else:
            free.remove(hit)
    return Score(len(joints) - len(free), invented, len(free))


def total(scores: Iterable[Score]) -> Score:
    """Add scores up."""
    return sum(scores, Score())
