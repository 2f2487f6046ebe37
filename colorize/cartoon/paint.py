"""Paint a background plate in watercolour: graded washes, pooled rims, mottle, brush and paper."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8

from colorize.cartoon.geometry import Number, Points, bezier, ellipse, normals, stroke
from colorize.cartoon.look import PLAIN, Look
from colorize.cartoon.palette import Color, mix

_SHIFT = 4


def noise(
    rng: np.random.Generator, world: tuple[Number, Number], cell: tuple[Number, Number],
    size: tuple[int, int],
) -> Float32[np.ndarray, "h w"]:  # fmt: skip
    """Return smooth noise of about unit deviation; ``cell`` (height, width) is its grain.

    Its grid lives in world units, so that one seed gives one pattern at every size in pixels.
    """
    rows, columns = (
        int(np.ceil(extent / step)) + 4 for extent, step in zip(world, cell, strict=True)
    )
    grid = rng.standard_normal((rows, columns)).astype(np.float32)
    scale = np.array([[cell[1] * size[1] / world[1], 0, 0], [0, cell[0] * size[0] / world[0], 0]])
    shift = np.array([[0, 0, -1.5], [0, 0, -1.5]]) * np.array([[scale[0, 0]], [scale[1, 1]]])
    flags = cv2.INTER_CUBIC
    return cv2.warpAffine(
        grid, scale + shift, size[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT
    )


class Painter:
    """A plate under the brush. World units: the plate is 1 high and ``width`` wide, y down.

    All colours are given as the plain look has them; ``look`` changes them, and the texture.
    """

    def __init__(
        self, *, width: Number, pixels_per_unit: Number, rng: np.random.Generator,
        look: Look = PLAIN,
    ) -> None:  # fmt: skip
        self.look = look
        self.width = width
        self.scale = pixels_per_unit
        self.rng = rng
        self.size = (int(np.ceil(pixels_per_unit)), int(np.ceil(width * pixels_per_unit)))
        self.canvas = np.zeros((*self.size, 3), np.float32)
        self.regions = np.zeros(self.size, np.int32)
        world = (1.0, width)
        self.mottle = 0.6 * noise(rng, world, (0.11, 0.14), self.size)
        self.mottle += 0.4 * noise(rng, world, (0.045, 0.06), self.size)
        self.brush = noise(rng, world, (0.014, 0.16), self.size)
        self.count = 0

    def _mask(self, points: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray] | None:
        """Return the window of a polygon and its coverage there, or None outside the plate."""
        pixels = points * self.scale
        low = np.maximum(np.floor(pixels.min(0)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(pixels.max(0)).astype(int) + 3, self.size[::-1])
        if np.any(high <= low):
            return None
        mask = np.zeros(tuple((high - low)[::-1]), np.uint8)
        fixed = np.round((pixels - low) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        window = (slice(low[1], high[1]), slice(low[0], high[0]))
        return window, mask.astype(np.float32) / 255

    def wash(
        self, points: np.ndarray, top: Color, bottom: Color | None = None, *,
        mottle: Number = 0.03, brush: Number = 0.012, rim: Number = 0.16, wobble: Number = 0.0025,
        opacity: Number = 1.0,
    ) -> None:  # fmt: skip
        """Lay a wash that grades from ``top`` to ``bottom``; below full opacity it is a glaze.

        Pigment pools at its rim; ``wobble`` (world units) makes its edge hand-drawn. An opaque wash
        is a new region of the segment map.
        """
        shape = self._wobbled(points, wobble)
        found = self._mask(shape)
        if found is None:
            return
        window, mask = found
        y = (np.arange(window[0].start, window[0].stop) + 0.5) / self.scale
        span = max(float(np.ptp(shape[:, 1])), 1e-6)
        grade = np.clip((y - shape[:, 1].min()) / span, 0, 1)[:, None, None]
        first, last = (np.array(end, np.float32) for end in self.look.wash(top, bottom or top))
        color = first + grade.astype(np.float32) * (last - first)
        mottle, brush, rim = mottle * self.look.mottle, brush * self.look.brush, rim * self.look.rim
        texture = 1 + mottle * self.mottle[window] + brush * self.brush[window]
        if rim > 0:
            inner = cv2.GaussianBlur(mask, (0, 0), max(0.010 * self.scale, 0.6))
            texture -= rim * np.clip(1 - inner, 0, 1)
        alpha = (opacity * mask)[..., None]
        self.canvas[window] += alpha * (color * texture[..., None] - self.canvas[window])
        if opacity == 1.0:
            self.count += 1
            self.regions[window][mask > 0.5] = self.count

    def _wobbled(self, points: np.ndarray, amount: Number) -> Points:
        """Return a polygon cut finely and pushed in and out by a smooth random amount."""
        if amount == 0:
            return points
        edges = np.roll(points, -1, 0) - points
        counts = np.clip(np.hypot(edges[:, 0], edges[:, 1]) / 0.03, 1, 60).astype(int)
        edge = np.repeat(np.arange(len(points)), counts)
        along = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
        fine = points[edge] + edges[edge] * (along / counts[edge])[:, None]
        push = self.rng.standard_normal(len(fine))
        push = (push + np.roll(push, 1) + np.roll(push, 2)) / np.sqrt(3)
        return fine + normals(fine) * (amount * push)[:, None]

    def line(
        self, start: tuple[Number, Number], end: tuple[Number, Number], color: Color, *,
        width: Number = 0.006, bend: tuple[Number, Number] = (0.0, 0.0), opacity: Number = 0.8,
    ) -> None:  # fmt: skip
        """Draw a brush line, curved by ``bend`` at its middle; it makes no region of its own."""
        middle = ((start[0] + end[0]) / 2 + bend[0], (start[1] + end[1]) / 2 + bend[1])
        path = bezier(start, middle, end, 14)
        shape = stroke(path, width, taper=0.55)
        self.wash(shape, color, mottle=0, brush=0, rim=0, wobble=0.0, opacity=min(opacity, 0.99))

    def foliage(
        self, x: Number, y: Number, rx: Number, ry: Number, color: Color, *, dabs: int = 26
    ) -> None:
        """Paint a scalloped clump of leaves with lighter dabs on top and darker ones below."""
        angle = np.linspace(0, 2 * np.pi, 44, endpoint=False)
        lobes = int(self.rng.integers(8, 12))
        radius = 1 + 0.10 * np.abs(np.sin(angle * lobes / 2)) + 0.04 * np.sin(3 * angle + x)
        rim = np.stack([x + rx * radius * np.cos(angle), y + ry * radius * np.sin(angle)], 1)
        dark = mix(color, (0.05, 0.10, 0.22), 0.42)
        self.wash(rim, mix(color, (1, 1, 0.8), 0.10), dark, mottle=0.06, wobble=0.004)
        for _ in range(dabs):
            turn, reach = self.rng.uniform(0, 2 * np.pi), np.sqrt(self.rng.uniform(0, 0.72))
            px, py = x + rx * reach * np.cos(turn), y + ry * reach * np.sin(turn)
            light = (py - y) / ry
            spot = mix(color, (1, 0.98, 0.72), 0.28) if light < 0.1 else dark
            wide, high = rx * self.rng.uniform(0.10, 0.2), ry * self.rng.uniform(0.05, 0.1)
            self.wash(ellipse(px, py, wide, high), spot, mottle=0, rim=0, opacity=0.5)

    def glow(self, x: Number, y: Number, radius: Number, color: Color, strength: Number) -> None:
        """Add light that fades out from (x, y)."""
        rows = (np.arange(self.size[0], dtype=np.float32)[:, None] + 0.5) / self.scale - y
        columns = (np.arange(self.size[1], dtype=np.float32)[None] + 0.5) / self.scale - x
        fall = strength * np.exp(-(rows**2 + columns**2) / (2 * radius**2))[..., None]
        self.canvas[:] += fall * (np.array(self.look.colored(color), np.float32) - self.canvas)

    def finish(self, blur: Number) -> tuple[UInt8[np.ndarray, "h w 3"], Int32[np.ndarray, "h w"]]:
        """Return the plate and its regions (from 1), band-limited by ``blur`` pixels, on paper."""
        paper = noise(self.rng, (1.0, self.width), (0.016, 0.016), self.size)
        grain, blotches = 0.012 * self.look.paper, 0.012 * self.look.mottle
        picture = self.canvas * (1.03 + grain * paper + blotches * self.mottle)[..., None]
        soft = cv2.GaussianBlur(np.clip(picture, 0, 1), (0, 0), blur)
        return np.round(soft * 255).astype(np.uint8), self.regions
