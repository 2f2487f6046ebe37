"""What of a film the colours of some frames serve, and which frames to take next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

# How much of the mean square error of chroma is left where the best match has a cosine, of a frame
# of the same shot (which is also followed along the motion) and of another; measured by
# experiments/painting/calibrate.py.
COSINES = (0.70, 0.80, 0.85, 0.90, 0.95, 0.98, 1.00)
LEFT_SAME = (1.00, 0.80, 0.60, 0.40, 0.20, 0.10, 0.05)
LEFT_OTHER = (1.30, 1.10, 0.90, 0.60, 0.35, 0.20, 0.10)


def left_by_likeness(
    cosine: Float32[np.ndarray, "c n pq"], same_shot: Bool[np.ndarray, "c n"]
) -> Float32[np.ndarray, "c n pq"]:
    """Return the share of error that a reference leaves where its best match has a ``cosine``."""
    same, other = (
        np.interp(cosine, COSINES, left).astype(np.float32) for left in (LEFT_SAME, LEFT_OTHER)
    )
    return np.where(same_shot[..., None], same, other)


@dataclass(frozen=True, eq=False)
class Coverage:
    """What c candidates leave of the error of n frames, and by what rules they serve them.

    ``left`` is the share of the error of each place of a frame that stays when a candidate alone
    serves it, ``stake`` that error, ``weight`` for how many frames each stands. ``shot`` is the
    shot of each frame, ``own`` that of each candidate. A candidate serves its own shot; it serves
    another where it ``reaches`` it and none of the shot's own is taken.

    A frame is worth the decibels by which its error falls, since that is how near to the truth it
    comes, and no frame is given up for another.
    """

    left: Float32[np.ndarray, "c n pq"]
    stake: Float[np.ndarray, "n pq"]
    weight: Float[np.ndarray, " n"]
    shot: Int64[np.ndarray, " n"]
    own: Int64[np.ndarray, " c"]
    reaches: Bool[np.ndarray, "c n"]

    @cached_property
    def total(self) -> Float[np.ndarray, " n"]:
        """The error of each frame without references."""
        return self.stake.sum(axis=1)

    def start(self) -> Taken:
        """Return what is left while no candidate is taken."""
        nothing = np.ones_like(self.stake, dtype=np.float32)
        return Taken(nothing, self.total, np.zeros(len(self.shot), dtype=bool))

    def take(self, candidate: int, taken: Taken) -> Taken:
        """Return what is left when one more candidate is taken."""
        own = self.shot == self.own[candidate]
        left = taken.left.copy()
        fresh = own & ~taken.by_own  # its colours come instead of those of other shots
        left[fresh] = self.left[candidate, fresh]
        more = (own & taken.by_own) | (~own & ~taken.by_own & self.reaches[candidate])
        left[more] = np.minimum(left[more], self.left[candidate, more])
        return Taken(left, (left * self.stake).sum(axis=1), taken.by_own | own)

    def worth(self, taken: Taken) -> float:
        """Return by how many decibels the error has fallen, summed over the frames of the film."""
        return float((self.weight * 10 * np.log10(self.total / taken.error)).sum())

    def covered(self, taken: Taken) -> float:
        """Return which share of the film's error is gone, 0 to 1."""
        whole = float((self.weight * self.total).sum())
        return 1 - float((self.weight * taken.error).sum()) / whole

    def served(self, before: Taken, after: Taken) -> dict[int, float]:
        """Return by shot which share of its error has gone between two states."""
        found = {}
        for shot in np.unique(self.shot):
            frames = self.shot == shot
            weight = self.weight[frames]
            gone = float((weight * (before.error - after.error)[frames]).sum())
            found[int(shot)] = gone / max(float((weight * self.total[frames]).sum()), 1e-12)
        return found


@dataclass(frozen=True, eq=False)
class Taken:
    """What is left of the error of n frames by the candidates taken so far.

    ``left`` is the share of each place, ``error`` the sum over a frame; ``by_own`` says which
    frames have a candidate of their own shot.
    """

    left: Float32[np.ndarray, "n pq"]
    error: Float[np.ndarray, " n"]
    by_own: Bool[np.ndarray, " n"]


def choose(coverage: Coverage, taken: Taken, allowed: Sequence[int]) -> tuple[int, Taken] | None:
    """Return the candidate, of those ``allowed``, that is worth most next, and what it leaves.

    None where no more is gained.
    """
    best, least = None, coverage.worth(taken)
    for candidate in allowed:
        after = coverage.take(candidate, taken)
        worth = coverage.worth(after)
        if worth > least + 1e-9:
            best, least = (candidate, after), worth
    return best
