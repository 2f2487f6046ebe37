"""The regions of a drawing that a click fills: closed by lines, though these have gaps.

A frame is divided into the basins of its edges and lines, far more than there are regions. What is
thin and darker than both its sides is a line, and belongs to the basins beside it. Then basins
merge over their weakest borders: weak is a border with neither a step of luma, its sides compared
with signs, so that texture evens out, nor a line along much of it. A gap is a small part of the
border that it lies in, and closes nothing; a neck of one region is a border without a line.

Source: Meyer 1992 (basins); Arbeláez et al. 2011 (merging by the mean strength of common borders).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, Integer, UInt8

LARGEST = 65535  # regions: a browser keeps their numbers in 16 bits
THRESHOLDS = (1.0, 2.0, 3.5, 5.0, 8.0)  # of 255: borders that are none at each level
USUAL = 2
# Lengths are in pixels of a frame whose short side has _SIDE; in larger ones they grow with it.
_SIDE = 360
_SMOOTH = 0.5  # deviation of what grain is smoothed by
_LINE = 5.0  # half the width of the broadest line
_NEAR, _RAISED = (
    2.0,
    6,
)  # how far around lines the relief is raised, and by how much: it closes gaps
_INK = 40  # of 255: how much darker than around it is what that happens at
_DARKER = 10  # of 255: how much darker than what is beside it a line is
_CLEAR, _ALONG = 0.95, 0.7  # of a line's border: darker where it differs, and darker at all
_BLOB = 1.6  # times as broad as most lines: a dark spot, no line
_REACH = 2.0  # from a border to where its two sides are compared
_CLIP = 24.0  # of 255: a step that is more counts as this
_CLOSED = 6.0  # of 255: the step that a line stands for
_TEXTURE = 0.3  # of a border's strength, for each 255th that luma varies within both its sides
_CALM = 20.0  # pairs of pixels without texture that every basin is given
_SMALL = 24.0  # pixels, squared: smaller basins merge the more easily
_NOTHING = 0.2  # of 255: borders that are dropped all at once


@dataclass(frozen=True)
class Regions:
    """The regions of a drawing, finest level first; each level is made of whole ones before it.

    ``finest`` holds labels 0 … n-1, at most 65535, all in use; every pixel has one, and lines
    belong to the regions beside them. ``levels[k][label]`` is the label at level k, from 0, of a
    finest region; ``levels[0]`` is the identity. ``usual`` is the level that a click takes unless
    somebody asks for a finer or a coarser one.
    """

    finest: Int32[np.ndarray, "h w"]
    levels: tuple[Int32[np.ndarray, " _n"], ...]
    usual: int

    def at(self, y: int, x: int, level: int | None = None) -> Bool[np.ndarray, "h w"]:
        """Return what a click at row ``y`` and column ``x`` fills; a level of None is the usual."""
        table = self.levels[self.usual if level is None else level]
        return (table == table[self.finest[y, x]])[self.finest]


def find_regions(luma: Float32[np.ndarray, "h w"]) -> Regions:
    """Return the regions of a frame's luma in [0, 1]."""
    gray = np.rint(np.clip(luma, 0, 1) * 255).astype(np.uint8)
    scale = max(min(gray.shape) / _SIDE, 1.0)
    smooth = cv2.GaussianBlur(gray, (0, 0), _SMOOTH * scale)
    labels, lines = _without_lines(_basins(smooth, scale), smooth, scale)
    merging = _Merging(labels, smooth, lines, scale)
    tables = [merging.until(threshold) for threshold in THRESHOLDS]
    while tables[0].max() >= LARGEST:  # noise: nothing of it is a region
        tables = [*tables[1:], merging.until(float("inf"))]
    finest, first = np.unique(tables[0], return_index=True)
    assert len(finest) == tables[0].max() + 1
    levels = tuple(table[first].astype(np.int32) for table in tables)
    return Regions(tables[0][labels].astype(np.int32), levels, USUAL)


def _basins(gray: UInt8[np.ndarray, "h w"], scale: float) -> Int32[np.ndarray, "h w"]:
    """Return the basins of edges and lines, labelled from 0.

    Near lines the relief is raised, so that the passages through their gaps are saddles of it.
    """
    from skimage.morphology import local_minima
    from skimage.segmentation import watershed

    ink = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, _disc(_LINE * scale)) >= _INK
    near = cv2.dilate(ink.astype(np.uint8), _disc(_NEAR * scale))
    steep = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    relief = cv2.add(steep, near * _RAISED)
    minima = local_minima(relief, connectivity=1)
    count, seeds = cv2.connectedComponents(minima.astype(np.uint8), connectivity=4)
    if count <= 1:  # a flat frame has no minimum at all
        return np.zeros(gray.shape, np.int32)
    return watershed(relief, seeds).astype(np.int32) - 1


def _disc(radius: float) -> UInt8[np.ndarray, "d d"]:
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.uint8)


def _without_lines(
    labels: Int32[np.ndarray, "h w"], gray: UInt8[np.ndarray, "h w"], scale: float
) -> tuple[Int32[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Give lines to what is beside them; return labels from 0, and where lines are.

    Dark spots that are broader than lines are basins of their own.
    """
    lines = _dark(labels, gray, scale)[labels]
    depth = cv2.distanceTransform(lines.astype(np.uint8), cv2.DIST_L2, 5)
    ridge = lines & (depth == cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    if not ridge.any():
        return labels, lines
    broad = min(max(_BLOB * float(np.median(depth[ridge])), 2.0), _LINE * scale)
    _, cores = cv2.connectedComponents((depth > broad).astype(np.uint8), connectivity=8)
    if cores.any():
        spots = lines & (
            cv2.distanceTransform((cores == 0).astype(np.uint8), cv2.DIST_L2, 5) <= broad + 0.5
        )
        labels = np.where(spots, labels.max() + _nearest(cores, cores > 0), labels)
        lines = lines & ~spots
    if not lines.all():
        labels = _nearest(labels, ~lines)
    return _dense(labels), lines


def _dark(
    labels: Int32[np.ndarray, "h w"], gray: UInt8[np.ndarray, "h w"], scale: float
) -> Bool[np.ndarray, " n"]:
    """Return which basins are darker than nearly all around them."""
    reach = max(1, round(scale))
    count = int(labels.max()) + 1
    around, darker, brighter = np.zeros((3, count))
    for own, values in ((labels, gray.astype(np.int16)), (labels.T, gray.T.astype(np.int16))):
        last = own.shape[1] - 1
        y, x = np.nonzero(own[:, :-1] != own[:, 1:])
        step = values[y, np.minimum(x + 1 + reach, last)] - values[y, np.maximum(x - reach, 0)]
        for side, rise in ((own[y, x], step), (own[y, x + 1], -step)):
            around += np.bincount(side, minlength=count)
            darker += np.bincount(side, rise >= _DARKER, count)
            brighter += np.bincount(side, rise <= -_DARKER, count)
    return (darker >= _CLEAR * (darker + brighter)) & (darker > _ALONG * around)


def _nearest(
    labels: Int32[np.ndarray, "h w"], given: Bool[np.ndarray, "h w"]
) -> Int32[np.ndarray, "h w"]:
    """Return for every pixel the label of the nearest one that is ``given``."""
    _, places = cv2.distanceTransformWithLabels(
        (~given).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owners = np.zeros(int(places.max()) + 1, np.int32)
    owners[places[given]] = labels[given]
    return owners[places]


def _dense(labels: Integer[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Return the same basins with labels 0 … n-1."""
    used = np.bincount(labels.ravel()) > 0
    return (np.cumsum(used) - 1).astype(np.int32)[labels]


class _Merging:
    """Basins, merged over the weakest of the borders between them.

    All pairs that are each other's weakest border merge at once, as greedy merging would have it.
    """

    def __init__(
        self,
        labels: Int32[np.ndarray, "h w"],
        gray: UInt8[np.ndarray, "h w"],
        lines: Bool[np.ndarray, "h w"],
        scale: float,
    ) -> None:
        self.groups = np.arange(int(labels.max()) + 1)
        self.areas: np.ndarray = np.bincount(labels.ravel()).astype(np.float64)
        self.rough, self.pairs = _roughness(labels, gray, scale)
        self.low, self.high, self.sums = _borders(labels, gray, lines, scale)
        self.small = _SMALL * scale**2

    def until(self, threshold: float) -> Int64[np.ndarray, " n"]:
        """Merge over all borders weaker than ``threshold``; return labels 0 … by basin."""
        while self._merge(threshold):
            pass
        return self.groups

    def _strengths(self) -> Float64[np.ndarray, " e"]:
        length, step, line = self.sums
        texture = self.rough / (self.pairs + _CALM)
        texture = np.minimum(texture[self.low], texture[self.high])
        strength = np.maximum(np.abs(step) / (1 + _TEXTURE * texture), line) / length
        area = np.minimum(self.areas[self.low], self.areas[self.high])
        return strength * np.minimum(1.0, area / self.small)

    def _merge(self, threshold: float) -> bool:
        """Merge what is weakest; return whether there was anything."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        strength = self._strengths()
        order = np.flatnonzero(strength < threshold)
        order = order[np.argsort(-strength[order], kind="stable")]
        count = len(self.areas)
        best = np.full(count, -1)
        places = np.stack([self.low[order], self.high[order]], axis=1).ravel()
        best[places] = np.repeat(order, 2)  # the last, which is the weakest, stays
        mutual = order[
            ((best[self.low[order]] == order) & (best[self.high[order]] == order))
            | (strength[order] < _NOTHING)
        ]
        if not len(mutual):
            return False
        joined = coo_array(
            (np.ones(len(mutual)), (self.low[mutual], self.high[mutual])), shape=(count, count)
        )
        count, table = connected_components(joined, directed=False)
        self.groups = table[self.groups].astype(np.int64)
        self.areas = np.bincount(table, self.areas, count)
        self.rough = np.bincount(table, self.rough, count)
        self.pairs = np.bincount(table, self.pairs, count)
        self.low, self.high, self.sums = _joined(
            table[self.low].astype(np.int64), table[self.high].astype(np.int64), self.sums
        )
        return True


def _joined(
    first: Int64[np.ndarray, " e"],
    second: Int64[np.ndarray, " e"],
    sums: Float64[np.ndarray, "3 e"],
) -> tuple[Int64[np.ndarray, " _f"], Int64[np.ndarray, " _f"], Float64[np.ndarray, "3 _f"]]:
    """Add up what is known of borders between the same two; steps are from lower to higher."""
    outer = first != second
    first, second, sums = first[outer], second[outer], sums[:, outer]
    low, high = np.minimum(first, second), np.maximum(first, second)
    span = int(high.max(initial=0)) + 1
    keys, index = np.unique(low * span + high, return_inverse=True)
    length, step, line = sums
    added = [
        np.bincount(index, each, len(keys))
        for each in (length, np.where(first < second, step, -step), line)
    ]
    return keys // span, keys % span, np.stack(added).astype(np.float64)


def _roughness(
    labels: Int32[np.ndarray, "h w"], gray: UInt8[np.ndarray, "h w"], scale: float
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Return by basin the sum of differences of luma within it, and of how many pairs of pixels."""
    reach = round(_REACH * scale)
    count = int(labels.max()) + 1
    total, pairs = np.zeros((2, count))
    for own, values in ((labels, gray.astype(np.int16)), (labels.T, gray.T.astype(np.int16))):
        within = own[:, reach:] == own[:, :-reach]
        difference = np.abs(values[:, reach:] - values[:, :-reach])[within]
        total += np.bincount(own[:, reach:][within], np.minimum(difference, _CLIP), count)
        pairs += np.bincount(own[:, reach:][within], minlength=count)
    return total, pairs


def _borders(
    labels: Int32[np.ndarray, "h w"],
    gray: UInt8[np.ndarray, "h w"],
    lines: Bool[np.ndarray, "h w"],
    scale: float,
) -> tuple[Int64[np.ndarray, " e"], Int64[np.ndarray, " e"], Float64[np.ndarray, "3 e"]]:
    """Return pairs of neighbours with the length of their border, and sums of steps and lines."""
    reach = round(_REACH * scale)
    drawn = cv2.dilate(lines.astype(np.uint8), np.ones((2 * round(scale) + 1,) * 2, np.uint8))
    found: list[tuple[np.ndarray, ...]] = []
    for own, values, ink in (
        (labels, gray.astype(np.float64), drawn),
        (labels.T, gray.T.astype(np.float64), drawn.T),
    ):
        y, x = np.nonzero(own[:, :-1] != own[:, 1:])
        step = _side(own, values, y, x + 1, reach, 1) - _side(own, values, y, x, reach, -1)
        line = _CLOSED * np.maximum(ink[y, x], ink[y, x + 1])
        found.append((own[y, x], own[y, x + 1], np.clip(step, -_CLIP, _CLIP), line))
    first, second, steps, line = (np.concatenate(each) for each in zip(*found, strict=True))
    sums = np.stack([np.ones(len(first)), steps, line.astype(np.float64)])
    return _joined(first.astype(np.int64), second.astype(np.int64), sums)


def _side(
    labels: Int32[np.ndarray, "h w"],
    values: Float64[np.ndarray, "h w"],
    y: Int64[np.ndarray, " p"],
    x: Int64[np.ndarray, " p"],
    reach: int,
    way: int,
) -> Float64[np.ndarray, " p"]:
    """Return the values up to ``reach`` pixels from a border, as far as the basin there extends."""
    found: np.ndarray = values[y, x]
    inside = np.ones(len(y), bool)
    for away in range(1, reach):
        there = np.clip(x + way * away, 0, labels.shape[1] - 1)
        inside &= labels[y, there] == labels[y, x]
        found = np.where(inside, values[y, there], found)
    return found
