"""Paint a street of shops."""

from __future__ import annotations

import numpy as np

from colorize.cartoon.geometry import Number, box, ellipse, polygon, smooth
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import mix, tone
from colorize.cartoon.sets.scenery import WHITE, cloud, sky


def _shop(p: Painter, x: Number, wide: Number, top: Number, hues: np.ndarray, index: int) -> None:
    """Paint one house of a street: shop below, windows above."""
    wall = tone(0.50 + 0.10 * (index % 3), float(hues[index % 5]), 0.42)
    awning = tone(0.46, float(hues[(index + 2) % 5]), 0.80)
    p.wash(box(x, top, wide, 0.78 - top), mix(wall, (1, 1, 0.9), 0.12), wall)
    p.wash(
        box(x - 0.012, top - 0.02, wide + 0.024, 0.04),
        mix(wall, WHITE, 0.5),
        mix(wall, (0, 0, 0.1), 0.2),
    )
    for _ in range(14):
        bx, by = (
            float(p.rng.uniform(x + 0.01, x + wide - 0.05)),
            float(p.rng.uniform(top + 0.05, 0.42)),
        )
        p.wash(box(bx, by, 0.034, 0.012), mix(wall, (0.3, 0.1, 0.1), 0.3), rim=0, opacity=0.5)
    for k in range(3):
        wx = x + wide * (0.13 + 0.28 * k)
        p.wash(box(wx - 0.008, top + 0.067, 0.19 * wide + 0.016, 0.176), mix(wall, WHITE, 0.65))
        p.wash(
            box(wx, top + 0.075, 0.19 * wide, 0.16), tone(0.36, 215, 0.35), tone(0.62, 200, 0.35)
        )
        p.wash(box(wx, top + 0.075, 0.19 * wide, 0.05), tone(0.84, 45, 0.5), rim=0)
        p.wash(box(wx - 0.012, top + 0.24, 0.19 * wide + 0.024, 0.014), mix(wall, (0, 0, 0.1), 0.4))
    p.wash(box(x + 0.02, 0.46, wide - 0.04, 0.31), mix(wall, (0.2, 0.1, 0.1), 0.4))
    p.wash(box(x + 0.04, 0.53, 0.54 * wide, 0.19), tone(0.80, 48, 0.55), tone(0.58, 195, 0.35))
    for k, hue in enumerate((350, 90, 40, 280)):
        p.wash(
            ellipse(x + 0.065 + k * 0.13 * wide, 0.695, 0.026, 0.024),
            tone(0.5, hue + 10 * index, 0.75),
        )
    p.wash(
        box(x + 0.70 * wide, 0.53, 0.22 * wide, 0.24),
        mix(awning, (0.1, 0.05, 0), 0.35),
        mix(awning, (0, 0, 0), 0.5),
    )
    p.wash(box(x + 0.735 * wide, 0.56, 0.15 * wide, 0.10), tone(0.82, 46, 0.5))
    p.line((x + 0.06, 0.70), (x + 0.13, 0.54), (1, 1, 1), width=0.014, opacity=0.4)
    sign = mix(awning, WHITE, 0.7)
    p.wash(box(x + 0.05, 0.375, wide - 0.1, 0.055), sign, mix(sign, awning, 0.2))
    for k in range(7):
        lx = x + 0.09 + k * (wide - 0.2) / 6.5
        p.line(
            (lx, 0.415),
            (lx + 0.018, 0.39),
            awning,
            width=0.014,
            bend=(0.01 * (-1) ** k, 0),
            opacity=0.9,
        )
    strips = 9
    for k in range(strips):
        a, b = x + wide * k / strips, x + wide * (k + 1) / strips
        out = 0.5 * (a + b) - (x + wide / 2)
        color = awning if k % 2 == 0 else WHITE
        corners = [(a, 0.445), (b, 0.445), (b + 0.12 * out + 0.002, 0.53),
                   (0.5 * (a + b) + 0.12 * out, 0.552),
                   (a + 0.12 * out, 0.53)]  # fmt: skip
        p.wash(
            polygon(corners),
            mix(color, (1, 1, 1), 0.1),
            mix(color, (0.1, 0, 0.2), 0.22),
            rim=0.1,
            wobble=0.001,
        )


def _lamp_post(p: Painter, x: Number) -> None:
    iron = tone(0.22, 190, 0.4)
    p.wash(ellipse(x, 0.865, 0.06, 0.01), (0.1, 0.08, 0.2), rim=0, opacity=0.35)
    p.wash(box(x - 0.009, 0.30, 0.018, 0.56), mix(iron, (1, 1, 1), 0.12), iron)
    p.wash(
        polygon([(x - 0.03, 0.865), (x - 0.018, 0.78), (x + 0.018, 0.78), (x + 0.03, 0.865)]), iron
    )
    p.wash(box(x - 0.05, 0.345, 0.10, 0.012), iron)
    p.wash(
        polygon([(x - 0.028, 0.30), (x - 0.042, 0.20), (x + 0.042, 0.20), (x + 0.028, 0.30)]),
        tone(0.9, 48, 0.8),
        tone(0.8, 42, 0.8),
    )
    p.wash(polygon([(x - 0.052, 0.205), (x, 0.16), (x + 0.052, 0.205)]), iron)


def street(p: Painter, hues: np.ndarray) -> None:
    """Paint a street of shops with striped awnings, a lamp post and a hydrant."""
    w = p.width
    sky(p, tone(0.70, 200, 0.5), tone(0.93, 42, 0.5), 0.6)
    cloud(p, 0.3 * w, 0.14, 0.09, (1, 0.98, 0.94))
    for i in range(int(w / 0.16) + 1):
        tall = float(p.rng.uniform(0.18, 0.42))
        p.wash(
            box(i * 0.16, 0.55 - tall, 0.15, tall + 0.1),
            tone(0.72, 225, 0.22),
            tone(0.80, 35, 0.25),
        )
    x, i = -0.05, 0
    while x < w:
        wide = float(p.rng.uniform(0.42, 0.54))
        _shop(p, x, wide, float(p.rng.uniform(0.02, 0.16)), hues, i)
        x, i = x + wide, i + 1
    p.wash(box(-0.1, 0.755, w + 0.2, 0.13), tone(0.74, 40, 0.2), tone(0.66, 30, 0.18))
    for i in range(int(w / 0.2) + 2):
        p.line(
            (0.2 * i, 0.76), (0.2 * i - 0.06, 0.88), tone(0.45, 30, 0.15), width=0.005, opacity=0.6
        )
    p.wash(box(-0.1, 0.88, w + 0.2, 0.03), tone(0.82, 45, 0.15), tone(0.55, 35, 0.15))
    p.wash(
        box(-0.1, 0.905, w + 0.2, 0.2), tone(0.40, 235, 0.14), tone(0.48, 240, 0.12), mottle=0.06
    )
    for x in (0.19 * w, 0.70 * w):
        _lamp_post(p, x)
    hydrant, hx = tone(0.44, 6, 0.85), 0.47 * w
    p.wash(ellipse(hx + 0.02, 0.862, 0.07, 0.012), (0.1, 0.08, 0.2), rim=0, opacity=0.35)
    p.wash(smooth([(hx - 0.035, 0.86), (hx - 0.03, 0.74), (hx - 0.02, 0.71), (hx, 0.695),
                   (hx + 0.02, 0.71),
                   (hx + 0.03, 0.74), (hx + 0.035, 0.86)], steps=5),
                   mix(hydrant, (1, 0.9, 0.8), 0.2), hydrant)  # fmt: skip
    p.wash(box(hx - 0.042, 0.735, 0.084, 0.016), mix(hydrant, (0, 0, 0), 0.2))
    p.wash(ellipse(hx, 0.785, 0.017, 0.017), tone(0.7, 48, 0.8))
    p.glow(0.5 * w, 0.05, 0.6, (1.0, 0.92, 0.75), 0.2)
