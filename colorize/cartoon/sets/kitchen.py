"""Paint a sunny kitchen."""

from __future__ import annotations

import numpy as np

from colorize.cartoon.geometry import Number, box, ellipse, polygon, smooth
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import Color, mix, tone
from colorize.cartoon.sets.scenery import WHITE, WOOD, shadow


def _window(
    p: Painter, x: Number, y: Number, width: Number, height: Number, curtain: Color
) -> None:
    """Paint a window onto a bright day, with curtains."""
    p.wash(box(x - 0.02, y - 0.02, width + 0.04, height + 0.04), WHITE, mix(WHITE, WOOD, 0.2))
    p.wash(box(x, y, width, height), tone(0.70, 205, 0.65), tone(0.90, 190, 0.35))
    p.wash(
        ellipse(x + 0.3 * width, y + 0.35 * height, 0.2 * width, 0.05), WHITE, rim=0, opacity=0.9
    )
    p.wash(
        ellipse(x + 0.45 * width, y + 0.3 * height, 0.12 * width, 0.05), WHITE, rim=0, opacity=0.9
    )
    p.wash(
        smooth([(x, y + height), (x, y + 0.75 * height), (x + 0.4 * width, y + 0.66 * height),
                (x + width, y + 0.8 * height), (x + width, y + height)], steps=4),
        tone(0.62, 105, 0.55), tone(0.5, 115, 0.6),
    )  # fmt: skip
    p.wash(box(x + width / 2 - 0.007, y, 0.014, height), WHITE)
    p.wash(box(x, y + height / 2 - 0.007, width, 0.014), WHITE)
    for side in (0, 1):
        edge, inner = (
            (x - 0.035, x + 0.3 * width) if side == 0 else (x + width + 0.035, x + 0.7 * width)
        )
        tie = edge + 0.35 * (inner - edge)
        p.wash(
            smooth([(edge, y - 0.03), (inner, y - 0.03), (inner + 0.05 * (edge - inner),
                                                          y + 0.2 * height),
                    (tie, y + 0.62 * height), (inner + 0.35 * (edge - inner), y + height + 0.04),
                    (edge, y + height + 0.04)], steps=4),
            mix(curtain, (1, 1, 1), 0.2), curtain, mottle=0.06,
        )  # fmt: skip
        for fold in (0.25, 0.5):
            fx = edge + fold * (inner - edge)
            p.line((fx, y), (edge + 0.6 * fold * (tie - edge), y + 0.6 * height),
                   mix(curtain, (0, 0, 0.1), 0.35), bend=(0.01, 0), opacity=0.5)  # fmt: skip
    p.wash(box(x - 0.06, y - 0.05, width + 0.12, 0.03), mix(curtain, (0, 0, 0.1), 0.3))


def _checker(p: Painter, horizon: Number, first: Color, second: Color) -> None:
    """Paint a tiled floor in perspective."""
    p.wash(box(-0.1, horizon, p.width + 0.2, 1.2 - horizon), mix(first, (0, 0, 0), 0.12), first)
    middle, rows = p.width / 2, horizon + (1.06 - horizon) * np.array([0, 0.16, 0.38, 0.66, 1.0])
    for row in range(4):
        y0, y1 = rows[row], rows[row + 1]
        w0, w1 = (0.16 * (0.55 + 0.9 * (y - horizon) / (1 - horizon)) for y in (y0, y1))
        reach = int(p.width / w0) + 2
        for column in range(-reach, reach):
            if (column + row) % 2:
                continue
            corners = [(middle + column * w0, y0), (middle + (column + 1) * w0, y0),
                       (middle + (column + 1) * w1, y1), (middle + column * w1, y1)]  # fmt: skip
            p.wash(
                polygon(corners), mix(second, (0, 0, 0), 0.1 - 0.025 * row), rim=0.08, wobble=0.001
            )


def _cupboard(p: Painter, x: Number, hues: np.ndarray) -> None:
    """Paint a low cupboard with a sink and things on it."""
    body, top = tone(0.66, hues[4], 0.45), tone(0.86, 40, 0.4)
    shadow(p, x + 0.3, 0.81, 0.36)
    p.wash(box(x, 0.545, 0.60, 0.26), body, mix(body, (0.1, 0, 0.2), 0.2))
    for i in range(3):
        p.wash(box(x + 0.02 + i * 0.195, 0.585, 0.17, 0.19), mix(body, (1, 1, 1), 0.18), body)
        p.wash(ellipse(x + 0.165 + i * 0.195, 0.68, 0.010, 0.010), tone(0.55, 45, 0.8))
    p.wash(box(x - 0.02, 0.525, 0.64, 0.028), top, mix(top, (0, 0, 0), 0.2))
    for i, hue in enumerate((8, 205, 48)):
        wide, tall = 0.034 - 0.004 * i, 0.10 - 0.018 * i
        jar = tone((0.5, 0.58, 0.74)[i], hue, 0.7)
        p.wash(
            box(x + 0.02 + i * 0.085, 0.525 - tall, 2 * wide, tall), mix(jar, (1, 1, 1), 0.25), jar
        )
        p.wash(box(x + 0.014 + i * 0.085, 0.515 - tall, 2 * wide + 0.012, 0.016), WHITE)
    p.line(
        (x + 0.47, 0.525),
        (x + 0.53, 0.475),
        tone(0.62, 210, 0.15),
        width=0.016,
        bend=(-0.02, -0.05),
    )


def _icebox(p: Painter, x: Number) -> None:
    """Paint a rounded icebox."""
    cold = tone(0.88, 175, 0.25)
    shadow(p, x + 0.14, 0.845, 0.2)
    p.wash(smooth([(x, 0.84), (x, 0.4), (x + 0.01, 0.25), (x + 0.05, 0.20), (x + 0.14, 0.195),
                   (x + 0.23, 0.20), (x + 0.27, 0.25), (x + 0.28, 0.4), (x + 0.28, 0.84)]),
           cold, mix(cold, (0.35, 0.42, 0.55), 0.35))  # fmt: skip
    p.wash(box(x + 0.01, 0.40, 0.26, 0.012), mix(cold, (0.2, 0.25, 0.35), 0.6), opacity=0.8)
    p.wash(box(x + 0.225, 0.29, 0.018, 0.08), tone(0.6, 210, 0.15), tone(0.4, 210, 0.2))
    p.wash(box(x + 0.225, 0.45, 0.018, 0.11), tone(0.6, 210, 0.15), tone(0.4, 210, 0.2))
    p.line((x + 0.04, 0.26), (x + 0.035, 0.75), WHITE, width=0.016, opacity=0.6)
    for leg in (0.03, 0.21):
        p.wash(box(x + leg, 0.83, 0.04, 0.022), tone(0.2, 220, 0.2))


def _stove(p: Painter, x: Number) -> None:
    """Paint an iron stove with a kettle and its pipe."""
    iron, glow = tone(0.26, 225, 0.22), tone(0.60, 28, 0.95)
    p.wash(box(x + 0.16, -0.1, 0.07, 0.62), mix(iron, (1, 1, 1), 0.15), iron)
    shadow(p, x + 0.15, 0.835, 0.21)
    p.wash(box(x, 0.53, 0.30, 0.28), mix(iron, (1, 1, 1), 0.14), iron)
    p.wash(box(x - 0.02, 0.505, 0.34, 0.03), mix(iron, (1, 1, 1), 0.25), iron)
    p.wash(box(x + 0.05, 0.60, 0.20, 0.13), mix(iron, (0, 0, 0), 0.35))
    for i in range(4):
        p.wash(box(x + 0.065 + i * 0.045, 0.615, 0.03, 0.10), glow, tone(0.42, 10, 0.95))
    for leg in (0.02, 0.24):
        p.wash(box(x + leg, 0.81, 0.04, 0.03), mix(iron, (0, 0, 0), 0.3))
    pot = tone(0.46, 12, 0.75)
    p.line(
        (x + 0.03, 0.47), (x + 0.13, 0.47), mix(iron, (0, 0, 0), 0.3), width=0.014, bend=(0, -0.13)
    )
    p.wash(
        polygon([(x + 0.11, 0.46), (x + 0.17, 0.42), (x + 0.175, 0.435), (x + 0.12, 0.495)]), pot
    )
    p.wash(smooth([(x + 0.02, 0.505), (x + 0.015, 0.46), (x + 0.08, 0.42), (x + 0.145, 0.46),
                   (x + 0.14, 0.505)]), mix(pot, (1, 1, 1), 0.25), pot)  # fmt: skip
    p.wash(ellipse(x + 0.08, 0.42, 0.014, 0.012), iron)


def kitchen(p: Painter, hues: np.ndarray) -> None:
    """Paint a sunny kitchen: stove, cupboards, icebox, window, and a mouse hole."""
    wall, trim = tone(0.80, hues[0], 0.34), tone(0.50, hues[1], 0.45)
    p.wash(
        box(-0.1, -0.1, p.width + 0.2, 0.9), wall, mix(wall, tone(0.6, hues[0], 0.4), 0.35), rim=0
    )
    for i in range(int(p.width / 0.085) + 1):
        p.wash(box(i * 0.085, -0.1, 0.028, 0.62), mix(wall, (1, 1, 1), 0.4), rim=0, opacity=0.5)
    p.wash(box(-0.1, 0.50, p.width + 0.2, 0.26), mix(trim, WHITE, 0.35), mix(trim, WHITE, 0.15))
    for i in range(int(p.width / 0.07) + 2):
        p.line(
            (i * 0.07, 0.51), (i * 0.07, 0.75), mix(trim, (0, 0, 0), 0.3), width=0.004, opacity=0.5
        )
    p.wash(box(-0.1, 0.49, p.width + 0.2, 0.02), mix(trim, (0, 0, 0.1), 0.25))
    p.wash(box(-0.1, 0.745, p.width + 0.2, 0.03), mix(trim, (0, 0, 0.1), 0.35))
    _checker(p, 0.775, WHITE, tone(0.52, hues[2], 0.5))
    w = p.width
    _window(p, 0.42 * w, 0.13, 0.34, 0.28, tone(0.52, hues[3], 0.75))
    _cupboard(p, 0.37 * w, hues)
    _icebox(p, 0.11 * w)
    _stove(p, 0.78 * w)
    hole = 0.68 * w
    p.wash(polygon([(hole, 0.776), (hole, 0.72), (hole + 0.02, 0.69), (hole + 0.05, 0.69),
                    (hole + 0.07, 0.72),
             (hole + 0.07, 0.776)]), (0.09, 0.06, 0.07), (0.16, 0.10, 0.08))  # fmt: skip
    p.wash(ellipse(0.94 * w, 0.2, 0.075, 0.075), WOOD)
    p.wash(ellipse(0.94 * w, 0.2, 0.06, 0.06), WHITE, rim=0.05)
    p.line((0.94 * w, 0.2), (0.94 * w + 0.03, 0.175), (0.1, 0.08, 0.1), width=0.009)
    p.line((0.94 * w, 0.2), (0.94 * w - 0.012, 0.15), (0.1, 0.08, 0.1), width=0.008)
    p.glow(0.5 * w, 0.3, 0.45, (1.0, 0.97, 0.82), 0.16)
