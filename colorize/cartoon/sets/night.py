"""Paint a moonlit yard."""

from __future__ import annotations

import numpy as np

from colorize.cartoon.geometry import Number, box, ellipse, polygon
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import Color, mix, tone
from colorize.cartoon.sets.scenery import cloud, sky

_NIGHT = (0.06, 0.06, 0.18)


def _fence(
    p: Painter, y: Number, height: Number, color: Color, *, step: Number, gap: Number
) -> None:
    """Paint a fence of pointed boards."""
    dark = mix(color, (0.15, 0.15, 0.35), 0.35)
    for rail in (0.3, 0.72):
        p.wash(box(-0.1, y - height * rail, p.width + 0.2, 0.016), mix(color, dark, 0.6))
    for i in range(-1, int(p.width / step) + 2):
        x, top = i * step, y - height * float(p.rng.uniform(0.96, 1.06))
        wide = step - gap
        p.wash(polygon([(x, y), (x, top + 0.02), (x + wide / 2, top - 0.012),
                        (x + wide, top + 0.02), (x + wide, y)]),
                color, mix(color, dark, 0.45), wobble=0.0012, rim=0.2)  # fmt: skip


def _roof(p: Painter, x: Number, wide: Number, top: Number, color: Color, index: int) -> None:
    """Paint a dark house whose windows are lit here and there."""
    body = [
        (x, 0.8),
        (x, top),
        (x + wide / 2, top - 0.09 * (index % 2)),
        (x + wide, top),
        (x + wide, 0.8),
    ]
    p.wash(polygon(body), mix(color, (0.5, 0.55, 0.8), 0.14), color)
    p.wash(box(x + 0.7 * wide, top - 0.10, 0.035, 0.11), color)
    for k in range(2):
        for row in range(3):
            wy = top + 0.05 + 0.10 * row
            lit = p.rng.random() < 0.45
            if wy < 0.56:
                pane = tone(0.74, 44, 0.9) if lit else tone(0.2, 230, 0.4)
                p.wash(
                    box(x + wide * (0.2 + 0.38 * k), wy, 0.19 * wide, 0.058),
                    pane,
                    mix(pane, (0.9, 0.4, 0.1), 0.25),
                )
                p.line(
                    (x + wide * (0.295 + 0.38 * k), wy),
                    (x + wide * (0.295 + 0.38 * k), wy + 0.058),
                    color,
                    width=0.007,
                )


def _dustbin(p: Painter, x: Number) -> None:
    tin = tone(0.46, 205, 0.18)
    p.wash(ellipse(x, 0.845, 0.085, 0.013), _NIGHT, rim=0, opacity=0.5)
    p.wash(
        polygon([(x - 0.055, 0.66), (x + 0.055, 0.66), (x + 0.046, 0.845), (x - 0.046, 0.845)]),
        mix(tin, (1, 1, 1), 0.15),
        mix(tin, _NIGHT, 0.5),
    )
    for i in range(5):
        lx = x - 0.04 + 0.02 * i
        p.line(
            (lx, 0.675),
            (x + (lx - x) * 0.85, 0.835),
            mix(tin, _NIGHT, 0.5),
            width=0.005,
            opacity=0.6,
        )
    p.wash(ellipse(x, 0.658, 0.066, 0.017), mix(tin, (1, 1, 1), 0.25), mix(tin, _NIGHT, 0.2))
    p.wash(ellipse(x, 0.64, 0.014, 0.010), mix(tin, _NIGHT, 0.2))


def night(p: Painter, hues: np.ndarray) -> None:
    """Paint a moonlit yard: big moon, roofs with lit windows, board fence, dustbins."""
    w = p.width
    deep = tone(0.15, 232 + 0.1 * float(hues[0]), 0.70)
    sky(p, deep, tone(0.36, 226, 0.55), 0.75)
    for _ in range(int(44 * w)):
        x, y = float(p.rng.uniform(0, w)), float(p.rng.uniform(0, 0.5))
        r = float(p.rng.uniform(0.002, 0.005))
        p.wash(ellipse(x, y, r, r), (1, 0.98, 0.86), rim=0, mottle=0, wobble=0, opacity=0.9)
    moon = 0.62 * w
    p.glow(moon, 0.24, 0.20, (0.85, 0.88, 0.80), 0.55)
    p.wash(
        ellipse(moon, 0.24, 0.145, 0.145),
        tone(0.93, 52, 0.75),
        tone(0.86, 48, 0.8),
        rim=0.06,
        mottle=0.05,
    )
    for dx, dy, r in (
        (-0.05, -0.04, 0.03),
        (0.045, 0.02, 0.022),
        (-0.02, 0.06, 0.018),
        (0.04, -0.07, 0.014),
    ):
        p.wash(
            ellipse(moon + dx, 0.24 + dy, r, 0.9 * r), tone(0.78, 46, 0.7), rim=0.02, opacity=0.6
        )
    for x, y, size in ((0.2, 0.2, 0.09), (0.76, 0.3, 0.1)):
        cloud(p, x * w, y, size, tone(0.40, 238, 0.35))
    x, i = -0.05, 0
    while x < w:
        wide, tall = float(p.rng.uniform(0.2, 0.34)), float(p.rng.uniform(0.14, 0.40))
        _roof(p, x, wide, 0.72 - tall, tone(0.13 + 0.03 * (i % 2), 250, 0.5), i)
        x, i = x + wide * 0.98, i + 1
    _fence(p, 0.795, 0.25, tone(0.33, 222 + 0.05 * float(hues[1]), 0.34), step=0.092, gap=0.006)
    p.wash(
        box(-0.1, 0.785, w + 0.2, 0.4), tone(0.27, 216, 0.32), tone(0.17, 240, 0.45), mottle=0.07
    )
    for i in range(int(w / 0.16) + 1):
        x, y = i * 0.16 + float(p.rng.uniform(0, 0.1)), float(p.rng.uniform(0.81, 0.97))
        p.wash(ellipse(x, y, 0.035, 0.008), tone(0.33, 218, 0.3), rim=0.1, opacity=0.8)
    for x in (0.30 * w, 0.30 * w + 0.15, 0.88 * w):
        _dustbin(p, x)
    p.glow(moon, 0.86, 0.3, (0.60, 0.68, 0.80), 0.22)
