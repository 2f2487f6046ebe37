"""Which references colour which shot, unless somebody else chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch

from colorize.base.progress import tracked
from colorize.inference.library import Library
from colorize.media import Frame

# Below it a reference harms more than it helps; measured for the shipped weights by
# experiments/reference/measure_likeness.py.
LEAST_LIKENESS = 0.85


class Span(NamedTuple):
    """Frames ``start <= index < stop`` of a shot."""

    start: int
    stop: int


class _Look(NamedTuple):
    """A look at a frame of a shot: which references might show the same."""

    shot: int
    candidates: set[str]


def choose_references(
    shots: Sequence[Span | None],
    library: Library,
    frames: Callable[[set[int]], Iterator[Frame]],
) -> list[tuple[str, ...]]:
    """Return the names of the references that colour each shot; None stands for a shot with none.

    These are its own frames, those of the shots beside it that show enough of its first or last
    frame, as where one dissolves into the other, and pictures of no frame that show enough of its
    first, middle or last frame, the likest first: in a moving shot these are not the same things. A
    shot without own frames, or of which only parts are painted, also takes the frames of others
    that show enough of its middle.
    ``frames`` gives frames by their numbers, in order.
    """
    pictures = library.pictures.values()
    own = [_own(shot, library) for shot in shots]
    loose = {each.name for each in pictures if each.frame is None}
    looks: dict[int, _Look] = {}
    for number, shot in enumerate(shots):
        if shot is None:
            continue
        middle = (shot.start + shot.stop) // 2
        if loose:
            for frame in (shot.start, middle, shot.stop - 1):
                looks[frame] = _Look(number, set(loose))
        if not any(map(library.shows_all, own[number])):
            others = library.pictures.keys() - set(own[number])
            if others:
                looks.setdefault(middle, _Look(number, set())).candidates.update(others)
            continue
        for frame, beside in ((shot.start, number - 1), (shot.stop - 1, number + 1)):
            if 0 <= beside < len(shots) and own[beside]:
                looks.setdefault(frame, _Look(number, set())).candidates.update(own[beside])
    likest = _likest(
        {frame: look for frame, look in looks.items() if look.candidates}, library, frames
    )
    return [
        mine + tuple(name for name in likest.get(number, ()) if name not in mine)
        for number, mine in enumerate(own)
    ]


def _own(shot: Span | None, library: Library) -> tuple[str, ...]:
    """Return the references that are frames of a shot."""
    if shot is None:
        return ()
    return tuple(
        each.name
        for each in library.pictures.values()
        if each.frame is not None and shot.start <= each.frame < shot.stop
    )


def _likest(
    looks: Mapping[int, _Look], library: Library, frames: Callable[[set[int]], Iterator[Frame]]
) -> dict[int, list[str]]:
    """Return by shot the references that show enough of a frame of it, the likest first."""
    best: dict[int, dict[str, float]] = {}
    if not looks:
        return {}
    found = frames(set(looks))
    for frame in tracked(found, "choosing references", total=len(looks), unit="frame"):
        look = looks[frame.index]
        names = [name for name in library.pictures if name in look.candidates]
        gray = torch.from_numpy(frame.gray())[None, None]
        scores = best.setdefault(look.shot, {})
        for name, score in zip(names, library.likeness(gray, names), strict=True):
            scores[name] = max(score, scores.get(name, score))
    return {
        shot: sorted(
            (name for name in scores if scores[name] >= LEAST_LIKENESS),
            key=lambda name: -scores[name],
        )
        for shot, scores in best.items()
    }
