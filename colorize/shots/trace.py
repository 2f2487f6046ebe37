"""Read a film once and keep a few numbers of each frame that shows a picture."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from jaxtyping import Float32, Float64, Int64

from colorize.shots.dissolves import SPANS, dissolve_score
from colorize.shots.thumbnails import Grain, Luma, Thumbnail, differences, is_blank, thumbnail

LAGS = 16  # pictures back to which each is compared
_OPENING = 5  # frames from which the grain is known at the start
_KEPT = max(LAGS, 2 * max(SPANS) + 1)


@dataclass(frozen=True)
class Trace:
    """What is known of the pictures of a film; frames that show nothing are left out.

    - ``count``: frames of the film.
    - ``frames``: number of each picture's frame, ascending.
    - ``differences``: to the 1st, 2nd ... :data:`LAGS`-th picture before; 0 where there is none.
    - ``contrasts``: standard deviation of the thumbnail, in [0, 1] units.
    - ``dissolves``: how surely it is the middle of a dissolve; 0 where it is not.
    """

    count: int
    frames: Int64[np.ndarray, " t"]
    differences: Float32[np.ndarray, "t lag"]
    contrasts: Float64[np.ndarray, " t"]
    dissolves: Float64[np.ndarray, " t"]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.frames)


def read_trace(film: Iterable[Luma]) -> Trace:
    """Read every frame once; the last 27 thumbnails are kept, and of each picture 19 numbers."""
    thumbnails = map(thumbnail, film)
    opening = list(islice(thumbnails, _OPENING))
    grain = Grain(opening)
    recent: deque[Thumbnail] = deque(maxlen=_KEPT)  # the last one first
    count = 0
    # A film has a hundred thousand pictures and more: numbers, not objects.
    frames, rows = array("q"), array("f")
    contrasts, dissolves = array("d"), array("d")
    for picture in chain(opening, thumbnails):
        level = grain.level(picture)
        count += 1
        if is_blank(picture, level):
            continue
        frames.append(count - 1)
        rows.extend(_row(picture, list(islice(recent, LAGS)), level))
        contrasts.append(float(picture.std()))
        recent.appendleft(picture)
        dissolves.append(0.0)
        if len(recent) == _KEPT:
            dissolves[-1 - max(SPANS)] = dissolve_score(list(recent)[::-1], grain=level)
    return Trace(
        count=count,
        frames=np.array(frames, np.int64),
        differences=np.array(rows, np.float32).reshape(-1, LAGS),
        contrasts=np.array(contrasts),
        dissolves=np.array(dissolves),
    )


def _row(picture: Thumbnail, earlier: list[Thumbnail], grain: float) -> Float64[np.ndarray, " lag"]:
    """Return the differences to earlier pictures, filled up with zeros."""
    row = np.zeros(LAGS)
    if earlier:
        row[: len(earlier)] = differences(picture, np.stack(earlier), grain=grain)
    return row
