"""Paint a beach."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from colorize.cartoon.geometry import Number, box, ellipse, polygon, smooth
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import Color, mix, tone
from colorize.cartoon.sets.scenery import WHITE, cloud, sky


def _boat(p: Painter, x: Number, hues: np.ndarray) -> None:
    sail = tone(0.62, hues[2], 0.75)
    p.wash(
        smooth(
            [(x - 0.08, 0.525), (x + 0.08, 0.525), (x + 0.06, 0.555), (x - 0.055, 0.555)], steps=4
        ),
        tone(0.36, 20, 0.6),
    )
    p.wash(box(x - 0.004, 0.33, 0.008, 0.20), tone(0.36, 24, 0.5))
    p.wash(
        polygon([(x + 0.008, 0.34), (x + 0.085, 0.51), (x + 0.008, 0.51)]),
        mix(sail, (1, 1, 1), 0.2),
        sail,
    )
    p.wash(
        polygon([(x - 0.01, 0.36), (x - 0.06, 0.51), (x - 0.01, 0.51)]),
        WHITE,
        mix(WHITE, sail, 0.2),
    )


def _palm(p: Painter, x: Number, foot: Number, lean: Number) -> None:
    """Paint a leaning palm with nuts."""
    bark, leaf = tone(0.46, 30, 0.5), tone(0.42, 120, 0.65)
    top = (x + 0.10 * lean, 0.30)
    p.wash(ellipse(x + 0.02, foot, 0.13, 0.016), (0.25, 0.15, 0.25), rim=0, opacity=0.35)
    p.wash(smooth([(x - 0.04, foot), (x - 0.015 + 0.02 * lean, 0.6), (top[0] - 0.014, 0.31),
                   (top[0] + 0.016, 0.31),
                   (x + 0.02 + 0.02 * lean, 0.6), (x + 0.045, foot)]),
                   mix(bark, (1, 0.9, 0.6), 0.25), bark)  # fmt: skip
    for i in range(9):
        t = i / 9
        cx, cy = x + 0.10 * lean * t**1.6, foot - 0.03 - (foot - 0.36) * t
        p.line(
            (cx - 0.026 + 0.012 * t, cy),
            (cx + 0.026 - 0.012 * t, cy),
            mix(bark, (0.1, 0, 0.1), 0.45),
            bend=(0, 0.01),
            width=0.008,
        )
    for i, turn in enumerate((168, 12, 200, -22, 232, -56, 262, 150, 34)):
        a = np.deg2rad(turn)
        tip = (top[0] + 0.24 * np.cos(a), top[1] + 0.15 * np.sin(a) + 0.05)
        p.line(
            top,
            tip,
            mix(leaf, (1, 1, 0.5), 0.08 * (i % 3)),
            width=0.055,
            bend=(0, -0.075),
            opacity=0.95,
        )
        p.line(top, tip, mix(leaf, (0, 0.1, 0.1), 0.45), width=0.006, bend=(0, -0.075), opacity=0.6)
    for dx, dy in ((-0.02, 0.03), (0.02, 0.035), (0.0, 0.05)):
        p.wash(ellipse(top[0] + dx, top[1] + dy, 0.02, 0.021), tone(0.32, 24, 0.6))


def _parasol(p: Painter, x: Number, color: Color, towel: Color) -> None:
    p.wash(ellipse(x + 0.05, 0.845, 0.2, 0.02), (0.25, 0.15, 0.25), rim=0, opacity=0.35)
    p.wash(
        polygon([(x + 0.04, 0.83), (x + 0.26, 0.83), (x + 0.30, 0.87), (x + 0.06, 0.87)]),
        towel,
        mix(towel, (0, 0, 0), 0.15),
    )
    p.line((x + 0.02, 0.36), (x + 0.05, 0.845), tone(0.85, 45, 0.3), width=0.014, opacity=1)
    edges = np.linspace(-1, 1, 8)
    for i, (a, b) in enumerate(pairwise(edges)):
        paint = color if i % 2 == 0 else WHITE
        y0, y1 = (0.545 + 0.035 * e * e for e in (a, b))
        m = (a + b) / 2
        corners = smooth([(x + 0.02, 0.345), (x + 0.26 * a * 0.85 + 0.02, 0.41),
                          (x + 0.26 * a + 0.02, y0),
                          (x + 0.26 * m + 0.02, (y0 + y1) / 2 - 0.018), (x + 0.26 * b + 0.02, y1),
                          (x + 0.26 * b * 0.85 + 0.02, 0.41)], steps=5)  # fmt: skip
        p.wash(corners, mix(paint, (1, 1, 1), 0.15), mix(paint, (0.1, 0, 0.2), 0.12), rim=0.12)


def beach(p: Painter, hues: np.ndarray) -> None:
    """Paint a beach: sea with a sail, palms, parasol, shells in the sand."""
    w = p.width
    sky(p, tone(0.66, 200, 0.70), tone(0.94, 48, 0.55), 0.52)
    p.wash(ellipse(0.16 * w, 0.17, 0.075, 0.075), tone(0.92, 52, 0.95), rim=0)
    p.glow(0.16 * w, 0.17, 0.16, (1, 0.97, 0.78), 0.6)
    for x, y, size in ((0.38, 0.14, 0.09), (0.66, 0.22, 0.12), (0.9, 0.12, 0.08)):
        cloud(p, x * w, y, size, (1, 0.98, 0.95))
    p.wash(smooth([(0.70 * w, 0.5), (0.75 * w, 0.42), (0.79 * w, 0.36), (0.83 * w, 0.43),
                   (0.92 * w, 0.5)]),
           tone(0.58, 165, 0.3), tone(0.66, 130, 0.3))  # fmt: skip
    p.wash(box(-0.1, 0.48, w + 0.2, 0.3), tone(0.50, 205, 0.65), tone(0.70, 180, 0.60), rim=0.04)
    for i in range(int(26 * w)):
        x, y = float(p.rng.uniform(0, w)), 0.49 + 0.17 * float(p.rng.random()) ** 1.5
        long = 0.02 + 0.25 * (y - 0.48)
        p.line(
            (x, y),
            (x + long, y),
            tone(0.88 if i % 3 else 0.44, 190, 0.4),
            width=0.005,
            bend=(0, -0.008),
            opacity=0.6,
        )
    _boat(p, 0.47 * w, hues)
    along = np.linspace(-0.1, w + 0.1, 60)
    for rise, color in ((0.0, (0.97, 0.99, 0.99)), (0.018, tone(0.70, 36, 0.45)), (0.036, None)):
        crest = 0.68 + rise + 0.012 * np.sin(5.1 * along) + 0.007 * np.sin(13.0 * along + 1)
        band = np.concatenate([np.stack([along, crest], 1), [[w + 0.1, 1.1], [-0.1, 1.1]]])
        p.wash(band, color or tone(0.83, 40, 0.55), color or tone(0.74, 36, 0.60), rim=0.03)
    for i in range(int(40 * w)):
        x0, y0 = float(p.rng.uniform(0, w)), float(p.rng.uniform(0.76, 1.0))
        p.wash(ellipse(x0, y0, 0.02, 0.004), tone(0.66, 34, 0.5), rim=0, opacity=0.4)
        if i % 5 == 0:
            p.wash(ellipse(x0, y0, 0.011, 0.009), tone(0.76, 10 + 30 * (i % 4), 0.5))
    _palm(p, 0.09 * w, 0.82, 1.0)
    _palm(p, 0.93 * w, 0.80, -0.9)
    _parasol(p, 0.68 * w, tone(0.50, hues[0], 0.85), tone(0.52, hues[1], 0.75))
