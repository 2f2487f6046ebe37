"""Colours chosen by hue at a set luma, so that luma alone never tells a colour.

The luma of every fill belongs to the *drawing*; the hue belongs to the *palette*. Two palettes of
the same drawing differ in colour and hardly in gray, and two characters wear unlike hues of like
luma, told apart only by who wears them.
"""

from __future__ import annotations

import colorsys

import numpy as np

from colorize.cartoon.geometry import Number

Color = tuple[Number, Number, Number]

_LUMA = np.array([0.299, 0.587, 0.114])


def luma_of(color: Color) -> float:
    """Return BT.601 luma of RGB in [0, 1]."""
    return float(np.dot(_LUMA, color))


def tone(luma: Number, hue: Number, strength: Number) -> Color:
    """Return RGB in [0, 1] of exactly this BT.601 luma.

    ``hue`` in degrees as in HSV (0 red, 60 yellow, 120 green, 210 blue); ``strength`` from 0 (gray)
    to 1 (as vivid as this luma can be).
    """
    pure = np.array(colorsys.hsv_to_rgb((hue % 360) / 360, 1.0, 1.0))
    offset = pure - _LUMA @ pure
    room = np.where(offset > 0, 1 - luma, luma) / np.maximum(np.abs(offset), 1e-9)
    red, green, blue = luma + strength * room.min() * offset
    return float(red), float(green), float(blue)


def shade(color: Color, amount: Number = 0.26) -> Color:
    """Return the shadow tone of a fill: darker, and a little towards violet."""
    dark = np.array(color) * (1 - amount)
    red, green, blue = np.clip(dark + amount * np.array([0.04, -0.01, 0.09]), 0, 1)
    return float(red), float(green), float(blue)


def mix(first: Color, second: Color, amount: Number) -> Color:
    """Return first + amount (second - first)."""
    red, green, blue = np.array(first) + amount * (np.array(second) - np.array(first))
    return float(red), float(green), float(blue)


def to_bytes(color: Color) -> tuple[int, int, int]:
    """Return RGB of [0, 1] as 8-bit values."""
    red, green, blue = np.clip(np.round(np.array(color) * 255), 0, 255)
    return int(red), int(green), int(blue)
