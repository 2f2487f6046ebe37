"""What a drawing is made of: parts that move rigidly, each a few flat shapes and their ink."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from colorize.cartoon.geometry import Matrix, Number, Points, arc, inked, lit
from colorize.cartoon.palette import Color, shade

INK = "ink"


@dataclass(frozen=True)
class Flat:
    """One flat area: a polygon in its part's units and the name of its paint."""

    points: Points
    paint: str


@dataclass
class Part:
    """A piece of a drawing that moves by one affine map per frame.

    ``label`` names it in segment maps: pieces with one label and paint are one segment, as are the
    pieces of a bent limb. ``weight`` is the width of its outline in its own units.
    """

    name: str
    weight: Number
    label: str = ""
    ink: list[Points] = field(default_factory=list)
    flats: list[Flat] = field(default_factory=list)

    def fill(
        self, points: np.ndarray, paint: str, *, depth: Number = 0.0, outline: bool = True
    ) -> Part:
        """Add a filled shape, outlined unless told, with a shadow of ``depth`` on its dark side."""
        if outline:
            self.ink.append(inked(points, self.weight))
        if depth > 0:
            self.flats.append(Flat(points, paint + "~"))
            points = lit(points, depth)
        self.flats.append(Flat(points, paint))
        return self

    def detail(self, points: np.ndarray, paint: str, *, weight: Number = 0.7) -> Part:
        """Add an outlined shape that lies on the fills so far, as an eye lies on a face."""
        self.flats.append(Flat(inked(points, weight * self.weight), INK))
        self.flats.append(Flat(points, paint))
        return self

    def line(
        self,
        start: tuple[Number, Number],
        bend: tuple[Number, Number],
        end: tuple[Number, Number],
        *,
        width: Number = 1.0,
        taper: Number = 0.3,
    ) -> Part:
        """Add a curved ink line of ``width`` outline weights."""
        self.flats.append(Flat(arc(start, bend, end, width * self.weight * 1.5, taper=taper), INK))
        return self


@dataclass(frozen=True)
class Drawing:
    """A model sheet: groups of parts from back to front, and the colour of every paint.

    All ink of a group lies under all its fills, so that the parts of a group share one outline.
    """

    name: str
    groups: tuple[tuple[Part, ...], ...]
    paints: dict[str, Color]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return all parts, back to front."""
        return tuple(part for group in self.groups for part in group)

    def color(self, paint: str) -> Color:
        """Return the RGB of a paint; a name that ends in ``~`` is the shadow tone of another."""
        if paint in self.paints:
            return self.paints[paint]
        return shade(self.paints[paint.removesuffix("~")])


# Where every part of a drawing is in one frame: name -> map into the world; a part that is left
# out is not seen in that frame.
Placement = dict[str, Matrix]
