"""Hand-drawn faces of four expressions: surprise or smile, with open or closed eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from classify.data.strokes import Hand, Sheet, draw_hand, pose

EXPRESSIONS = (
    "smile-eyes-closed",
    "smile-eyes-open",
    "surprise-eyes-closed",
    "surprise-eyes-open",
)


@dataclass(frozen=True)
class Artist:
    """A person who draws faces: a hand, and habits in each feature (numbers of variants)."""

    hand: Hand
    head: tuple[float, float]
    eyes: int
    lids: int
    smile: int
    nose: int
    hair: int
    brows: bool
    ears: bool


def draw_artist(random: np.random.Generator) -> Artist:
    """Return a person with habits of their own."""
    return Artist(
        hand=draw_hand(random),
        head=(random.uniform(0.28, 0.36), random.uniform(0.32, 0.4)),
        eyes=int(random.integers(3)),
        lids=int(random.integers(3)),
        smile=int(random.integers(3)),
        nose=int(random.integers(4)),
        hair=int(random.integers(4)),
        brows=bool(random.random() < 0.6),
        ears=bool(random.random() < 0.4),
    )


def draw_face(
    artist: Artist, expression: str, random: np.random.Generator, *, side: int = 100
) -> UInt8[np.ndarray, "side side"]:
    """Return a drawing of ``expression`` (one of :data:`EXPRESSIONS`), gray on paper."""
    mouth, _, eyes = expression.split("-")
    sheet = Sheet(
        side=side,
        hand=artist.hand,
        random=random,
        pose=pose(
            angle=artist.hand.tilt + random.normal(0, 5),
            factor=artist.hand.size * random.uniform(0.85, 1.08),
            offset=(random.normal(0, 0.03), random.normal(0, 0.03)),
        ),
    )
    wide = artist.head[0] * random.uniform(0.92, 1.08)
    tall = artist.head[1] * random.uniform(0.92, 1.08)
    sheet.loop((0.5, 0.52), (wide, tall))
    _draw_surroundings(sheet, artist, wide, tall)
    apart, level = wide * random.uniform(0.4, 0.5), 0.44 + random.normal(0, 0.012)
    for sign in (-1, 1):
        place = (0.5 + sign * apart, level + random.normal(0, 0.008))
        _draw_eye(sheet, artist, place, opened=eyes == "open")
        if artist.brows:
            _draw_brow(sheet, place, sign, raised=mouth == "surprise")
    _draw_nose(sheet, artist)
    (_draw_smile if mouth == "smile" else _draw_surprise)(sheet, artist, wide)
    return sheet.scan()


def _draw_eye(sheet: Sheet, artist: Artist, place: tuple[float, float], *, opened: bool) -> None:
    x, y = place
    radius = 0.055 * sheet.random.uniform(0.8, 1.25)
    if opened:
        if artist.eyes == 0:  # ring and pupil
            sheet.loop(place, (radius, radius * 1.15))
            sheet.loop((x + sheet.random.normal(0, 0.008), y), (radius / 3, radius / 3), fill=True)
        elif artist.eyes == 1:  # almond: upper and lower lid, pupil between
            sheet.arc(place, (radius * 1.3, radius * 0.8), (np.pi, 2 * np.pi))
            sheet.arc(place, (radius * 1.3, radius * 0.7), (0.0, np.pi))
            sheet.loop(place, (radius / 2.5, radius / 2.2), fill=True)
        else:  # tall button
            sheet.loop(place, (radius / 1.8, radius), fill=True)
    elif artist.lids == 0:  # lid fallen shut
        sheet.arc((x, y - radius / 2), (radius * 1.2, radius * 0.8), (0.1, np.pi - 0.1))
    elif artist.lids == 1:  # squeezed with joy
        sheet.arc((x, y + radius / 2), (radius * 1.2, radius), (np.pi + 0.1, 2 * np.pi - 0.1))
    else:  # a line with lashes
        sheet.curve(np.array([[x - radius, y], [x + radius, y]]))
        for step in (-0.6, 0.0, 0.6):
            foot = x + step * radius
            sheet.curve(np.array([[foot, y], [foot + step * 0.02, y + 0.03]]), width=0.7)


def _draw_brow(sheet: Sheet, place: tuple[float, float], sign: int, *, raised: bool) -> None:
    """Draw a brow; it rises with surprise, but people are not strict about it."""
    x, y = place
    height = (0.13 if raised else 0.1) + sheet.random.normal(0, 0.015)
    bend = (0.03 if raised else 0.012) + sheet.random.normal(0, 0.008)
    inner, outer = x - sign * 0.06, x + sign * 0.07
    sheet.curve(np.array([[inner, y - height], [x, y - height - bend], [outer, y - height + 0.01]]))


def _draw_nose(sheet: Sheet, artist: Artist) -> None:
    x, y = 0.5 + sheet.random.normal(0, 0.01), 0.54 + sheet.random.normal(0, 0.01)
    if artist.nose == 0:
        sheet.curve(np.array([[x, y - 0.05], [x - 0.03, y + 0.03], [x + 0.02, y + 0.035]]))
    elif artist.nose == 1:
        sheet.arc((x, y), (0.03, 0.025), (0.0, np.pi))
    elif artist.nose == 2:
        sheet.loop((x, y), (0.022, 0.02))


def _draw_smile(sheet: Sheet, artist: Artist, wide: float) -> None:
    random = sheet.random
    x, y = 0.5 + random.normal(0, 0.01), 0.66 + random.normal(0, 0.015)
    width, depth = wide * random.uniform(0.38, 0.65), random.uniform(0.04, 0.11)
    sheet.arc((x, y), (width, depth), (0.05, np.pi - 0.05))
    if artist.smile == 1:  # open: a line from corner to corner
        sheet.curve(np.array([[x - width, y], [x + width, y + random.normal(0, 0.006)]]))
    elif artist.smile == 2:  # dimples
        for sign in (-1, 1):
            sheet.arc((x + sign * width, y), (0.02, 0.025), (-1.2, 1.2) if sign > 0 else (2.0, 4.3))


def _draw_surprise(sheet: Sheet, artist: Artist, wide: float) -> None:
    random = sheet.random
    centre = (0.5 + random.normal(0, 0.012), 0.71 + random.normal(0, 0.015))
    width = wide * random.uniform(0.14, 0.34)
    sheet.loop(centre, (width, width * random.uniform(0.75, 1.5)), fill=artist.smile == 1)


def _draw_surroundings(sheet: Sheet, artist: Artist, wide: float, tall: float) -> None:
    """Draw ears and hair, which say nothing of the expression."""
    if artist.ears:
        for sign in (-1, 1):
            side = (-1.3, 1.3) if sign > 0 else (1.9, 4.4)
            sheet.arc((0.5 + sign * wide, 0.52), (0.04, 0.065), side)
    top = 0.52 - tall
    strands = (0, 5, 9, 14)[artist.hair]
    for strand in range(strands):
        lean = (strand + 0.5) / strands * 2 - 1
        root = np.array([0.5 + 0.8 * lean * wide, top + 0.3 * tall * lean**2])
        fall = np.array([0.05 * lean, -0.05 if artist.hair == 1 else 0.09])
        bend = sheet.random.normal(0, 0.015, 2)
        sheet.curve(np.stack([root, root + fall / 2 + bend, root + fall]), width=0.8)
