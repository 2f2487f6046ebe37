"""Heads of the animals. The origin is the neck, the head lies about (1, -20), it looks to +x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from colorize.cartoon.drawing import INK, Flat, Part
from colorize.cartoon.geometry import Number, Points, ellipse, polygon, smooth


@dataclass(frozen=True)
class Face:
    """Groups of parts of a head, back to front."""

    groups: tuple[tuple[Part, ...], ...]


def pie(x: Number, y: Number, rx: Number, ry: Number) -> Points:
    """Return a pie-cut pupil: an ellipse that lacks a wedge towards the light, up and right."""
    angle = np.deg2rad(np.linspace(-18, 284, 24))
    rim = np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)
    return np.concatenate([rim, [[x - 0.15 * rx, y + 0.1 * ry]]])


def _parts(weight: Number) -> tuple[Part, Part, Part, Part, Part, Part]:
    names = ("ears", "head", "pupils", "mouth_closed", "mouth_open", "lids")
    ears, head, pupils, closed, opened, lids = (
        Part(name, weight, label=name.split("_")[0]) for name in names
    )
    return ears, head, pupils, closed, opened, lids


def _eyes(
    head: Part, pupils: Part, lids: Part, eyes: tuple[tuple[Number, Number, Number, Number], ...],
    *, skin: str,
) -> None:  # fmt: skip
    """Draw tall white eyes with pie-cut pupils, and the lids that close them in a blink."""
    for x, y, rx, ry in eyes:
        head.detail(ellipse(x, y, rx, ry, turn=3), "white")
        pupil = pie(x + 0.30 * rx, y + 0.28 * ry, 0.56 * rx, 0.60 * ry)
        pupils.fill(pupil, "black", outline=False)
        lids.detail(ellipse(x, y, rx, ry, turn=3), skin)
        lids.line((x - rx, y + 0.35 * ry), (x, y + ry), (x + rx, y + 0.35 * ry), width=0.9)


def _mouth(closed: Part, opened: Part, x: Number, y: Number, reach: Number, deep: Number) -> None:
    """Draw a smile from x - reach to x + reach, and the open mouth that replaces it."""
    left, right = (x - reach, y), (x + reach, y)
    closed.line(left, (x, y + deep), right, width=0.9)
    shape = smooth([left, (x, y + 0.25 * deep), right, (x + 0.55 * reach, y + 0.85 * deep),
                    (x, y + 1.1 * deep), (x - 0.55 * reach, y + 0.85 * deep)])  # fmt: skip
    opened.detail(shape, "throat", weight=0.8)
    opened.fill(ellipse(x, y + 0.78 * deep, 0.5 * reach, 0.26 * deep), "tongue", outline=False)


def _brows(head: Part, spots: tuple[tuple[Number, Number], ...]) -> None:
    for x, y in spots:
        head.line((x - 3.6, y + 1.0), (x, y - 2.4), (x + 3.6, y + 0.4), width=1.0)


def cat(weight: Number) -> Face:
    """Draw a wide-cheeked cat with pointed ears, a white muzzle and whiskers."""
    ears, head, pupils, closed, opened, lids = _parts(weight)
    ears.fill(
        smooth([(-18, -25), (-22.5, -40), (-21, -50.5), (-12, -44), (-3, -35)]), "fur", depth=2
    )
    ears.fill(smooth([(7, -36), (14, -45), (21.5, -51), (23, -40), (20, -26)]), "fur", depth=2)
    ears.fill(smooth([(-16.5, -31), (-19.4, -45), (-8.5, -37)]), "inner", outline=False)
    ears.fill(smooth([(11, -37.5), (19.6, -45.5), (18.6, -32)]), "inner", outline=False)
    head.fill(
        smooth([(-2, -38.5), (10, -38), (18.5, -31), (21.5, -21), (27.5, -12), (20, -5.5),
                (9, -0.5),
                (-4, 0), (-14, -4.5), (-24.5, -10.5), (-19.5, -19), (-18.5, -29), (-11, -36.5)]),
        "fur", depth=3.4,
    )  # fmt: skip
    mask = [(-8, -12), (-3, -19), (4, -16.5), (9, -20), (15, -16.5), (20, -18), (23.5, -11),
            (17, -5), (8, -1.8), (-3, -3)]  # fmt: skip
    head.fill(smooth(mask), "face", depth=1.6, outline=False)
    for x in (-5.5, 1.5, 8.5):
        head.line((x, -37 + 0.02 * x * x), (x + 1.0, -34), (x + 1.6, -30.5), width=1.7, taper=0.1)
    _eyes(head, pupils, lids, ((0.5, -24, 5.4, 8.6), (12, -24.2, 5.0, 8.2)), skin="fur")
    head.detail(ellipse(9.6, -14.2, 3.4, 2.3), "nose")
    head.flats.append(Flat(ellipse(10.3, -15.0, 1.2, 0.6), "white"))
    for side, x in ((-1, -4.0), (1, 19.5)):
        for rise in (-3.4, 0.2, 3.4):
            head.line((x, -9 + 0.4 * rise), (x + 7 * side, -10 + rise),
                      (x + 15 * side, -9.5 + 1.9 * rise),
                      width=0.6, taper=0.2)  # fmt: skip
    head.line((9.6, -12), (9.4, -10), (9.2, -8.4), width=0.7)
    _mouth(closed, opened, 9.2, -9.0, 8.0, 8.6)
    return Face(((ears, head), (pupils,), (closed,), (opened,), (lids,)))


def mouse(weight: Number) -> Face:
    """Draw a mouse with big round ears, a heart-shaped face and a snout."""
    ears, head, pupils, closed, opened, lids = _parts(weight)
    ears.fill(ellipse(-14.5, -41, 13.4, 14, turn=-12), "fur", depth=2.6)
    ears.fill(ellipse(17, -43.5, 11.5, 13, turn=14), "fur", depth=2.6)
    ears.fill(ellipse(-14, -40.4, 9.4, 10, turn=-12), "inner", outline=False)
    ears.fill(ellipse(16.6, -42.6, 7.8, 9.2, turn=14), "inner", outline=False)
    head.fill(
        smooth([(0, -38), (10, -37), (18, -29), (19.5, -18), (18, -8), (9, -1), (-4, 0.5),
                (-15, -5),
                (-19, -16), (-17, -29), (-9, -36.5)]), "fur", depth=3.2,
    )  # fmt: skip
    mask = [(5, -29), (10, -35), (16.5, -31.5), (18, -20), (17, -8), (9, -2), (-3, -1), (-11, -6),
            (-9, -15), (-7, -27), (0, -34.5)]  # fmt: skip
    head.fill(smooth(mask), "face", depth=1.8, outline=False)
    _eyes(head, pupils, lids, ((-0.4, -23, 4.7, 8.2), (10.8, -23.4, 4.4, 7.8)), skin="face")
    _mouth(closed, opened, 6.6, -8.6, 9.0, 7.6)
    for part in (closed, opened):
        snout = smooth(
            [(3, -14), (8, -18), (17, -17.5), (24, -17), (25.5, -13.5), (20, -9.5), (10, -8)]
        )
        part.detail(snout, "face", weight=0.8)
        part.detail(ellipse(24.6, -16.6, 3.7, 3.1, turn=-14), "black")
        part.flats.append(Flat(ellipse(25.2, -17.8, 1.2, 0.7), "white"))
    for rise in (-2.5, 1.5):
        head.line((-8, -9), (-15, -9 + rise), (-23, -9 + 2.2 * rise), width=0.5)
    return Face(((ears, head), (pupils,), (closed,), (opened,), (lids,)))


def dog(weight: Number) -> Face:
    """Draw a hound: long muzzle, hanging ears, a patch about one eye, a cap."""
    ears, head, pupils, closed, opened, lids = _parts(weight)
    head.fill(
        smooth([(-3, -37), (7, -37), (13.5, -30), (15, -21), (12, -10), (9, -2), (-3, 1.5),
                (-13, -3),
                (-17, -14), (-15.5, -28), (-10, -34.5)]), "fur", depth=3.2,
    )  # fmt: skip
    head.fill(ellipse(8.6, -25.4, 7.6, 10.8, turn=8), "dark", outline=False)
    _eyes(head, pupils, lids, ((-1.8, -24.2, 4.7, 7.6), (8.2, -24.6, 4.3, 7.2)), skin="fur")
    _mouth(closed, opened, 13, -7.0, 10.0, 8.0)
    for part in (closed, opened):
        muzzle = smooth([(-3, -9), (2, -16.5), (11, -17), (20, -19.5), (29, -17.5), (30, -10.5),
                         (23, -6.5), (13, -7), (4, -3.5)])  # fmt: skip
        part.detail(muzzle, "face", weight=0.85)
        part.detail(smooth([(21, -21), (27, -22.5), (32, -19.5), (30, -15.4), (25, -15)]), "nose")
        part.flats.append(Flat(ellipse(27.4, -20.0, 2.0, 0.9, turn=8), "shine"))
        for x, y in ((14, -11.4), (17.5, -10), (17, -13.2)):
            part.flats.append(Flat(ellipse(x, y, 0.75, 0.75, count=10), INK))
    ear = smooth([(-8, -34), (-15, -36), (-21, -28), (-25, -14), (-22, -4), (-15.5, -3.5),
                  (-12, -12),
                  (-9, -23)])  # fmt: skip
    ears.fill(ear, "dark", depth=2.4)
    cap = Part("hat", weight, label="hat")
    cap.fill(smooth([(-12, -34.5), (-10, -43), (1, -46.5), (11, -43), (14.5, -35), (1, -37.5)]),
             "accent", depth=2.6)  # fmt: skip
    cap.fill(
        smooth([(6, -37), (14, -38), (24, -34.5), (22, -32.4), (13, -33.6)]), "cloth", depth=1.4
    )
    cap.detail(ellipse(0.6, -46.4, 2.2, 1.5), "cloth")
    return Face(((head,), (pupils,), (closed,), (opened,), (lids,), (ears,), (cap,)))


def duck(weight: Number) -> Face:
    """Draw a duck: round head, big bill, curls of down, a sailor's cap."""
    ears, head, pupils, closed, opened, lids = _parts(weight)
    ears.fill(smooth([(-8, -32), (-16, -39), (-13, -33), (-19, -33), (-13, -27)]), "fur")
    head.fill(
        smooth([(-2, -35), (8, -34.5), (14.5, -26), (14, -14), (10, -4), (6, 1), (-4, 1.5),
                (-9, -3),
                (-14.5, -12), (-15, -24), (-10, -32)]), "fur", depth=3.0,
    )  # fmt: skip
    _eyes(head, pupils, lids, ((0.8, -22.5, 4.8, 8.4), (10, -23, 4.2, 7.8)), skin="fur")
    upper = smooth([(1, -13.5), (7, -17.5), (16, -16), (24, -16.5), (33, -12.6), (32, -9.4),
                    (22, -9),
                    (11, -7.5), (2, -8)])  # fmt: skip
    closed.detail(
        smooth([(3, -9), (12, -8.4), (23, -9.4), (20, -5.2), (9, -3)]), "foot", weight=0.8
    )
    opened.detail(smooth([(2, -9), (12, -8), (24, -7), (27, -1.6), (19, 2.6), (8, 1)]), "throat")
    opened.detail(smooth([(5, 0), (13, 0.6), (26, -3), (25.5, 0.4), (17, 4.4), (8, 3.2)]), "foot")
    opened.fill(ellipse(15, -1.6, 5.6, 2.0, turn=-4), "tongue", outline=False)
    for part in (closed, opened):
        part.detail(upper, "bill", weight=0.85)
        part.line((26, -14.4), (27.6, -14.4), (28.4, -13.4), width=0.7)
        part.line((3, -9.5), (1, -10.5), (0.6, -13), width=0.8)
    cap = Part("hat", weight, label="hat")
    cap.fill(smooth([(-13, -31), (-14.5, -38), (-4, -43.5), (8, -41.5), (11, -34.5), (0, -34)]),
             "cloth", depth=2.2)  # fmt: skip
    cap.fill(smooth([(-12, -30.5), (-11, -34.5), (0, -37), (10, -36), (11.5, -32.4), (0, -32.6)]),
             "white", depth=1.0)  # fmt: skip
    cap.detail(
        smooth([(-12, -31.5), (-18, -30), (-21, -25), (-17, -26), (-16, -23), (-11.5, -29.4)]),
        "black",
    )
    return Face(((ears, head), (pupils,), (closed,), (opened,), (lids,), (cap,)))


def bear(weight: Number) -> Face:
    """Draw a broad bear with small round ears, a light muzzle and a bowler hat."""
    ears, head, pupils, closed, opened, lids = _parts(weight)
    for x in (-16.0, 16.5):
        ears.fill(ellipse(x, -32.5, 7.2, 7.4), "fur", depth=1.8)
        ears.fill(ellipse(x + 0.4, -32, 4.0, 4.2), "face", outline=False)
    head.fill(
        smooth([(0, -37), (11, -35.5), (19.5, -27), (22.5, -15), (19, -5), (9, 1), (-6, 1.5),
                (-18, -4),
                (-22, -14), (-19, -27), (-10, -35.5)]), "fur", depth=3.8,
    )  # fmt: skip
    _eyes(head, pupils, lids, ((-0.6, -24, 4.4, 7.0), (10.4, -24.2, 4.2, 6.8)), skin="fur")
    head.detail(smooth([(-5, -9), (0, -16), (9, -18.5), (18, -16.5), (22.5, -9.5), (17, -3),
                        (7, -0.6),
                        (-2, -3)]), "face", weight=0.8)  # fmt: skip
    head.detail(smooth([(6, -17.5), (11, -19.5), (16.5, -17.5), (14, -13.4), (8.5, -13.4)]), "nose")
    head.flats.append(Flat(ellipse(11.6, -17.8, 2.0, 0.8), "shine"))
    head.line((11, -13.5), (10.9, -11), (10.4, -9.4), width=0.8)
    _mouth(closed, opened, 10.2, -9.6, 7.4, 7.4)
    hat = Part("hat", weight, label="hat")
    hat.fill(smooth([(-9, -36), (-9.5, -46), (-2, -51.5), (7, -51), (12.5, -45), (12, -36)]),
             "accent", depth=3.0)  # fmt: skip
    band = polygon([(-9.4, -41), (12.4, -41), (12.2, -36.6), (-9.2, -36.6)])
    hat.fill(band, "dark", outline=False)
    hat.fill(smooth([(-16, -36.5), (-9, -37), (2, -35.4), (13, -37), (19, -36.5), (14, -33.4),
                     (2, -32.4), (-10, -33.2)]), "accent", depth=1.2)  # fmt: skip
    return Face(((ears, head), (pupils,), (closed,), (opened,), (lids,), (hat,)))


def rabbit(weight: Number) -> Face:
    """Draw a rabbit with long ears, round cheeks, two big teeth and a ribbon."""
    ears, head, pupils, closed, opened, lids = _parts(weight)
    ears.fill(smooth([(-11, -30), (-17, -46), (-19, -62), (-12.5, -70), (-6, -60), (-3, -46),
                      (-1, -33)]),
              "fur", depth=2.2)  # fmt: skip
    ears.fill(smooth([(4, -33), (8, -48), (16, -61), (23.5, -64), (24, -54), (18, -42), (14, -30)]),
              "fur", depth=2.2)  # fmt: skip
    ears.fill(
        smooth([(-9, -37), (-13.5, -50), (-13, -64), (-8.5, -56), (-5.4, -40)]),
        "inner",
        outline=False,
    )
    ears.fill(
        smooth([(8.5, -39), (12.5, -51), (21, -60), (19.5, -50), (13.6, -38)]),
        "inner",
        outline=False,
    )
    head.fill(
        smooth([(0, -36), (10, -34.5), (16.5, -26), (19.5, -15), (18.5, -5.5), (9, 0), (-3, 1),
                (-13, -3),
                (-18, -11), (-15, -24), (-9, -33)]), "fur", depth=3.2,
    )  # fmt: skip
    head.fill(ellipse(-8.5, -9, 3.6, 2.6), "inner", outline=False)
    _eyes(head, pupils, lids, ((0.2, -22.6, 4.6, 8.6), (10.6, -22.8, 4.2, 8.2)), skin="fur")
    opened.detail(
        smooth([(4, -6), (10, -4.6), (15.5, -6.2), (14, 0.6), (10, 2), (6, 0.8)]), "throat"
    )
    opened.fill(ellipse(10, 0.4, 2.8, 1.2), "tongue", outline=False)
    for part in (closed, opened):
        part.detail(smooth([(7.4, -7), (12.8, -7), (12.6, -1.6), (7.8, -1.6)]), "white", weight=0.6)
        part.line((10.2, -6), (10.3, -4), (10.2, -2), width=0.45)
        part.detail(ellipse(5.4, -8.4, 5.6, 4.2, turn=-8), "white", weight=0.7)
        part.detail(ellipse(14.6, -8.8, 5.2, 4.0, turn=8), "white", weight=0.7)
        part.detail(smooth([(7.4, -13.6), (13, -13.8), (10.4, -10.2)]), "nose")
    for rise in (-2.2, 1.6):
        head.line((1, -8), (-6, -9 + rise), (-14, -7.6 + 2 * rise), width=0.5)
    bow = Part("hat", weight, label="hat")
    bow.detail(smooth([(-9, -33), (-18, -39.5), (-20.5, -33), (-18, -27.5)]), "accent", weight=1)
    bow.detail(smooth([(-9, -33), (-3.4, -41), (1.5, -37), (-1, -31)]), "accent", weight=1)
    bow.detail(ellipse(-9, -33, 2.6, 2.8), "cloth")
    return Face(((ears, head), (pupils,), (closed,), (opened,), (lids,), (bow,)))


FACES: dict[str, Callable[[float], Face]] = {
    "cat": cat,
    "mouse": mouse,
    "dog": dog,
    "duck": duck,
    "bear": bear,
    "rabbit": rabbit,
}
