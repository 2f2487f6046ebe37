"""Paint an evening parlour."""

from __future__ import annotations

import numpy as np

from colorize.cartoon.geometry import Number, box, ellipse, polygon, smooth
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import Color, mix, tone
from colorize.cartoon.sets.scenery import WHITE, WOOD, shadow


def _planks(p: Painter, horizon: Number, color: Color) -> None:
    """Paint floor boards that run towards the viewer."""
    p.wash(box(-0.1, horizon, p.width + 0.2, 1.2 - horizon), mix(color, (0.1, 0, 0.1), 0.25), color)
    middle = p.width / 2
    for i in range(-26, 27):
        x = middle + i * 0.13
        p.line((x, horizon), (middle + (x - middle) * 1.7, 1.05), mix(color, (0.1, 0, 0.05), 0.55),
               width=0.006, opacity=0.7)  # fmt: skip
        knot = (
            middle + (x - middle) * float(p.rng.uniform(1.1, 1.5)) + 0.05,
            float(p.rng.uniform(0.84, 0.99)),
        )
        p.wash(ellipse(*knot, 0.03, 0.004), mix(color, (0.1, 0, 0.05), 0.4), rim=0, opacity=0.5)


def _fireplace(p: Painter, x: Number) -> None:
    """Paint a brick fireplace with a fire, and a clock on its shelf."""
    brick = tone(0.44, 12, 0.55)
    p.wash(box(x, 0.38, 0.44, 0.43), brick, mix(brick, (0, 0, 0), 0.15))
    for row in range(9):
        y = 0.385 + row * 0.047
        for i in range(5):
            bx = x + 0.004 + i * 0.092 - 0.046 * (row % 2)
            left, right = max(bx, x), min(bx + 0.084, x + 0.44)
            tint = mix(brick, (0.95, 0.6, 0.4), float(p.rng.uniform(0.05, 0.3)))
            if right - left > 0.01:
                p.wash(box(left, y, right - left, 0.039), tint, wobble=0.0012, rim=0.1)
    p.wash(smooth([(x + 0.08, 0.81), (x + 0.08, 0.6), (x + 0.14, 0.51), (x + 0.3, 0.51),
                   (x + 0.36, 0.6),
                   (x + 0.36, 0.81)]), (0.12, 0.06, 0.06), (0.26, 0.10, 0.06))  # fmt: skip
    for wide, tall, luma, hue in (
        (0.10, 0.21, 0.50, 18),
        (0.07, 0.15, 0.66, 36),
        (0.04, 0.09, 0.84, 50),
    ):
        m = x + 0.22
        p.wash(smooth([(m - wide, 0.79), (m - 0.9 * wide, 0.79 - 0.45 * tall),
                       (m - 0.4 * wide, 0.79 - 0.75 * tall),
                       (m - 0.3 * wide, 0.79 - 0.5 * tall), (m + 0.1 * wide, 0.79 - tall),
                       (m + 0.45 * wide, 0.79 - 0.5 * tall), (m + 0.9 * wide, 0.79 - 0.6 * tall),
                       (m + wide, 0.79)], steps=5), tone(luma, hue, 0.95), rim=0)  # fmt: skip
    for turn in (-1, 1):
        p.line(
            (x + 0.12, 0.79 - 0.012 * turn),
            (x + 0.32, 0.79 + 0.012 * turn),
            tone(0.2, 20, 0.6),
            width=0.03,
            opacity=1,
        )
    p.wash(box(x - 0.03, 0.355, 0.50, 0.035), mix(WOOD, (1, 0.8, 0.5), 0.25), WOOD)
    p.wash(
        smooth(
            [
                (x + 0.16, 0.355),
                (x + 0.17, 0.29),
                (x + 0.22, 0.23),
                (x + 0.27, 0.29),
                (x + 0.28, 0.355),
            ]
        ),
        WOOD,
    )
    p.wash(ellipse(x + 0.22, 0.295, 0.032, 0.032), WHITE)
    p.line((x + 0.22, 0.295), (x + 0.22, 0.272), (0.1, 0.05, 0.05))
    p.line((x + 0.22, 0.295), (x + 0.238, 0.3), (0.1, 0.05, 0.05))
    for candle in (0.05, 0.38):
        p.wash(box(x + candle, 0.28, 0.02, 0.075), tone(0.86, 48, 0.3))
        p.wash(ellipse(x + candle + 0.01, 0.265, 0.008, 0.016), tone(0.85, 46, 0.9), rim=0)


def _armchair(p: Painter, x: Number, color: Color) -> None:
    """Paint a padded armchair."""
    light, dark = mix(color, (1, 1, 1), 0.18), mix(color, (0.1, 0, 0.2), 0.35)
    shadow(p, x + 0.15, 0.855, 0.23)
    p.wash(smooth([(x + 0.01, 0.8), (x, 0.55), (x + 0.03, 0.41), (x + 0.15, 0.375),
                   (x + 0.27, 0.41),
                   (x + 0.30, 0.55), (x + 0.29, 0.8)]), light, color)  # fmt: skip
    for bx, by in ((0.09, 0.48), (0.15, 0.46), (0.21, 0.48), (0.12, 0.54), (0.18, 0.54)):
        p.wash(ellipse(x + bx, by, 0.008, 0.008), dark, rim=0)
    p.wash(box(x + 0.02, 0.64, 0.26, 0.075), light, color)
    p.wash(box(x + 0.01, 0.71, 0.28, 0.12), color, dark)
    for ax in (-0.035, 0.255):
        p.wash(smooth([(x + ax, 0.835), (x + ax, 0.66), (x + ax + 0.01, 0.60),
                       (x + ax + 0.04, 0.585),
                       (x + ax + 0.07, 0.60), (x + ax + 0.08, 0.66), (x + ax + 0.08, 0.835)]),
                       light, dark)  # fmt: skip
        p.wash(ellipse(x + ax + 0.04, 0.635, 0.022, 0.026), color)
        p.wash(box(x + ax + 0.02, 0.835, 0.035, 0.025), WOOD)


def _picture(p: Painter, x: Number, y: Number, wide: Number, tall: Number, hue: Number) -> None:
    """Paint a framed landscape."""
    p.wash(box(x, y, wide, tall), tone(0.60, 42, 0.75), tone(0.42, 34, 0.8))
    p.wash(
        box(x + 0.02, y + 0.02, wide - 0.04, tall - 0.04),
        tone(0.75, 205, 0.45),
        tone(0.85, 45, 0.5),
    )
    p.wash(polygon([(x + 0.02, y + tall - 0.02), (x + 0.02, y + 0.62 * tall),
                    (x + 0.4 * wide, y + 0.4 * tall),
             (x + wide - 0.02, y + 0.66 * tall), (x + wide - 0.02, y + tall - 0.02)]),
            tone(0.45, hue, 0.5))  # fmt: skip
    p.wash(ellipse(x + 0.7 * wide, y + 0.35 * tall, 0.018, 0.018), tone(0.85, 48, 0.9))


def _lamp(p: Painter, x: Number, shade: Color) -> None:
    """Paint a standing lamp."""
    shadow(p, x, 0.84, 0.09)
    p.wash(box(x - 0.007, 0.36, 0.014, 0.47), WOOD, mix(WOOD, (0, 0, 0), 0.4))
    p.wash(ellipse(x, 0.835, 0.06, 0.014), WOOD)
    p.wash(polygon([(x - 0.045, 0.22), (x + 0.045, 0.22), (x + 0.10, 0.38), (x - 0.10, 0.38)]),
            mix(shade, (1, 1, 1), 0.3), shade)  # fmt: skip
    for i in range(9):
        fx = x - 0.096 + 0.024 * i
        p.line((fx, 0.38), (fx, 0.405), tone(0.5, 40, 0.8), width=0.007)


def _plant(p: Painter, x: Number, hue: Number) -> None:
    """Paint a palm in a pot."""
    leaf = tone(0.40, 125, 0.55)
    for i in range(9):
        turn = np.deg2rad(-160 + 17.5 * i)
        tip = (x + 0.17 * np.cos(turn), 0.63 + 0.26 * np.sin(turn) + 0.05)
        p.line(
            (x, 0.68),
            tip,
            mix(leaf, (1, 1, 0.6), 0.08 * (i % 3)),
            width=0.034,
            bend=(0, -0.06),
            opacity=0.95,
        )
    pot = tone(0.52, hue, 0.5)
    shadow(p, x, 0.835, 0.1)
    p.wash(
        polygon([(x - 0.075, 0.68), (x + 0.075, 0.68), (x + 0.052, 0.83), (x - 0.052, 0.83)]),
        mix(pot, (1, 1, 1), 0.2),
        pot,
    )
    p.wash(box(x - 0.085, 0.665, 0.17, 0.03), mix(pot, (1, 1, 1), 0.3), pot)


def parlour(p: Painter, hues: np.ndarray) -> None:
    """Paint an evening parlour: fireplace, armchair, lamp, pictures on patterned paper."""
    wall = tone(0.46, hues[0], 0.42)
    w = p.width
    p.wash(box(-0.1, -0.1, w + 0.2, 0.9), mix(wall, (0, 0, 0.1), 0.25), wall, rim=0)
    flower = mix(wall, tone(0.74, hues[1], 0.5), 0.45)
    for i in range(int(w / 0.11) + 2):
        for j in range(6):
            x, y = i * 0.11 + 0.055 * (j % 2), 0.03 + j * 0.105
            p.wash(polygon([(x, y - 0.026), (x + 0.017, y), (x, y + 0.026), (x - 0.017, y)]),
                   flower,
                    rim=0, wobble=0.001, opacity=0.7)  # fmt: skip
    panel = mix(WOOD, (0.1, 0, 0), 0.2)
    p.wash(box(-0.1, 0.63, w + 0.2, 0.16), WOOD, panel)
    for i in range(int(w / 0.19) + 1):
        p.wash(box(0.02 + i * 0.19, 0.66, 0.15, 0.10), mix(WOOD, (1, 0.8, 0.5), 0.12), WOOD)
    p.wash(box(-0.1, 0.615, w + 0.2, 0.022), mix(WOOD, (1, 0.8, 0.5), 0.3))
    _planks(p, 0.785, tone(0.50, 28, 0.55))
    rug = tone(0.40, hues[2], 0.70)
    p.wash(ellipse(0.52 * w, 0.91, 0.62, 0.075, count=48), rug, mix(rug, (1, 1, 1), 0.1))
    p.wash(ellipse(0.52 * w, 0.91, 0.56, 0.064), mix(rug, WHITE, 0.65), rim=0.05)
    p.wash(ellipse(0.52 * w, 0.91, 0.52, 0.058), rug, mix(rug, (1, 1, 1), 0.15), rim=0.05)
    _fireplace(p, 0.42 * w)
    _armchair(p, 0.77 * w, tone(0.44, hues[3], 0.62))
    for i, (x, wide, tall) in enumerate(((0.08, 0.17, 0.22), (0.2, 0.13, 0.13), (0.72, 0.2, 0.16))):
        _picture(p, x * w, 0.16 + 0.05 * (i % 2), wide, tall, hues[i + 1])
    _lamp(p, 0.955 * w, tone(0.78, 42, 0.85))
    _plant(p, 0.24 * w, hues[4])
    p.glow(0.42 * w + 0.2, 0.66, 0.28, (1.0, 0.62, 0.25), 0.22)
    p.glow(0.955 * w, 0.32, 0.22, (1.0, 0.9, 0.6), 0.38)
