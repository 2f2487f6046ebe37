"""Spread the colours of hints over a drawing, as far as nothing surer is known."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32

# As in the authors' program: the share of the variance of luma around a pixel, in [0, 1]², by which
# likeness falls, the weight that the likest neighbour has at least, and the least variance.
_SHARE, _LEAST_WEIGHT, _LEAST_VARIANCE = 0.6, 0.01, 2e-6
_PRIOR = 5e-6  # how firmly a colour with an error of 1 is held; see experiments/never-seen

Plane = Float32[np.ndarray, "h w"]


def spread_hints(
    luma: Plane,
    hints: Float32[np.ndarray, "h w c"],
    shown: Bool[np.ndarray, "h w"],
    *,
    prior: Float32[np.ndarray, "h w c"],
    spread: Plane,
    firmness: float = _PRIOR,
) -> Float32[np.ndarray, "h w c"]:
    """Return the chroma of a frame of which some pixels are ``shown``, and stay as they are.

    All others get the mean of their eight neighbours, the more of each the more alike its ``luma``
    in [0, 1], and of ``prior``, the more of it the smaller the error (``spread``) that is expected
    of it: hints run on to the next line where nothing is known, and no further than is needed where
    something is. With ``firmness`` 0 there is no prior, and at least one pixel must be shown.
    Channels do not mix: one that is 1 in the hints and 0 in the prior tells which share of each
    pixel's colour is that of hints.

    Source: Levin, Lischinski & Weiss 2004, Colorization using optimization, eq. 2 (weights by the
    variance of luma around a pixel).
    Differs: each equation has a term of the prior; chroma is (Cb, Cr), not (U, V).
    """
    # Most that colours needs no SciPy.
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import spsolve

    count = luma.size
    weights, neighbors = _affinities(luma.astype(np.float64))
    rows = np.repeat(np.arange(count), 8).reshape(8, -1, order="F")
    inside = neighbors >= 0
    free = np.broadcast_to(~shown.ravel(), (8, count))[inside]
    mean = coo_matrix(
        (weights[inside] * free, (rows[inside], neighbors[inside])), shape=(count, count)
    )
    held = firmness / np.maximum(spread.ravel().astype(np.float64), 1e-3) ** 2
    held = np.where(shown.ravel(), 0.0, held)
    matrix = (diags(1 + held) - mean).tocsc()
    known = np.where(
        shown.reshape(-1, 1),
        hints.reshape(luma.size, -1),
        held[:, None] * prior.reshape(luma.size, -1),
    )
    solved = spsolve(matrix, known.astype(np.float64))
    return solved.reshape(hints.shape).astype(np.float32)


def _affinities(
    luma: Float[np.ndarray, "h w"],
) -> tuple[Float[np.ndarray, "8 n"], np.ndarray]:
    """Return how much of each of a pixel's neighbours there is in its mean, and which these are.

    They sum to 1; those outside of the frame are -1, and weigh nothing.
    """
    height, width = luma.shape
    numbers = np.pad(np.arange(height * width).reshape(luma.shape), 1, constant_values=-1)
    padded = np.pad(luma, 1, mode="edge")
    places = [
        (slice(dy, dy + height), slice(dx, dx + width))
        for dy in range(3)
        for dx in range(3)
        if (dy, dx) != (1, 1)
    ]
    neighbors = np.stack([numbers[place] for place in places]).reshape(8, -1)
    values = np.stack([padded[place] for place in places]).reshape(8, -1)
    own = luma.reshape(1, -1)
    inside = neighbors >= 0
    squares = (values - own) ** 2
    likest = np.where(inside, squares, 1.0).min(axis=0)
    width = _SHARE * np.concatenate([own, values]).var(axis=0)
    width = np.maximum(np.maximum(width, -likest / np.log(_LEAST_WEIGHT)), _LEAST_VARIANCE)
    weights = np.where(inside, np.exp(-squares / width), 0.0)
    return weights / np.maximum(weights.sum(axis=0), 1e-300), neighbors
