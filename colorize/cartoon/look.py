"""How a series is drawn, whoever plays in it: palette, ink, proportions, and the paint of its sets.

The look ``rubber_hose`` is the procedural cartoon's own. The others have other colours, another
line, other bodies and other backgrounds, so that what was learnt from one can be tried on another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from colorize.cartoon.body import Build
from colorize.cartoon.geometry import Number
from colorize.cartoon.palette import Color, luma_of, mix, tone

Hues = tuple[Number, ...]
Fur = tuple[Number, Number]  # hue in degrees, strength

INK_COLOR = tone(0.075, 20, 0.30)
# Hues of clothes, dealt out so that no two of the first characters share one.
_WHEEL = (2.0, 212.0, 128.0, 286.0, 44.0, 178.0)
# Hues to choose from for the things of a set, and for a prop, that may have any colour.
_SET_HUES = (4.0, 28.0, 46.0, 95.0, 150.0, 178.0, 205.0, 230.0, 275.0, 325.0)
_PROP_HUES = (4.0, 45.0, 130.0, 208.0, 285.0, 330.0)


@dataclass(frozen=True, kw_only=True)
class Look:
    """One way to draw.

    Colours: every luma y in [0, 1] becomes ``lift + gain * y``, every hue turns by ``turn``
    degrees, and every chroma is multiplied by ``strength`` as far as the luma has room. ``wheel``,
    ``set_hues`` and ``prop_hues`` are the hues (degrees, as in HSV) that clothes, sets and props
    choose from, ``furs`` those of all animals; None lets each have its own.

    Line: ``ink`` is RGB in [0, 1], ``weight`` multiplies the width of every outline.

    Proportions, each a factor: ``head`` of the whole head, ``girth`` of the width of the body,
    ``limbs`` of the width and ``reach`` of the length of arms and legs.

    Sets, each a factor: ``mottle`` of the blotches, ``brush`` of the strokes, ``rim`` of the pooled
    edges and ``grade`` of the gradation of a wash; ``paper`` of the grain of the paper.
    """

    lift: Number = 0.0
    gain: Number = 1.0
    turn: Number = 0.0
    strength: Number = 1.0
    furs: tuple[Fur, ...] | None = None
    wheel: Hues = _WHEEL
    set_hues: Hues = _SET_HUES
    prop_hues: Hues = _PROP_HUES
    ink: Color = INK_COLOR
    weight: Number = 1.0
    head: Number = 1.0
    girth: Number = 1.0
    limbs: Number = 1.0
    reach: Number = 1.0
    mottle: Number = 1.0
    brush: Number = 1.0
    rim: Number = 1.0
    grade: Number = 1.0
    paper: Number = 1.0

    def colored(self, color: Color) -> Color:
        """Return a colour, RGB in [0, 1], as this look paints it."""
        if (self.lift, self.gain, self.turn, self.strength) == (0, 1, 0, 1):
            return color  # to the bit
        before = luma_of(color)
        luma = float(np.clip(self.lift + self.gain * before, 0, 1))
        red, _, blue = color
        angle = np.deg2rad(self.turn)
        # Cb and Cr, turned and stretched together.
        plane = complex((blue - before) / 1.772, (red - before) / 1.402)
        plane *= self.strength * complex(np.cos(angle), np.sin(angle))
        offset = np.array([1.402 * plane.imag, 0, 1.772 * plane.real])
        offset[1] = -(0.299 * offset[0] + 0.114 * offset[2]) / 0.587
        room = np.where(offset > 0, 1 - luma, luma) / np.maximum(np.abs(offset), 1e-9)
        first, second, third = luma + min(1.0, float(room.min())) * offset
        return float(first), float(second), float(third)

    def paints(self, paints: dict[str, Color], ink: str) -> dict[str, Color]:
        """Return the paints of a drawing; ``ink`` names the one of its lines."""
        return {name: self.colored(color) for name, color in paints.items()} | {ink: self.ink}

    def wash(self, top: Color, bottom: Color) -> tuple[Color, Color]:
        """Return the two ends of a wash of the sets."""
        first, last = self.colored(top), self.colored(bottom)
        if self.grade == 1:
            return first, last
        apart = 0.5 * (1 - self.grade)
        return mix(first, last, apart), mix(last, first, apart)

    def build(self, build: Build) -> Build:
        """Return the proportions of a character: feet stay on the ground, limbs still reach it."""
        taller = build.leg * (self.reach - 1)
        return replace(
            build, head=build.head * self.head, girth=build.girth * self.girth,
            arm=build.arm * self.reach, leg=build.leg + taller, rise=build.rise + taller,
            arm_width=build.arm_width * self.limbs, leg_width=build.leg_width * self.limbs,
        )  # fmt: skip


LOOKS: dict[str, Look] = {
    "rubber_hose": Look(),
    # Pale colours, a thin brown line, big heads on short thin limbs, rough paper.
    "pastel": Look(
        lift=0.30, gain=0.68, turn=-14, strength=0.75,
        furs=((340, 0.45), (280, 0.40), (150, 0.40), (190, 0.45), (60, 0.50)),
        wheel=(330.0, 165.0, 255.0, 60.0, 20.0, 105.0),
        set_hues=(15.0, 55.0, 75.0, 120.0, 165.0, 190.0, 250.0, 300.0, 340.0),
        prop_hues=(20.0, 75.0, 165.0, 255.0, 315.0),
        ink=tone(0.34, 24, 0.45), weight=0.55,
        head=1.28, girth=0.9, limbs=0.75, reach=0.85,
        mottle=2.4, brush=2.5, rim=0.4, grade=0.7, paper=3.0,
    ),
    # Loud colours, a heavy blue line, small heads on long thick limbs, flat poster backgrounds.
    "poster": Look(
        lift=-0.02, gain=0.92, turn=24, strength=1.35,
        furs=((95, 0.70), (172, 0.75), (265, 0.70), (312, 0.65), (8, 0.75), (52, 0.85)),
        wheel=(65.0, 305.0, 185.0, 20.0, 245.0, 110.0),
        set_hues=(40.0, 70.0, 110.0, 175.0, 215.0, 250.0, 285.0, 310.0, 350.0),
        prop_hues=(60.0, 110.0, 175.0, 250.0, 300.0),
        ink=tone(0.13, 232, 0.75), weight=1.9,
        head=0.8, girth=1.12, limbs=1.45, reach=1.14,
        mottle=0.0, brush=0.0, rim=0.0, grade=0.0, paper=0.0,
    ),
}  # fmt: skip
PLAIN = LOOKS["rubber_hose"]
