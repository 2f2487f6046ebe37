"""Read the progress bars of the programs: tqdm draws them by a pattern that is easy to take apart.

So every bar of the colorizer and of the classifiers shows on the page too, and none of them needs
to know that there is a page.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

_MARK = "\x1e"
# tqdm takes its defaults from TQDM_…; postfix comes last, since it may hold anything.
ENVIRONMENT: Mapping[str, str] = {
    "TQDM_BAR_FORMAT": _MARK + "{desc}\t{n}\t{total}\t{rate}\t{postfix}" + _MARK,
    "TQDM_MININTERVAL": "0.25",
}


@dataclass(frozen=True)
class Progress:
    """How far a step is: ``done`` of ``total`` (None: not known), per second, seconds left."""

    step: str
    done: int
    total: int | None
    rate: float | None
    left: float | None
    note: str


def read_bars(text: str) -> list[Progress]:
    """Return the bars in what was written to a terminal, in order."""
    bars = []
    for piece in text.split(_MARK):
        if piece.count("\t") == 4:
            with contextlib.suppress(ValueError):
                bars.append(_bar(*piece.split("\t")))
    return bars


def _bar(step: str, done: str, total: str, rate: str, note: str) -> Progress:
    count = None if total == "None" else int(float(total))
    speed = None if rate == "None" else float(rate)
    left = (count - int(done)) / speed if count is not None and speed else None
    return Progress(step.rstrip(": "), int(done), count, speed, left, note.removeprefix(", "))
