"""Things in front of the characters, inked like them, on a plane nearer to the camera."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from colorize.cartoon.drawing import INK, Drawing, Part
from colorize.cartoon.geometry import ellipse, polygon, smooth
from colorize.cartoon.look import INK_COLOR, PLAIN, Look
from colorize.cartoon.palette import tone

_WEIGHT = 1.3


def _crate(part: Part) -> None:
    part.fill(polygon([(-22, -40), (22, -40), (22, 0), (-22, 0)]), "first", depth=2.5)
    for y in (-40.0, -8.0):
        part.detail(polygon([(-22, y), (22, y), (22, y + 8), (-22, y + 8)]), "second", weight=0.8)
    part.detail(polygon([(-20, -10), (-14, -8), (20, -30), (14, -32)]), "second", weight=0.8)
    for x in (-18.0, 18.0):
        for y in (-36.0, -4.0):
            part.fill(ellipse(x, y, 1.0, 1.0, count=10), INK, outline=False)


def _barrel(part: Part) -> None:
    body = smooth([(-15, 0), (-19, -12), (-20, -24), (-18.5, -38), (-14, -48), (0, -49), (14, -48),
                   (18.5, -38), (20, -24), (19, -12), (15, 0), (0, 1.5)])  # fmt: skip
    part.fill(body, "first", depth=4)
    for x, bend in ((-9, -12.5), (0, 0), (9, 12.5)):
        part.line((x, -48), (bend, -24), (x, 0), width=0.6)
    for y, wide in ((-39.0, 18.6), (-11.0, 19.0)):
        hoop = [(-wide, y - 2), (0, y), (wide, y - 2), (wide, y + 3), (0, y + 5), (-wide, y + 3)]
        part.detail(polygon(hoop), "second", weight=0.8)


def _bush(part: Part) -> None:
    angle = np.linspace(0, 2 * np.pi, 66, endpoint=False)
    radius = 1 + 0.13 * np.abs(np.sin(5.5 * angle))
    rim = np.stack([32 * radius * np.cos(angle), -14 + 22 * radius * np.sin(angle)], 1)
    part.fill(rim, "first", depth=5)
    for x, y in ((-16, -22), (2, -28), (15, -18), (-6, -12), (22, -8), (-24, -8)):
        part.line((x - 4, y), (x, y - 6), (x + 4, y), width=0.7)
        part.fill(ellipse(x + 3, y + 5, 2.6, 2.6), "second", outline=True)


def _mailbox(part: Part) -> None:
    part.fill(polygon([(-3, -36), (3, -36), (3, 0), (-3, 0)]), "second", depth=1.2)
    part.fill(smooth([(-18, -34), (-18, -50), (-13, -58), (0, -59.5), (13, -58), (18, -50),
                      (18, -34), (0, -33)]),
              "first", depth=3)  # fmt: skip
    part.detail(polygon([(-11, -51), (11, -51), (11, -47.6), (-11, -47.6)]), "ink", weight=0.5)
    part.detail(
        polygon([(16, -48), (20, -48), (20, -64), (28, -64), (28, -57), (20, -57)]), "second"
    )


def _ball(part: Part) -> None:
    part.fill(ellipse(0, -19, 19, 19), "first", depth=3)
    for shape in (
        smooth([(-4, -38), (-13, -28), (-15, -14), (-8, -3), (-9.5, -14), (-7, -27)]),
        smooth([(3, -38), (12, -30), (16, -17), (11, -4), (7, -14), (8, -27)]),
    ):
        part.detail(shape, "second", weight=0.7)
    part.detail(ellipse(0.5, -36.6, 4.4, 2.2), "second", weight=0.7)


def _vase(part: Part) -> None:
    for x, y, turn in ((-16, -66, -20), (0, -74, 0), (15, -64, 18)):
        part.line((0, -38), (x * 0.4, -54), (x, y), width=1.2, taper=0.9)
        for petal in range(5):
            a = np.deg2rad(turn + 72 * petal)
            part.fill(ellipse(x + 5 * np.cos(a), y + 5 * np.sin(a), 4.2, 4.2), "second")
        part.fill(ellipse(x, y, 3.4, 3.4), "third")
    part.fill(smooth([(-8, 0), (-17, -12), (-15, -26), (-7, -34), (-9, -41), (9, -41), (7, -34),
                      (15, -26),
                      (17, -12), (8, 0)]), "first", depth=3.5)  # fmt: skip
    part.detail(
        smooth([(-16.4, -17), (0, -14), (16.4, -17), (15.8, -22), (0, -19), (-15.8, -22)]),
        "third",
        weight=0.6,
    )


_SHAPES: dict[str, Callable[[Part], None]] = {
    "crate": _crate,
    "barrel": _barrel,
    "bush": _bush,
    "mailbox": _mailbox,
    "ball": _ball,
    "vase": _vase,
}
# Luma of the first and second paint of a prop; hues come from the palette.
_LUMAS = {
    "crate": (0.55, 0.66),
    "barrel": (0.42, 0.30),
    "bush": (0.38, 0.72),
    "mailbox": (0.44, 0.60),
    "ball": (0.86, 0.45),
    "vase": (0.52, 0.70),
}
_HUES = {
    "crate": (32.0, 38.0),
    "barrel": (24.0, 220.0),
    "bush": (122.0, 345.0),
    "vase": (208.0, 350.0),
}
SCENE_PROPS = {
    "kitchen": ("vase", "barrel"),
    "garden": ("bush", "mailbox"),
    "night": ("crate", "barrel"),
    "street": ("mailbox", "crate"),
    "beach": ("ball", "barrel"),
    "parlour": ("vase", "ball"),
}


def prop(name: str, palette: tuple[int, ...], look: Look = PLAIN) -> Drawing:
    """Return the drawing of a prop: one part of its own name, standing on y = 0."""
    part = Part(name, _WEIGHT * look.weight, label=name)
    _SHAPES[name](part)
    rng = np.random.default_rng(palette)
    first, second = _HUES.get(name, tuple(rng.choice(look.prop_hues, 2)))
    lumas = _LUMAS[name]
    paints = {
        INK: INK_COLOR,
        "first": tone(lumas[0], float(first), 0.66),
        "second": tone(lumas[1], float(second), 0.72),
        "third": tone(0.80, 50, 0.9),
    }
    return Drawing(name=name, groups=((part,),), paints=look.paints(paints, INK))
