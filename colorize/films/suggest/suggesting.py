"""Suggest the frames of a film that are worth colouring by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from colorize.base.errors import UserError
from colorize.base.pieces import pieces
from colorize.base.progress import say, task, tracked
from colorize.films.suggest.coverage import Coverage, choose, left_by_likeness
from colorize.films.suggest.looks import MOST, Looks, Span, frames_to_look_at, look_at_frames
from colorize.inference.choice import LEAST_LIKENESS
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Source
from colorize.networks.guided.network import GuidedNetwork
from colorize.networks.guided.references import References

_BATCH = 24  # frames that one candidate is compared with at a time
_TOLD = 0.1  # of a shot: less of it is not told as served


class Served(NamedTuple):
    """A shot, counted from 0, its frames, and the share of what is unknown of it that is served."""

    shot: int
    start: int
    stop: int
    share: float


@dataclass(frozen=True)
class Suggestion:
    """A frame whose colours serve much of a film.

    ``serves`` are the shots that it serves, the best served first. ``gain`` is the share of the
    film, 0 to 1, that it serves newly, ``covered`` that which is served with it and all before.
    What counts of a film is what is not known of its colours: the error that is expected of those
    painted without references.
    """

    frame: int
    serves: tuple[Served, ...]
    gain: float
    covered: float


def suggest(
    source: Source,
    spans: Sequence[Span],
    colorizer: LoadedNetworks,
    *,
    count: int,
    given: Sequence[int] = (),
    most: int = MOST,
) -> list[Suggestion]:
    """Return up to ``count`` frames to colour, the most useful first, and what each serves.

    ``spans`` are start and stop of every shot. ``given`` are frames that are coloured already: what
    they serve counts as served. At most ``most`` frames are looked at, and one for each shot, so
    that time and memory are bounded: each pair of them is compared once, at a coarse grid. Fewer
    are returned where no further frame would serve anything. Progress is told as events.

    Raises:
        UserError: The model takes no references, or no frame shows anything.
        MediaError: A frame cannot be read.
    """
    if not colorizer.takes_references:
        raise UserError(
            "this model takes no references, so that no frame serves another; leave --checkpoint "
            "out, or train one with model=guided"
        )
    wanted = frames_to_look_at(spans, most=most, also=given)
    looks = look_at_frames(source, spans, wanted, colorizer)
    coloured = set(given)
    known = [row for row, frame in enumerate(looks.frame) if frame in coloured]
    free = [
        row
        for row, frame in enumerate(looks.frame)
        if looks.clear[row] and frame not in coloured and looks.weight[row] > 0
    ]
    if not free and not known:
        raise UserError(f"{source.path}: no frame shows anything; check that the film plays")
    coverage = _coverage(looks, [*known, *free], spans, colorizer)
    taken = coverage.start()
    for candidate in range(len(known)):
        taken = coverage.take(candidate, taken)
    allowed = list(range(len(known), len(known) + len(free)))
    found: list[Suggestion] = []
    with task("choosing frames", total=count, unit="frame") as bar:
        while len(found) < count:
            chosen = choose(coverage, taken, allowed)
            if chosen is None:
                break
            candidate, after = chosen
            served = coverage.served(taken, after)
            covered, before = coverage.covered(after), coverage.covered(taken)
            frame = looks.frame[free[candidate - len(known)]]
            found.append(Suggestion(frame, _told(served, spans), covered - before, covered))
            allowed.remove(candidate)
            taken = after
            bar.advance()
    if len(found) < count:
        say(f"{len(found)} frames serve all that can be served; more would add nothing")
    return found


def _told(served: dict[int, float], spans: Sequence[Span]) -> tuple[Served, ...]:
    """Return the shots that are served, the best first."""
    ordered = sorted(served.items(), key=lambda item: -item[1])
    return tuple(
        Served(shot, *spans[shot], round(share, 4)) for shot, share in ordered if share >= _TOLD
    )


def _coverage(
    looks: Looks, candidates: Sequence[int], spans: Sequence[Span], colorizer: LoadedNetworks
) -> Coverage:
    """Compare every candidate with every frame."""
    cosine = _cosines(looks, candidates, colorizer)
    own = looks.shot[list(candidates)]
    same = own[:, None] == looks.shot[None]
    return Coverage(
        left=left_by_likeness(cosine, same),
        stake=looks.stake,
        weight=looks.weight,
        shot=looks.shot,
        own=own,
        reaches=_reaches(cosine.mean(axis=2), looks, spans),
    )


def _reaches(
    likeness: Float32[np.ndarray, "c n"], looks: Looks, spans: Sequence[Span]
) -> Bool[np.ndarray, "c n"]:
    """Return which candidates the product would choose for the shot of each frame."""
    reaches = np.zeros(likeness.shape, dtype=bool)
    numbers = np.array(looks.frame)
    for shot in np.unique(looks.shot):
        start, stop = spans[int(shot)]
        (rows,) = np.nonzero(looks.shot == shot)
        middle = rows[np.abs(numbers[rows] - (start + stop) // 2).argmin()]
        reaches[:, rows] = (likeness[:, middle] >= LEAST_LIKENESS)[:, None]
    return reaches


@torch.inference_mode()
def _cosines(
    looks: Looks, candidates: Sequence[int], colorizer: LoadedNetworks
) -> Float32[np.ndarray, "c n pq"]:
    """Return how alike the best match of every place of n frames is in each candidate."""
    guided = colorizer.model
    assert isinstance(guided, GuidedNetwork), "it takes references"
    batches = pieces(0, len(looks.frame), _BATCH)
    found = []
    for candidate in tracked(candidates, "comparing frames", unit="frame"):
        shown = _shown(looks.keys[candidate])
        rows = [
            guided.matcher.find(
                looks.keys[batch.start : batch.stop].to(colorizer.device),
                shown.expand(len(batch)).to(colorizer.device),
            ).similarity.cpu()
            for batch in batches
        ]
        found.append(torch.cat(rows).numpy())
    return np.stack(found)


def _shown(keys: Float[Tensor, "d p q"]) -> References:
    """Return a frame of which only what matching sees is known as a reference."""
    luma, chroma = torch.zeros(1, 1, 1, 1), torch.zeros(1, 2, 1, 1)
    return References.of(luma, chroma).with_keys(keys[None])
