"""Where the numbers in the names of frames jump: what lies on both sides are no neighbours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath

_NUMBER = re.compile(
    r"(?P<before>.*?)(?P<number>(?:(?<=[_. ])-|^-)?[0-9]+)(?P<after>[^0-9]*)", re.DOTALL
)
_Steps = dict[int, int | None]  # by place; None: the text around the number changes


def jumps(names: Sequence[str]) -> tuple[int, ...]:
    """Return the places of the frames whose number does not follow that of the frame before.

    The last number in a file's name, without suffix, is its frame's. It follows by
    :func:`usual_step` or less. Another text around the number starts anew. Names without any number
    say nothing of order, and nothing jumps between two of them.

    Args:
        names: File names in the order of the frames, such as ``walk_0213.png``.
    """
    steps = _steps(names)
    usual = _usual(steps)
    return tuple(place for place, step in steps.items() if step is None or step > usual)


def usual_step(names: Sequence[str]) -> int:
    """Return by what frames are numbered: the step that most keep, of several the smallest.

    1 where no step comes twice: numbers picked at random keep none.
    """
    return _usual(_steps(names))


def _steps(names: Sequence[str]) -> _Steps:
    split = [_NUMBER.fullmatch(PurePath(name).stem) for name in names]
    steps: _Steps = {}
    for place, (one, other) in enumerate(pairwise(split), start=1):
        if one is None and other is None:
            continue
        if one is None or other is None or _text(one) != _text(other):
            steps[place] = None
        else:
            steps[place] = int(other["number"]) - int(one["number"])
    return steps


def _usual(steps: _Steps) -> int:
    counts = Counter(step for step in steps.values() if step)
    most = max(counts.values(), default=0)
    return min(step for step, count in counts.items() if count == most) if most > 1 else 1


def _text(name: re.Match[str]) -> tuple[str, str]:
    return name["before"].casefold(), name["after"].casefold()
