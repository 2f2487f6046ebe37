"""Portraits of cartoon characters, procedurally: traits that stay, and a pose that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Color = tuple[int, int, int]  # RGB of 0 … 255
Style = Literal["anime", "cartoon"]
Hat = Literal["none", "witch", "cap"]

_FINER = 2  # drawn this many times larger, then averaged down
_INK: Color = (30, 25, 35)
_WHITE: Color = (250, 250, 250)


@dataclass(frozen=True, kw_only=True)
class Character:
    """What stays the same of a character in every picture."""

    female: bool
    hair: Color
    clothes: Color
    skin: Color
    eyes: Color
    hat: Hat
    style: Style
    face: float  # width of the face, of its height
    fringe: int  # how many locks


class _Canvas:
    """A picture on which shapes are drawn in coordinates of the character: its head is -1 … 1."""

    def __init__(
        self,
        picture: UInt8[np.ndarray, "h w 3"],
        *,
        place: Float[np.ndarray, "2 3"],
        line: float,
    ) -> None:
        self.picture, self.place, self.line = picture, place, line

    def shape(
        self,
        points: Sequence[Sequence[float]] | Float[np.ndarray, "n 2"],
        fill: Color | None,
        *,
        line: float = 1.0,
        closed: bool = True,
    ) -> None:
        """Fill a polygon and draw its outline; ``line`` multiplies the width of the pen."""
        placed = np.asarray(points) @ self.place[:, :2].T + self.place[:, 2]
        path = [(placed * 16).round().astype(np.int32)]
        if fill is not None:
            cv2.fillPoly(self.picture, path, fill, cv2.LINE_AA, shift=4)
        if line > 0:
            width = max(1, round(line * self.line))
            cv2.polylines(self.picture, path, closed, _INK, width, cv2.LINE_AA, shift=4)

    def ellipse(
        self,
        x: float,
        y: float,
        radii: tuple[float, float],
        fill: Color | None,
        *,
        line: float = 1.0,
        part: tuple[float, float] = (0.0, 2 * np.pi),
    ) -> None:
        """Fill and outline an ellipse, or a ``part`` of it (radians, clockwise from the right)."""
        turns = np.linspace(*part, 48)
        points = np.stack([x + radii[0] * np.cos(turns), y + radii[1] * np.sin(turns)], 1)
        self.shape(points, fill, line=line, closed=part == (0.0, 2 * np.pi))


def draw_portrait(
    character: Character, random: np.random.Generator, *, side: int = 256
) -> UInt8[np.ndarray, "side side 3"]:
    """Return a picture of a character, ``side`` pixels square, in a random pose and place."""
    large = side * _FINER
    picture = _background(random, large)
    angle, size = np.radians(random.normal(0, 9)), large * random.uniform(0.26, 0.36)
    mirror = -1.0 if random.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = large * np.array([random.uniform(0.38, 0.62), random.uniform(0.48, 0.6)])
    place = np.concatenate([size * turn * [mirror, 1.0], centre[:, None]], axis=1)
    pen = size * (0.02 if character.style == "anime" else 0.045)
    canvas = _Canvas(picture, place=place, line=pen)
    _draw_body(canvas, character)
    _draw_back_hair(canvas, character)
    _draw_face(canvas, character, random)
    _draw_fringe(canvas, character)
    _draw_hat(canvas, character)
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def _draw_body(canvas: _Canvas, who: Character) -> None:
    width = 0.75 if who.female else 1.05
    body = [(-0.2, 0.7), (-width, 1.15), (-width, 2.6), (width, 2.6), (width, 1.15), (0.2, 0.7)]
    canvas.shape(body, who.clothes)
    canvas.shape([(-0.18, 0.6), (-0.18, 0.95), (0.18, 0.95), (0.18, 0.6)], who.skin)
    if who.female:
        canvas.shape([(-0.3, 0.9), (0.0, 1.25), (0.3, 0.9)], _WHITE)
    else:
        canvas.shape([(-0.08, 0.95), (0.0, 1.7), (0.08, 0.95)], _darker(who.clothes))


def _draw_back_hair(canvas: _Canvas, who: Character) -> None:
    canvas.ellipse(0.0, -0.15, (who.face + 0.14, 0.95), who.hair)
    if who.female:
        for sign in (-1, 1):
            outer, inner = sign * (who.face + 0.22), sign * 0.3
            canvas.shape(
                [(inner, -0.4), (outer, -0.1), (outer * 1.05, 1.4), (inner, 1.0)], who.hair
            )


def _draw_face(canvas: _Canvas, who: Character, random: np.random.Generator) -> None:
    turns = np.linspace(0, 2 * np.pi, 60)
    chin = 0.8 if who.style == "cartoon" else 0.95
    # Anime faces come to a point at the chin.
    narrow = 1.0 if who.style == "cartoon" else np.where(np.sin(turns) > 0, 0.82, 1.0)
    x, y = who.face * np.cos(turns) * narrow, chin * np.sin(turns) * np.where(turns < np.pi, 0.9, 1)
    canvas.shape(np.stack([x, y], 1), who.skin)
    look = random.uniform(-0.05, 0.05)
    for sign in (-1, 1):
        eye = _draw_anime_eye if who.style == "anime" else _draw_cartoon_eye
        eye(canvas, who, sign * 0.45 * who.face / 0.75, look)
    smile = random.uniform(-0.5, 1.0)
    if who.style == "anime":
        canvas.shape([(-0.02, 0.28), (0.02, 0.32)], None, closed=False)
        bow = [(-0.12, 0.52), (0.0, 0.52 + 0.07 * smile), (0.12, 0.52)]
        canvas.shape(bow, None, closed=False)
    else:
        canvas.ellipse(0.0, 0.2, (0.14, 0.12), _darker(who.skin, 0.92))
        canvas.ellipse(0.0, 0.4, (0.35, 0.08 + 0.18 * abs(smile)), None, part=(0.1, np.pi - 0.1))


def _draw_anime_eye(canvas: _Canvas, who: Character, x: float, look: float) -> None:
    tall = 0.27 if who.female else 0.19
    canvas.ellipse(x, 0.08, (0.19, tall), _WHITE, line=0.0)
    canvas.ellipse(x + look, 0.1, (0.15, tall * 0.93), who.eyes, line=0.6)
    canvas.ellipse(x + look, 0.12, (0.07, tall * 0.5), _INK, line=0.0)
    canvas.ellipse(x + look - 0.05, 0.0, (0.05, 0.06), _WHITE, line=0.0)
    canvas.ellipse(x, 0.08, (0.21, tall * 1.05), None, line=2.2, part=(np.pi, 2 * np.pi))
    canvas.shape([(x - 0.18, -0.32), (x + 0.18, -0.34)], None, closed=False)


def _draw_cartoon_eye(canvas: _Canvas, who: Character, x: float, look: float) -> None:
    canvas.ellipse(x * 0.75, -0.08, (0.2, 0.24), _WHITE)
    canvas.ellipse(x * 0.75 + look * 1.5, -0.05, (0.07, 0.09), _INK, line=0.0)
    if who.female:
        for step in (-0.12, 0.0, 0.12):
            lash = [(x * 0.75 + step, -0.3), (x * 0.75 + 1.5 * step, -0.42)]
            canvas.shape(lash, None, closed=False)


def _draw_fringe(canvas: _Canvas, who: Character) -> None:
    edges = np.linspace(-who.face - 0.08, who.face + 0.08, who.fringe + 1)
    top = [(x, -0.95 + 0.6 * (x / who.face) ** 2 * 0.5) for x in edges]
    locks = []
    for left, right in pairwise(edges):
        depth = -0.28 if who.style == "anime" else -0.45
        locks += [(left, -0.5), ((left + right) / 2, depth), (right, -0.5)]
    canvas.shape([*top, *locks[::-1]], who.hair)
    if who.style == "anime":
        shine = [(-0.35, -0.66), (-0.05, -0.72), (0.2, -0.68), (-0.05, -0.66)]
        canvas.shape(shine, _lighter(who.hair), line=0.0)


def _draw_hat(canvas: _Canvas, who: Character) -> None:
    if who.hat == "witch":
        dark = (45, 40, 95)
        canvas.shape([(-0.7, -0.75), (0.15, -2.1), (0.35, -1.9), (0.7, -0.75)], dark)
        canvas.ellipse(0.0, -0.72, (1.25, 0.22), dark)
        canvas.shape([(-0.66, -0.82), (-0.6, -1.0), (0.6, -1.0), (0.66, -0.82)], (200, 170, 60))
    elif who.hat == "cap":
        canvas.ellipse(0.0, -0.6, (0.85, 0.6), who.clothes, part=(np.pi, 2 * np.pi))
        canvas.shape([(0.2, -0.7), (1.2, -0.6), (1.1, -0.5), (0.2, -0.55)], _darker(who.clothes))


def _background(random: np.random.Generator, side: int) -> UInt8[np.ndarray, "side side 3"]:
    """Return a gradient with a few soft shapes of any colour."""
    corners = random.uniform(60, 250, (2, 2, 3)).astype(np.float32)
    picture = cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    for _ in range(random.integers(2, 7)):
        centre = tuple(int(value) for value in random.integers(0, side, 2))
        color = tuple(int(value) for value in random.integers(30, 255, 3))
        if random.random() < 0.5:
            cv2.circle(
                picture, centre, int(side * random.uniform(0.03, 0.2)), color, -1, cv2.LINE_AA
            )
        else:
            other = tuple(int(value) for value in random.integers(0, side, 2))
            cv2.rectangle(picture, centre, other, color, -1)
    return picture


def _darker(color: Color, factor: float = 0.7) -> Color:
    return (int(color[0] * factor), int(color[1] * factor), int(color[2] * factor))


def _lighter(color: Color) -> Color:
    return (128 + color[0] // 2, 128 + color[1] // 2, 128 + color[2] // 2)
