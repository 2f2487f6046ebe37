"""Recognise the middle of a dissolve in a run of thumbnails.

The picture in the middle of a dissolve is a mixture of those before and after, place by place, and
has less contrast than they, as they have little in common. Under a moving camera it is no such
mixture, and keeps its contrast.

Source: the loss of contrast is that of A. M. Alattar, "Detecting and compressing dissolve regions
in video sequences", ISCAS 1993. Differs: a test of the mixture instead of second derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from colorize.shots.thumbnails import Thumbnail, differences

# Frames before and after the middle. Both must agree: the wide span alone may hold something else
# as well, and in the narrow one a slow camera move passes for a mixture.
SPANS = (8, 13)

_UNLIKE = 0.4  # least difference of both ends
_FAINT = 0.2  # least deviation of the fainter end, of the other's; below it is a fade
_UNEXPLAINED = 0.5  # most that is no mixture, of the root mean square change
_CONTRAST = 0.85  # most of the ends' variance that the middle may keep
_CENTRAL = 0.25  # by how much the new picture's share in the middle may be off one half
_ADVANCE = 0.3  # least gain of its share over half the span
_FIGURES = 0.25  # of the places that change: those least like a mixture, since figures move


def dissolve_score(pictures: Sequence[Thumbnail], *, grain: float) -> float:
    """Return how surely the middle of the pictures is that of a dissolve; 0 where it is not.

    ``pictures`` are as many on either side of the middle as the widest span.
    """
    middle = len(pictures) // 2
    scores = (
        _score([pictures[middle + k] for k in (-span, -span // 2, 0, span // 2, span)], grain)
        for span in SPANS
    )
    score = 1.0
    for each in scores:
        score *= each
        if score == 0:
            break
    return score


def _score(pictures: Sequence[Thumbnail], grain: float) -> float:
    """Return the score of five pictures: both ends, the middle, and those halfway."""
    start, _, middle, _, end = pictures
    faint, strong = sorted((float(np.var(start)), float(np.var(end))))
    unlike = float(differences(start, end[None], grain=grain)[0])
    # Cheap tests first: they leave a few frames of a film.
    if unlike < _UNLIKE or faint < _FAINT**2 * strong:
        return 0.0
    if float(np.var(middle)) > _CONTRAST * (faint + strong) / 2:
        return 0.0
    shares, rests = zip(*(_mixture(start, end, each) for each in pictures[1:-1]), strict=True)
    eccentric = abs(shares[1] - 0.5)
    if max(rests) > _UNEXPLAINED or eccentric > _CENTRAL or shares[2] - shares[0] < _ADVANCE:
        return 0.0
    return unlike * (1 - max(rests)) * (1 - 2 * eccentric)


def _mixture(start: Thumbnail, end: Thumbnail, picture: Thumbnail) -> tuple[float, float]:
    """Return the share of ``end`` in a mixture with ``start``, and how much is no mixture.

    The latter is the 70th percentile of what remains, over the root mean square of the change.
    """
    change, progress = end - start, picture - start
    scale = float(np.sqrt(np.mean(change**2)))
    places = np.abs(change) > _FIGURES * scale
    rest = np.abs(progress - _share(change, progress, places) * change)
    places &= rest <= np.quantile(rest[places], 1 - _FIGURES)
    share = _share(change, progress, places)
    return share, float(np.quantile(np.abs(progress - share * change), 0.7)) / scale


def _share(
    change: Float64[np.ndarray, "h w"],
    progress: Float64[np.ndarray, "h w"],
    places: Bool[np.ndarray, "h w"],
) -> float:
    """Return the least-squares factor from ``change`` to ``progress`` in some places."""
    return float((change * progress)[places].sum() / (change**2)[places].sum())
