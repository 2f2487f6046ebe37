"""Affine maps of the plane, and the smooth closed shapes that cartoons are drawn with.

Points are float64 ``n 2`` arrays (x, y) with y down; maps are 3 x 3 matrices that act on columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

Points = Float64[np.ndarray, "n 2"]
Matrix = Float64[np.ndarray, "3 3"]
# Whole numbers are welcome wherever a real one is meant.
Number = int | float
Pair = tuple[Number, Number]

# Ink is heavier, and the shadow lies, on the side away from the light: below and to the right.
_SHADE_DIRECTION = np.array([0.42, 0.91])


def translation(x: Number, y: Number) -> Matrix:
    """Return the map that moves by (x, y)."""
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def scaling(x: Number, y: Number) -> Matrix:
    """Return the map that scales by x and y about the origin."""
    return np.diag([float(x), float(y), 1.0])


def rotation(degrees: Number) -> Matrix:
    """Return the map that turns clockwise (as y is down) by an angle in degrees."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def bone(start: np.ndarray, end: np.ndarray, length: Number) -> Matrix:
    """Return the map that lays the x axis from 0 to ``length`` along start..end, width kept."""
    along = (end - start) / length
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
    return np.array([[along[0], across[0], start[0]], [along[1], across[1], start[1]], [0, 0, 1]])


def apply(matrix: Matrix, points: np.ndarray) -> np.ndarray:
    """Return ``points`` (... 2) moved by ``matrix``."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def bezier(start: Pair, bend: Pair, end: Pair, count: int) -> Points:
    """Return ``count`` points of a quadratic Bezier curve, ends included."""
    t = np.linspace(0, 1, count)[:, None]
    return (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(bend) + t**2 * np.array(end)


def smooth(control: Sequence[Pair], *, steps: int = 8) -> Points:
    """Return a closed centripetal-like Catmull-Rom curve through the control points."""
    p1 = np.array(control, dtype=np.float64)
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[:, None] for p in (p0, p1, p2, p3))
    curve = p1 + 0.5 * t * (
        (p2 - p0) + t * ((2 * p0 - 5 * p1 + 4 * p2 - p3) + t * (3 * (p1 - p2) + p3 - p0))
    )
    return curve.reshape(-1, 2)


def polygon(corners: Sequence[Pair]) -> Points:
    """Return straight-sided corners as points."""
    return np.array(corners, dtype=np.float64)


def box(x: Number, y: Number, width: Number, height: Number) -> Points:
    """Return the rectangle whose top left corner is (x, y)."""
    return polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def ellipse(
    x: Number, y: Number, rx: Number, ry: Number, *, turn: Number = 0.0, count: int = 28
) -> Points:
    """Return an ellipse about (x, y) with radii rx, ry, turned by degrees."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([rx * np.cos(angle), ry * np.sin(angle)], 1)
    return apply(translation(x, y) @ rotation(turn), points)


def capsule(length: Number, start: Number, end: Number) -> Points:
    """Return a tapered bar along the x axis with round ends of radii ``start`` and ``end``."""
    angle = np.linspace(np.pi / 2, 3 * np.pi / 2, 9)
    left = start * np.stack([np.cos(angle), np.sin(angle)], 1)
    right = end * np.stack([-np.cos(angle), -np.sin(angle)], 1) + (length, 0)
    return np.concatenate([left, right])


def stroke(path: np.ndarray, width: Number, *, taper: Number = 0.3) -> Points:
    """Return the outline of a brush line along ``path`` (n 2), thinner at its ends by ``taper``."""
    tangent = np.gradient(path, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    swell = taper + (1 - taper) * np.sin(np.pi * np.linspace(0.04, 0.96, len(path)))
    half = normal * (0.5 * width * swell[:, None])
    return np.concatenate([path + half, (path - half)[::-1]])


def arc(start: Pair, bend: Pair, end: Pair, width: Number, *, taper: Number = 0.3) -> Points:
    """Return a curved brush line from start to end, pulled towards ``bend``."""
    return stroke(bezier(start, bend, end, 12), width, taper=taper)


def below(points: np.ndarray, y: Number) -> Points:
    """Return the part of a polygon with a y of at least ``y`` (Sutherland-Hodgman, one edge)."""
    following = np.roll(points, -1, 0)
    kept: list[np.ndarray] = []
    for here, after in zip(points, following, strict=True):
        if here[1] >= y:
            kept.append(here)
        if (here[1] >= y) != (after[1] >= y):
            kept.append(here + (after - here) * (y - here[1]) / (after[1] - here[1]))
    return np.array(kept).reshape(-1, 2)


def above(points: np.ndarray, y: Number) -> Points:
    """Return the part of a polygon with a y of at most ``y``."""
    return below(points * (1, -1), -y) * (1, -1)


def normals(points: np.ndarray) -> Points:
    """Return unit normals of a closed polygon that point outwards."""
    tangent = np.roll(points, -1, 0) - np.roll(points, 1, 0)
    following = np.roll(points, -1, 0)
    area = np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0])
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1) * np.sign(area)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)


def inked(points: np.ndarray, weight: Number) -> Points:
    """Return the shape grown into its outline: thin towards the light, heavy away from it."""
    normal = normals(points)
    heavy = np.clip(normal @ _SHADE_DIRECTION, -1, 1)
    return points + normal * (weight * (0.85 + 0.4 * heavy))[:, None]


def lit(points: np.ndarray, depth: Number) -> Points:
    """Return the lit part of a shape: its shadow side moved in by up to ``depth``."""
    normal = normals(points)
    return points - normal * (depth * np.clip(normal @ _SHADE_DIRECTION, 0, 1) ** 0.8)[:, None]
