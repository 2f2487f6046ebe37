"""The rostrum camera: it pans and zooms over the plate on every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from colorize.cartoon.geometry import Matrix, Number

# No view shows all of the plate's height, so that there is room for a move.
WIDEST_ZOOM = 1.04


@dataclass(frozen=True)
class View:
    """One camera position: the world point in the middle, and how much 1 / zoom of height shows."""

    x: Number
    y: Number
    zoom: Number

    def within(self, width: Number, aspect: Number) -> View:
        """Return the nearest view that shows nothing beside a plate of 1 x ``width``."""
        zoom = max(self.zoom, WIDEST_ZOOM, 1.001 * aspect / width)
        half_x, half_y = 0.5 * aspect / zoom, 0.5 / zoom
        x = float(np.clip(self.x, half_x, width - half_x))
        return View(x, float(np.clip(self.y, half_y, 1 - half_y)), zoom)

    def matrix(
        self, size: tuple[int, int], *, parallax: Number = 1.0, anchor: Number = 0.0
    ) -> Matrix:
        """Return the map from world to pixels of ``size``; pixel centres are whole numbers.

        A plane nearer than the plate slides by ``parallax`` > 1, and lies where it was drawn when
        the view's middle is at ``anchor``.
        """
        height, width = size
        scale = self.zoom * height
        x = anchor + parallax * (self.x - anchor)
        left, top = (width - 1) / 2 - scale * x, (height - 1) / 2 - scale * self.y
        return np.array([[scale, 0, left], [0, scale, top], [0, 0, 1]])


@dataclass(frozen=True)
class Move:
    """A move from one view to another over a shot."""

    name: str
    start: View
    end: View
    eased: bool = True

    def at(self, progress: Number) -> View:
        """Return the view at a progress of 0 to 1."""
        t = progress * progress * (3 - 2 * progress) if self.eased else progress
        x, y = (
            a + t * (b - a) for a, b in ((self.start.x, self.end.x), (self.start.y, self.end.y))
        )
        # Equal ratios of zoom in equal times look like a steady approach.
        return View(x, y, self.start.zoom * (self.end.zoom / self.start.zoom) ** t)
