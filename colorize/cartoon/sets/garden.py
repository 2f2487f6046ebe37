"""Paint a cottage garden."""

from __future__ import annotations

import numpy as np

from colorize.cartoon.geometry import Number, box, ellipse, polygon, smooth
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import Color, mix, tone
from colorize.cartoon.sets.scenery import WHITE, cloud, ridge, sky


def _fence_with_gate(p: Painter, house: Number) -> None:
    for i in range(-1, int(p.width / 0.048) + 2):
        x = i * 0.048
        if house + 0.17 < x < house + 0.37:
            continue
        p.wash(box(x - 0.01, 0.70, 0.05, 0.012), mix(WHITE, (0.3, 0.35, 0.6), 0.35))
        p.wash(polygon([(x, 0.755), (x, 0.655), (x + 0.015, 0.635), (x + 0.03, 0.655),
                        (x + 0.03, 0.755)]),
                WHITE, mix(WHITE, (0.4, 0.5, 0.7), 0.35), wobble=0.0012, rim=0.2)  # fmt: skip


def _house(p: Painter, x: Number, foot: Number, hues: np.ndarray) -> None:
    """Paint a cottage with a crooked roof and a smoking chimney."""
    wall, roof, door = (
        tone(0.86, hues[0], 0.45),
        tone(0.43, hues[1], 0.70),
        tone(0.40, hues[2], 0.7),
    )
    trim = mix(wall, (0.25, 0.15, 0.1), 0.5)
    p.wash(box(x + 0.40, 0.13, 0.07, 0.2), tone(0.42, 12, 0.5), tone(0.32, 8, 0.5))
    p.wash(box(x + 0.39, 0.115, 0.09, 0.025), tone(0.5, 14, 0.45))
    for i in range(3):
        p.wash(
            ellipse(x + 0.45 + 0.04 * i, 0.075 - 0.05 * i, 0.03 + 0.012 * i, 0.024 + 0.01 * i),
            (0.97, 0.97, 1.0),
            rim=0.02,
            opacity=0.75,
        )
    p.wash(
        polygon([(x + 0.02, foot), (x, 0.36), (x + 0.55, 0.36), (x + 0.54, foot)]),
        wall,
        mix(wall, (0.6, 0.55, 0.7), 0.25),
    )
    p.wash(polygon([(x - 0.07, 0.385), (x + 0.08, 0.17), (x + 0.26, 0.15), (x + 0.47, 0.18),
                    (x + 0.62, 0.385),
                    (x + 0.28, 0.375)]), mix(roof, (1, 0.9, 0.8), 0.18), roof,
                    wobble=0.004)  # fmt: skip
    for row in range(5):
        y = 0.205 + 0.038 * row
        for i in range(13):
            t = (i + 0.5 * (row % 2)) / 12.5
            sx = x + 0.06 - 0.025 * row + t * (0.44 + 0.052 * row)
            p.line(
                (sx, y),
                (sx + 0.028, y),
                mix(roof, (0.1, 0, 0.15), 0.45),
                bend=(0, 0.018),
                width=0.006,
                opacity=0.7,
            )
    for wx in (0.06, 0.37):
        p.wash(box(x + wx - 0.012, 0.438, 0.144, 0.144), trim)
        p.wash(box(x + wx, 0.45, 0.12, 0.12), tone(0.66, 205, 0.5), tone(0.84, 195, 0.4))
        p.wash(box(x + wx + 0.055, 0.45, 0.01, 0.12), WHITE)
        p.wash(box(x + wx, 0.503, 0.12, 0.01), WHITE)
        p.wash(box(x + wx - 0.02, 0.578, 0.16, 0.03), door, mix(door, (0, 0, 0), 0.2))
        for i in range(5):
            p.wash(
                ellipse(x + wx + 0.005 + 0.028 * i, 0.57, 0.016, 0.014),
                tone(0.6, float(hues[3]) + 25 * (i % 2), 0.8),
                rim=0.1,
            )
    p.wash(smooth([(x + 0.215, foot), (x + 0.215, 0.52), (x + 0.235, 0.455), (x + 0.275, 0.435),
                   (x + 0.315, 0.455),
                   (x + 0.335, 0.52), (x + 0.335, foot)]), trim)  # fmt: skip
    p.wash(smooth([(x + 0.228, foot), (x + 0.228, 0.52), (x + 0.245, 0.47), (x + 0.275, 0.452),
                   (x + 0.305, 0.47),
                   (x + 0.322, 0.52), (x + 0.322, foot)]), mix(door, (1, 1, 1), 0.15),
                   door)  # fmt: skip
    p.wash(ellipse(x + 0.275, 0.51, 0.022, 0.022), tone(0.82, 195, 0.4))
    p.wash(ellipse(x + 0.307, 0.585, 0.008, 0.008), tone(0.7, 48, 0.9))


def _tree(p: Painter, x: Number, foot: Number, size: Number, leaf: Color) -> None:
    bark = tone(0.30, 24, 0.5)
    p.wash(ellipse(x, foot, 0.22 * size, 0.022), (0.08, 0.10, 0.20), mottle=0, rim=0, opacity=0.35)
    p.wash(smooth([(x - 0.055 * size, foot + 0.01), (x - 0.03 * size, foot - 0.2 * size),
                   (x - 0.06 * size, foot - 0.5 * size), (x + 0.05 * size, foot - 0.5 * size),
                   (x + 0.03 * size, foot - 0.2 * size), (x + 0.065 * size, foot + 0.01)]),
           mix(bark, (1, 0.9, 0.7), 0.2), bark)  # fmt: skip
    p.line(
        (x, foot - 0.28 * size),
        (x + 0.14 * size, foot - 0.52 * size),
        bark,
        width=0.03 * size,
        opacity=1,
    )
    for dx, dy, r in (
        (-0.16, -0.50, 0.17),
        (0.17, -0.52, 0.17),
        (0.01, -0.66, 0.21),
        (0.02, -0.47, 0.15),
    ):
        p.foliage(x + dx * size, foot + dy * size, 1.15 * r * size, r * size, leaf)


def _flowers(p: Painter, low: Number, high: Number, hues: tuple[Number, ...], count: int) -> None:
    """Scatter grass tufts and flowers over a band of lawn."""
    for i in range(count):
        x, y = float(p.rng.uniform(0, p.width)), float(p.rng.uniform(low, high))
        grass = tone(0.36, 115, 0.65)
        for blade in (-0.012, 0, 0.012):
            p.line((x, y), (x + blade, y - 0.025), grass, width=0.006, opacity=0.8)
        if i % 2:
            petal = tone(0.68, hues[i % len(hues)], 0.85)
            for dx, dy in ((0.009, 0), (-0.009, 0), (0, 0.008), (0, -0.008)):
                p.wash(
                    ellipse(x + dx, y - 0.03 + dy, 0.007, 0.007), petal, rim=0, mottle=0, wobble=0
                )
            p.wash(ellipse(x, y - 0.03, 0.005, 0.005), tone(0.82, 50, 0.95), rim=0, wobble=0)


def garden(p: Painter, hues: np.ndarray) -> None:
    """Paint a cottage in a garden: hills, picket fence, tree, path and flowers."""
    w = p.width
    sky(p, tone(0.62, 208, 0.65), tone(0.92, 195, 0.35), 0.6)
    for x, y, size in ((0.12, 0.17, 0.10), (0.5, 0.11, 0.075), (0.83, 0.2, 0.12)):
        cloud(p, x * w, y, size, (0.99, 0.98, 0.95))
    ridge(p, 0.56, 0.16, tone(0.66, 150, 0.35), tone(0.72, 110, 0.4), lumps=3)
    ridge(p, 0.62, 0.10, tone(0.58, 100, 0.55), tone(0.66, 90, 0.55), lumps=4)
    for x in (0.04, 0.24, 0.62, 0.93):
        p.foliage(x * w, 0.60, 0.10, 0.07, tone(0.42, 128, 0.5), dabs=16)
    _house(p, 0.33 * w, 0.70, hues)
    p.wash(box(-0.1, 0.675, w + 0.2, 0.5), tone(0.63, 88, 0.58), tone(0.47, 108, 0.56), rim=0.05)
    path = tone(0.76, 36, 0.5)
    p.wash(smooth([(0.33 * w + 0.235, 0.68), (0.33 * w + 0.315, 0.68), (0.33 * w + 0.36, 0.78),
                   (0.33 * w + 0.52, 1.08), (0.33 * w + 0.05, 1.08), (0.33 * w + 0.2, 0.8)],
                   steps=5),
           mix(path, (1, 1, 1), 0.2), path)  # fmt: skip
    _fence_with_gate(p, 0.33 * w)
    _tree(p, 0.80 * w, 0.79, 0.86, tone(0.46, 118, 0.62))
    p.foliage(0.05 * w, 0.74, 0.15, 0.10, tone(0.42, 138, 0.5))
    _flowers(p, 0.78, 1.0, (float(hues[1]), 350.0, 45.0, 280.0), int(26 * w))
    p.glow(0.15 * w, 0.0, 0.5, (1.0, 0.98, 0.8), 0.25)
