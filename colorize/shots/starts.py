"""Say at which frames shots start: at cuts, in the middle of dissolves, and around blank frames."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from colorize.shots.cuts import REACH, find_cuts
from colorize.shots.dissolves import SPANS
from colorize.shots.thumbnails import Luma
from colorize.shots.trace import Trace, read_trace

_APART = 2 * max(SPANS)  # frames between the middles of two dissolves; the surer is kept
_FADING = 0.6  # of the contrast four frames further from the blank ones: less, and it fades


def shot_starts(frames: Iterable[Luma]) -> list[int]:
    """Return the index of the first frame of every shot, in order; the first is always 0.

    ``frames`` is the luma of a film in order, uint8 or float in [0, 1], read once. An empty film
    has no shots.

    - A cut: the first frame of the new shot. Flashes of up to five frames are none.
    - A dissolve: its middle, if it takes 6 to 30 frames or so.
    - A fade through black, white or gray: the middle of the blank frames, or of both fades; the cut
      itself where only one side fades. A fade to black and back to the same picture is no cut.
    - Blank frames: a shot of their own where at least :data:`REACH` of them begin and end at once.

    Source: ours; measured in ``experiments/shots``. Not found: dissolves between like pictures,
    wipes, and a cut to a picture that returns within five frames.
    """
    trace = read_trace(frames)
    if trace.count == 0:
        return []
    cuts = find_cuts(trace)
    starts = {0} | {int(trace.frames[position]) for position in _dissolves(trace, cuts)}
    for position in cuts:
        starts.add(_start(trace, position))
    return sorted(starts | _blank_shots(trace))


def _dissolves(trace: Trace, cuts: list[int]) -> list[int]:
    """Return the positions of the surest middles of dissolves, away from cuts and each other."""
    kept: list[int] = []
    for position in np.argsort(-trace.dissolves, kind="stable").tolist():
        if trace.dissolves[position] == 0:
            break
        if all(abs(position - cut) > max(SPANS) for cut in cuts) and all(
            abs(position - other) > _APART for other in kept
        ):
            kept.append(position)
    return kept


def _start(trace: Trace, position: int) -> int:
    """Return the frame with which the shot of a picture starts, which may be a blank one."""
    if position == 0:
        return 0
    first, last = int(trace.frames[position - 1]) + 1, int(trace.frames[position])
    before, after = _fades(trace, position - 1, -1), _fades(trace, position, 1)
    if before and after:
        return (first + last) // 2
    return first if after else last


def _fades(trace: Trace, position: int, direction: int) -> bool:
    """Return whether a picture is much fainter than the one four further in a direction."""
    further = position + 4 * direction
    if not 0 <= further < len(trace):
        return False
    return bool(trace.contrasts[position] < _FADING * trace.contrasts[further])


def _blank_shots(trace: Trace) -> set[int]:
    """Return where blank frames start and end that are long enough and do not fade."""
    starts: set[int] = set()
    edges = [-1, *trace.frames.tolist(), trace.count]
    for position, (before, after) in enumerate(pairwise(edges)):
        fades = (position > 0 and _fades(trace, position - 1, -1)) or (
            position < len(trace) and _fades(trace, position, 1)
        )
        if after - before - 1 >= REACH and not fades:
            starts |= {before + 1, after} - {trace.count}
    return starts
