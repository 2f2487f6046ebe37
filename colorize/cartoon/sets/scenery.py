"""Paint what several sets share: sky, clouds, hills, soft shadows."""

from __future__ import annotations

import numpy as np

from colorize.cartoon.geometry import Number, box, ellipse, smooth
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import Color, mix, tone

# White that has some warmth, and the wood of furniture.
WHITE = tone(0.93, 45, 0.28)
WOOD = tone(0.42, 26, 0.55)


def sky(p: Painter, top: Color, bottom: Color, horizon: Number) -> None:
    """Paint a graded sky down to the horizon."""
    p.wash(
        box(-0.2, -0.1, p.width + 0.4, horizon + 0.15),
        top,
        bottom,
        rim=0,
        mottle=0.012,
        brush=0.008,
    )


def cloud(p: Painter, x: Number, y: Number, size: Number, color: Color) -> None:
    """Paint a heaped cloud with a flat, shaded foot."""
    dark = mix(color, (0.45, 0.52, 0.72), 0.35)
    p.wash(
        smooth([(x - 1.1 * size, y), (x - 1.0 * size, y - 0.3 * size),
                (x - 0.6 * size, y - 0.35 * size),
                (x - 0.45 * size, y - 0.7 * size), (x, y - 0.8 * size),
                (x + 0.35 * size, y - 0.5 * size),
                (x + 0.7 * size, y - 0.55 * size), (x + 1.0 * size, y - 0.25 * size),
                (x + 1.2 * size, y)]),
        color, dark, rim=0.04, mottle=0.03,
    )  # fmt: skip
    p.wash(
        ellipse(x - 0.25 * size, y - 0.45 * size, 0.35 * size, 0.2 * size),
        (1, 1, 0.98),
        rim=0,
        opacity=0.5,
    )


def ridge(
    p: Painter, y: Number, height: Number, color: Color, bottom: Color, *, lumps: int
) -> None:
    """Paint rolling hills across the whole plate."""
    x = np.linspace(-0.1, p.width + 0.1, 10 * lumps)
    phase = p.rng.uniform(0, 2 * np.pi, 2)
    wave = 0.6 * np.sin(x * lumps / p.width * 2 * np.pi + phase[0])
    crest = y - height * (
        0.5 + 0.5 * wave + 0.25 * np.sin(2.3 * x * lumps / p.width * np.pi + phase[1])
    )
    foot = [[p.width + 0.1, 1.1], [-0.1, 1.1]]
    p.wash(np.concatenate([np.stack([x, crest], 1), foot]), color, bottom)


def shadow(p: Painter, x: Number, y: Number, rx: Number, ry: Number = 0.014) -> None:
    """Glaze a soft dark oval on the ground."""
    p.wash(ellipse(x, y, rx, ry), (0.10, 0.06, 0.16), mottle=0, rim=0, opacity=0.35)
