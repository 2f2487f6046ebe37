"""Find cuts among the pictures of a film: steps that stand out and lead to another picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from colorize.shots.trace import LAGS, Trace

REACH = 6  # pictures over which a flash may last (one less)

_THRESHOLD = 0.16  # least step of a cut; unlike pictures lie around 0.7
_CONTRAST = 3.0  # how often a cut exceeds the steps of its neighbourhood
_WINDOW = 8  # pictures on either side that are the neighbourhood
_SHARP = 1.6  # how often a cut exceeds the steps right before and after
_STRONG = 0.4  # least step of a cut that stands out of two neighbours on either side alone
# What comes back differs by less than this part of the step: soon, and after some jumps.
_LIKE, _SAME = 0.5, 0.35
_JUMPS = 3  # of half a cut or more: what leaves in that many was a figure


def find_cuts(trace: Trace) -> list[int]:
    """Return the positions of the pictures with which a shot begins at once, ascending.

    What was blank between two pictures counts for nothing: after a fade through black the next
    picture makes a step.
    """
    steps = trace.differences[:, 0]
    return [
        position
        for position in np.flatnonzero(steps >= _THRESHOLD).tolist()
        if _stands_out(steps, position) and not _comes_back(trace, position)
    ]


def _stands_out(steps: Float32[np.ndarray, " t"], position: int) -> bool:
    """Return whether a step is sharp, and an outlier of its neighbourhood.

    Of the neighbourhood the third largest step counts, so that one neighbouring cut or a flash
    hides nothing; a fast pan or an action drawn on twos or threes raises it. A strong step need
    only exceed the two before and after: a cut among shots of three frames, or beside a pan.
    """
    step = steps[position]
    if step < _SHARP * _neighbours(steps, position, 1).max(initial=0):
        return False
    around = np.sort(_neighbours(steps, position, _WINDOW))
    if len(around) < 3 or step >= _CONTRAST * around[-3]:
        return True
    return bool(
        step >= _STRONG and step >= _CONTRAST * _neighbours(steps, position, 2).max(initial=0)
    )


def _neighbours(
    steps: Float32[np.ndarray, " t"], position: int, reach: int
) -> Float32[np.ndarray, " n"]:
    """Return the steps about a position, itself left out; as many at the ends of the film."""
    low = max(1, min(position - reach, len(steps) - 2 * reach - 1))
    return np.delete(steps[low : low + 2 * reach + 1], position - low)


def _comes_back(trace: Trace, position: int) -> bool:
    """Return whether a picture from before ``position`` is seen again from there on.

    Within :data:`REACH` pictures that is a flash; within ``LAGS`` and after several jumps it is the
    background behind a big figure that passed.
    """
    steps = trace.differences[:, 0]
    limit = steps[position]
    for after in range(position, min(len(trace), position + LAGS)):
        # Lags that reach across ``position``; the step into it is the candidate itself.
        for lag in range(max(2, after - position + 1), min(LAGS, after) + 1):
            difference = trace.differences[after, lag - 1]
            if lag <= REACH and difference < _LIKE * limit:
                return True
            if difference < _SAME * limit:
                jumps = steps[after - lag + 1 : after + 1] > limit / 2
                if np.count_nonzero(jumps) >= _JUMPS:
                    return True
    return False
