"""The regions of a drawing that a click fills: closed by lines, though these have gaps."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8

SIDE = 360  # pixels of the short side that lengths below are for
LARGEST = 65535  # regions: a browser keeps them in 16 bits
_LINE = 5.0  # half the width of the broadest line
_SMOOTH = 0.5  # deviation of what grain is smoothed by
_GAP = 2.0
_BLUR = 0.0
_NEAR = 6
_SHARE = 0.95
_SIDES = 0.7
_DARKER = 10
_REACH = 2  # pixels from an edge to where its two sides are compared
_DEPTH = 1  # of 255: what parts one minimum of the relief from the next
_INK = 40.0  # of 255: how much darker than both its sides a line is at least
_SMALL = 24  # pixels: what is smaller is no region by itself
_BLOB = 1.6
_TEXTURE = 0.3
_PRIOR = 20.0
_NOTHING = 0.2
_CLIP = 24.0
_CLOSED = 6.0
THRESHOLDS = (1.0, 2.0, 3.5, 5.0, 8.0)  # of 255: edges that are no edges at each level
USUAL = 2


@dataclass(frozen=True)
class Regions:
    """The regions of a drawing at several sizes, finest first, made of whole ones of the one before.

    ``finest`` holds labels 0 … n-1, at most 65535, all in use; every pixel has one, and lines
    belong to the regions beside them. ``levels[k][label]`` is the label at level k of a finest
    region, 0 … n_k - 1; ``levels[0]`` is the identity. ``usual`` is the level that a click takes
    unless somebody asks for a finer or a coarser one.
    """

    finest: Int32[np.ndarray, "h w"]
    levels: tuple[Int32[np.ndarray, " _n"], ...]
    usual: int

    def at(self, y: int, x: int, level: int | None = None) -> Bool[np.ndarray, "h w"]:
        """Return the region that a click at row ``y`` and column ``x`` fills, of the usual level."""
        table = self.levels[self.usual if level is None else level]
        return (table == table[self.finest[y, x]])[self.finest]


def find_regions(luma: Float32[np.ndarray, "h w"]) -> Regions:
    """Return the regions of a frame's luma in [0, 1]."""
    gray = np.rint(np.clip(luma, 0, 1) * 255).astype(np.uint8)
    scale = max(min(gray.shape) / SIDE, 1.0)
    smooth = cv2.GaussianBlur(gray, (0, 0), _SMOOTH * scale)
    labels = _basins(smooth, scale)
    labels, lines = _without_lines(labels, smooth, scale)
    merges = _Merging(labels, smooth, lines, scale)
    tables = [merges.until(threshold) for threshold in THRESHOLDS]
    finest = tables[0]
    first = np.unique(finest, return_index=True)[1]
    levels = [table[first].astype(np.int32) for table in tables]
    return Regions(finest[labels].astype(np.int32), tuple(levels), USUAL)


def _basins(gray: UInt8[np.ndarray, "h w"], scale: float) -> Int32[np.ndarray, "h w"]:
    """Return the basins of edges and lines, far more than there are regions."""
    from skimage.morphology import local_minima
    from skimage.segmentation import watershed

    side = 2 * round(_LINE * scale) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    ink = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, kernel) >= _INK
    reach = 2 * round(_GAP * scale) + 1
    near = cv2.dilate(
        ink.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    )
    steep = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    relief = cv2.add(steep, near * _NEAR)
    relief = relief // _DEPTH
    minima = local_minima(relief, connectivity=1)
    count, seeds = cv2.connectedComponents(minima.astype(np.uint8), connectivity=4)
    if count <= 1:
        return np.zeros(gray.shape, np.int32)
    return watershed(relief, seeds).astype(np.int32) - 1


def _without_lines(labels, gray, scale):
    """Give lines to the regions beside them; return the basins and where lines are."""
    low, high, lengths, darker = _sides(labels, gray, scale)
    n = int(labels.max()) + 1
    total = np.bincount(low, lengths, n) + np.bincount(high, lengths, n)
    dark = np.bincount(low, darker[0], n) + np.bincount(high, darker[1], n)
    bright = np.bincount(low, darker[1], n) + np.bincount(high, darker[0], n)
    inked = (dark >= _SHARE * (dark + bright)) & (dark > _SIDES * total)
    mask = inked[labels].astype(np.uint8)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    ridge = (depth > 0) & (depth == cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    if not ridge.any():
        return labels, mask
    broad = min(max(_BLOB * float(np.median(depth[ridge])), 2.0), _LINE * scale)
    count, cores = cv2.connectedComponents((depth > broad).astype(np.uint8), connectivity=8)
    if count > 1:
        away, nearest = cv2.distanceTransformWithLabels(
            (cores == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
        )
        ids = np.zeros(int(nearest.max()) + 1, np.int32)
        ids[nearest[cores > 0]] = cores[cores > 0]
        blob = (mask > 0) & (away <= broad + 0.5)
        labels = np.where(blob, n + ids[nearest], labels)
        mask[blob] = 0
    if mask.all():
        return labels, mask
    nearest = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[
        1
    ]
    owners = np.zeros(int(nearest.max()) + 1, np.int32)
    owners[nearest[mask == 0]] = labels[mask == 0]
    labels = owners[nearest]
    table = np.zeros(int(labels.max()) + 1, np.int32)
    used = np.unique(labels)
    table[used] = np.arange(len(used))
    return table[labels], mask


def _sides(labels, gray, scale):
    reach = max(1, round(scale))
    values = gray.astype(np.int16)
    parts = []
    for axis in (0, 1):
        lab = labels if axis else labels.T
        val = values if axis else values.T
        last = lab.shape[1] - 1
        y, x = np.nonzero(lab[:, :-1] != lab[:, 1:])
        step = val[y, np.minimum(x + 1 + reach, last)] - val[y, np.maximum(x - reach, 0)]
        parts.append((lab[y, x], lab[y, x + 1], step))
    a, b, step = (np.concatenate(each) for each in zip(*parts, strict=True))
    return a, b, np.ones(len(a)), (step >= _DARKER, step <= -_DARKER)


class _Merging:
    """Basins, merged over the weakest of the borders between them.

    All pairs that are each other's weakest border merge at once, as greedy merging would have it.
    """

    def __init__(
        self,
        labels: Int32[np.ndarray, "h w"],
        gray: UInt8[np.ndarray, "h w"],
        lines: UInt8[np.ndarray, "h w"],
        scale: float,
    ) -> None:
        self.groups = np.arange(int(labels.max()) + 1)
        self.areas = np.bincount(labels.ravel()).astype(np.float64)
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
        texture = self.rough / (self.pairs + _PRIOR)
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
        self.groups = table[self.groups]
        self.areas = np.bincount(table, self.areas, count)
        self.rough = np.bincount(table, self.rough, count)
        self.pairs = np.bincount(table, self.pairs, count)
        self.low, self.high, self.sums = _joined(
            table[self.low].astype(np.int64), table[self.high].astype(np.int64), self.sums
        )
        return True


def _joined(
    first: Int64[np.ndarray, " e"], second: Int64[np.ndarray, " e"], sums: Float64[np.ndarray, "3 e"]
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


def _roughness(labels, gray, scale):
    """Return by basin the sum of differences of luma within it, and of how many pairs of pixels."""
    reach = max(2, round(_REACH * scale))
    n = int(labels.max()) + 1
    total, count = np.zeros(n), np.zeros(n)
    for axis in (0, 1):
        lab = labels if axis else labels.T
        val = gray if axis else gray.T
        same = lab[:, reach:] == lab[:, :-reach]
        where = lab[:, reach:][same]
        difference = cv2.absdiff(
            np.ascontiguousarray(val[:, reach:]), np.ascontiguousarray(val[:, :-reach])
        )[same]
        total += np.bincount(where, np.minimum(difference, 24), n)
        count += np.bincount(where, minlength=n)
    return total, count


def _borders(labels, gray, ink, scale):
    """Return pairs of neighbours, pixels of the border, sums of steps and of ink along it."""
    reach = max(1, round(_REACH * scale))
    width = 2 * max(1, round(scale)) + 1
    dark = cv2.dilate(ink, np.ones((width, width), np.uint8)).astype(np.float32)  # 0 or 1
    values = gray.astype(np.float32)
    lows, highs, steps, lines = [], [], [], []
    for axis in (0, 1):
        lab = labels if axis else labels.T
        val = values if axis else values.T
        drk = dark if axis else dark.T
        y, x = np.nonzero(lab[:, :-1] != lab[:, 1:])
        a, b = lab[y, x], lab[y, x + 1]
        last = lab.shape[1] - 1
        right, left = val[y, x + 1], val[y, x]
        inside_r, inside_l = np.ones(len(y), bool), np.ones(len(y), bool)
        for k in range(1, reach):
            xr, xl = np.minimum(x + 1 + k, last), np.maximum(x - k, 0)
            inside_r &= lab[y, xr] == b
            inside_l &= lab[y, xl] == a
            right, left = (
                np.where(inside_r, val[y, xr], right),
                np.where(inside_l, val[y, xl], left),
            )
        step = right - left
        lows.append(a)
        highs.append(b)
        steps.append(np.clip(step, -_CLIP, _CLIP).astype(np.float64))
        lines.append(_CLOSED * np.maximum(drk[y, x], drk[y, x + 1]).astype(np.float64))
    first, second = np.concatenate(lows).astype(np.int64), np.concatenate(highs).astype(np.int64)
    sums = [np.ones(len(first)), np.concatenate(steps), np.concatenate(lines)]
    return _joined(first, second, np.stack(sums))
