"""Snap flat fills to one chroma each, and leave what is painted as it is.

A fill is an area of one luma that lines or steps of luma close in, as cel paint is laid between
outlines. :func:`find_fills` finds fills on luma alone; :func:`snap_to_fills` gives each a single
chroma, unless its colours tell that it holds two.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int32
from scipy.ndimage import find_objects
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

# Luma is counted in 1/255 here. Neighbours that differ by no more are of one zone.
_TOLERANCE = 3.0
_SMALLEST, _LARGEST = 12, 0.25  # pixels at least; share of the frame at most
_SPREAD = 4.0  # from the 10th to the 90th percentile of a fill's luma, at most
# Luma within so many pixels of the rim must differ by more, along so much of the rim at least.
_REACH, _STEP, _CLOSED = 2, 12.0, 0.8
# Each of two colours has that share of the pixels at least. They are so far apart in (Cb, Cr), and
# parting them explains more of the variance than it would of colours spread evenly (0.75) or about
# one mean (0.64 for a Gaussian).
_PART, _APART, _EXPLAINED = 0.1, 0.07, 0.8


def snap_to_fills(
    gray: Float[Tensor, "t 1 h w"], chroma: Float[Tensor, "t 2 h w"], *, strength: float = 1.0
) -> Float[Tensor, "t 2 h w"]:
    """Return (Cb, Cr) with every flat fill of each frame drawn towards its median chroma.

    ``gray`` is luma in [0, 1]. ``strength`` 0 returns ``chroma`` itself, 1 leaves one chroma a
    fill. What is no fill, and fills that hold two colours, stay as they are to the bit. Frames are
    taken one by one, on the CPU; sizes are those at which a network works, as areas are in pixels.

    Raises:
        ValueError: ``strength`` is not in [0, 1].
    """
    if not 0 <= strength <= 1:
        raise ValueError(
            f"strength is {strength}: expected 0 (colours as they come) to 1 (one chroma a fill)"
        )
    if strength == 0:
        return chroma
    lumas, colors = gray[:, 0].float().cpu().numpy(), chroma.float().cpu().numpy()
    planes = [_medians(luma, color) for luma, color in zip(lumas, colors, strict=True)]
    medians = torch.from_numpy(np.stack(planes)).to(chroma)
    # At strength 1 the first term is 0 and the fill is one chroma to the bit.
    snapped = (1 - strength) * chroma + strength * medians
    return torch.where(medians.isnan(), chroma, snapped)


def find_fills(gray: Float32[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Return the number of the flat fill that each pixel belongs to, from 1; 0 is none.

    ``gray`` is luma in [0, 1]. A fill is a zone that can be walked through in steps of at most
    ``_TOLERANCE`` of luma, two pixels thick everywhere, of nearly one luma, neither a speck nor a
    large part of the frame, and closed in: a steady gradient, slow or steep, holds none.

    Source: quasi-flat zones, Soille 2008, Constrained Connectivity for Hierarchical Image
    Partitioning and Simplification, section 2.
    Differs: the range of a zone is that between its percentiles, so that a few soft pixels at a
    line do not count.
    """
    luma = 255 * gray
    zones = _zones(luma)
    fills = np.zeros_like(zones)
    found = 0
    for number, (rows, columns) in enumerate(find_objects(zones), start=1):
        window = tuple(slice(max(s.start - _REACH, 0), s.stop + _REACH) for s in (rows, columns))
        zone = zones[window] == number
        if zone.sum() <= _LARGEST * luma.size and _is_fill(luma[window], zone):
            found += 1
            fills[window][zone] = found
    return fills


def _medians(
    luma: Float32[np.ndarray, "h w"], chroma: Float32[np.ndarray, "2 h w"]
) -> Float32[np.ndarray, "2 h w"]:
    """Return at each pixel the median chroma of its fill; NaN where there is none to snap to."""
    fills = find_fills(luma)
    medians = np.full_like(chroma, np.nan)
    for number, (rows, columns) in enumerate(find_objects(fills), start=1):
        area = fills[rows, columns] == number
        colors = chroma[:, rows, columns][:, area]
        if not _are_two(colors):
            medians[:, rows, columns][:, area] = np.median(colors, axis=1, keepdims=True)
    return medians


def _zones(luma: Float32[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Return zones numbered from 1; 0 is what is too small, or thinner than two pixels."""
    numbers = np.arange(luma.size, dtype=np.int32).reshape(luma.shape)
    across = np.abs(np.diff(luma, axis=1)) <= _TOLERANCE
    down = np.abs(np.diff(luma, axis=0)) <= _TOLERANCE
    one = np.concatenate([numbers[:, :-1][across], numbers[:-1][down]])
    other = np.concatenate([numbers[:, 1:][across], numbers[1:][down]])
    links = coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(luma.size, luma.size))
    count, flat = connected_components(links, directed=False)
    zones = flat.reshape(luma.shape)
    thick = _thick(zones)
    areas = np.bincount(zones[thick], minlength=count)
    kept = areas >= _SMALLEST
    renumbered = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return np.where(thick, renumbered[zones], 0)


def _thick(zones: Int32[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return which pixels lie in a square of four pixels of one zone."""
    first = zones[:-1, :-1]
    square = (zones[1:, 1:] == first) & (zones[:-1, 1:] == first) & (zones[1:, :-1] == first)
    thick = np.zeros(zones.shape, bool)
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            thick[rows, columns] |= square
    return thick


def _is_fill(luma: Float32[np.ndarray, "h w"], zone: Bool[np.ndarray, "h w"]) -> bool:
    """Return whether a zone is of nearly one luma, and closed in by other luma.

    The window reaches beyond the zone, but not beyond the frame, whose border is no part of a rim.
    """
    low, middle, high = np.percentile(luma[zone], (10, 50, 90))
    if high - low > _SPREAD:
        return False
    mask = zone.view(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    rim = zone & (cv2.erode(mask, cross) == 0)
    other = (np.abs(luma - middle) > _STEP).view(np.uint8)
    beside = cv2.dilate(other, np.ones((2 * _REACH + 1,) * 2, np.uint8)) > 0
    return bool(beside[rim].mean() >= _CLOSED)


def _are_two(colors: Float32[np.ndarray, "2 n"]) -> bool:
    """Return whether the chroma of a fill's pixels is that of two paints of one luma.

    Pixels are parted where that explains most of their variance along its main axis (Otsu 1979).
    """
    centred = colors - colors.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T / centred.shape[1]
    main = np.linalg.eigh(covariance)[1][:, 1]
    along = np.sort(main @ centred)
    least = max(1, round(_PART * len(along)))
    below = np.arange(least, len(along) - least + 1)
    sums, above = np.cumsum(along)[below - 1], len(along) - below
    distances = (along.sum() - sums) / above - sums / below
    between = below * above * (distances / len(along)) ** 2
    best = between.argmax()
    explained = between[best] > _EXPLAINED * np.trace(covariance)
    return bool(explained and distances[best] > _APART)
