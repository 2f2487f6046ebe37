"""Spread the colours of dots over a picture by optimisation: the classical way to use hints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64
from scipy import sparse
from scipy.sparse.linalg import splu

_NEIGHBOURS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
_SMALLEST_VARIANCE = 2e-6
# The program's: the share of the variance, and the weight that the likest neighbour has at least.
_SHARE, _LEAST_WEIGHT = 0.6, 0.01


def affinities(luma: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w 8"]:
    """Return how much each of its eight neighbours counts for a pixel; zero outside, the sum is 1.

    ``luma`` is in [0, 1]; a weight falls with the squared difference of luma, by the variance of
    the 3 by 3 window.
    """
    padded = np.pad(luma, 1, constant_values=np.nan)
    height, width = luma.shape
    windows = np.stack(
        [
            padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
            for dy, dx in [*_NEIGHBOURS, (0, 0)]
        ],
        axis=-1,
    )
    squares = (windows[..., :-1] - luma[..., None]) ** 2
    width_of = _SHARE * np.nanvar(windows, axis=-1)
    width_of = np.maximum(width_of, -np.nanmin(squares, axis=-1) / np.log(_LEAST_WEIGHT))
    width_of = np.maximum(width_of, _SMALLEST_VARIANCE)
    weights = np.nan_to_num(np.exp(-squares / width_of[..., None]), nan=0.0)
    return weights / weights.sum(axis=-1, keepdims=True)


def spread(
    luma: Float64[np.ndarray, "h w"],
    chroma: Float64[np.ndarray, "h w 2"],
    marked: Bool[np.ndarray, "h w"],
) -> Float64[np.ndarray, "h w 2"]:
    """Return the chroma of a picture that has the given ``chroma`` where it is ``marked``.

    Every other pixel has the mean of its neighbours, weighted by :func:`affinities`. Without any
    mark all is gray.

    Source: Levin, Lischinski and Weiss 2004, Colorization using Optimization, section 2, as its
    authors' program solves it: a square system whose rows are the marks, and the pixels' means.
    """
    if not marked.any():
        return np.zeros((*luma.shape, 2))
    height, width = luma.shape
    count = height * width
    weights = affinities(luma)
    weights[marked] = 0
    rows, columns = np.mgrid[:height, :width]
    own = rows * width + columns
    parts = [sparse.identity(count, format="csr")]
    for number, (dy, dx) in enumerate(_NEIGHBOURS):
        each = weights[..., number]
        there = each > 0
        entries = (each[there], (own[there], own[there] + dy * width + dx))
        parts.append(-sparse.csr_array(entries, shape=(count, count)))
    system = sum(parts[1:], parts[0])
    values = np.where(marked[..., None], chroma, 0.0).reshape(count, 2)
    return splu(sparse.csc_matrix(system)).solve(values).reshape(height, width, 2)
