"""The sets that a series plays on, painted once each and then only moved under the camera.

A plate is 1 high; characters stand at y of about 0.9. A function of a set's own name paints it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, UInt8

from colorize.cartoon.geometry import Number
from colorize.cartoon.look import PLAIN, Look
from colorize.cartoon.paint import Painter
from colorize.cartoon.sets.beach import beach
from colorize.cartoon.sets.garden import garden
from colorize.cartoon.sets.kitchen import kitchen
from colorize.cartoon.sets.night import night
from colorize.cartoon.sets.parlour import parlour
from colorize.cartoon.sets.street import street

SCENES: dict[str, Callable[[Painter, np.ndarray], None]] = {
    "kitchen": kitchen,
    "garden": garden,
    "night": night,
    "street": street,
    "beach": beach,
    "parlour": parlour,
}


@dataclass(frozen=True)
class Plate:
    """A painted set: its picture, the region of each pixel (from 1), and pixels per world unit."""

    name: str
    picture: UInt8[np.ndarray, "h w 3"]
    regions: Int32[np.ndarray, "h w"]
    scale: Number
    width: Number


def paint_set(
    name: str, *, width: Number, pixels_per_unit: Number, blur: Number,
    drawing: tuple[int, ...], palette: tuple[int, ...],
    look: Look = PLAIN,
) -> Plate:  # fmt: skip
    """Paint the set ``name``, ``width`` world units wide, the same at every scale.

    ``drawing`` seeds the brush, ``palette`` the colours; ``blur`` in plate pixels limits its band.
    """
    hues = np.random.default_rng(palette).permutation(np.array(look.set_hues))[:5]
    painter = Painter(
        width=width,
        pixels_per_unit=pixels_per_unit,
        rng=np.random.default_rng(drawing),
        look=look,
    )
    SCENES[name](painter, hues)
    picture, regions = painter.finish(blur)
    return Plate(name, picture, regions, pixels_per_unit, width)
