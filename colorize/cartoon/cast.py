"""The cast: model sheets of the animals, put together from bodies, faces and clothes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from colorize.cartoon.body import Build, Character, glove, hose, shoe, webbed_foot
from colorize.cartoon.drawing import INK, Drawing, Part
from colorize.cartoon.faces import FACES, Face
from colorize.cartoon.geometry import Number, Points, above, below, ellipse, smooth
from colorize.cartoon.look import INK_COLOR, PLAIN, Look
from colorize.cartoon.palette import Color, mix, tone

# Ink of 1.15 character units at scale 1, whatever the size of the character.
_INK_WEIGHT = 1.15

BUILDS = {
    "cat": Build(tail=(-9, -24), tail_length=40),
    "mouse": Build(
        hip=-18, shoulder=-38, neck=(2, -41), leg=23.5, rise=6, arm=21, arm_width=2.2,
        leg_width=2.5,
        tail=(-8, -20), tail_length=44, scale=0.68,
    ),
    "dog": Build(
        hip=-24, shoulder=-50, neck=(3, -55), leg=29, rise=6, arm=26, tail=(-8, -27), tail_length=22
    ),
    "duck": Build(
        hip=-15, shoulder=-37, shoulder_reach=9, neck=(5, -43), leg=18.5, rise=5, arm=20,
        leg_width=2.2,
        hip_reach=6, scale=0.86,
    ),
    "bear": Build(
        hip=-17, shoulder=-50, shoulder_reach=14, neck=(3, -57), leg=20, rise=5, arm=27,
        arm_width=4.4,
        leg_width=5.4, hip_reach=9, scale=1.12,
    ),
    "rabbit": Build(
        hip=-23, shoulder=-46, neck=(2, -50), leg=30, rise=8, arm=24, tail=None, scale=0.94
    ),
}  # fmt: skip

# Luma of the fur (the drawing's own) and the (hue, strength) pairs that a palette may choose from.
_FURS: dict[str, tuple[float, tuple[tuple[Number, Number], ...]]] = {
    "cat": (0.46, ((212, 0.34), (24, 0.80), (268, 0.24), (330, 0.22))),
    "mouse": (0.50, ((24, 0.52), (208, 0.20), (38, 0.55), (350, 0.30))),
    "dog": (0.70, ((36, 0.62), (22, 0.50), (48, 0.70), (205, 0.25))),
    "duck": (0.90, ((50, 0.25), (52, 0.95), (200, 0.35), (345, 0.35))),
    "bear": (0.34, ((24, 0.62), (14, 0.50), (220, 0.30), (34, 0.70))),
    "rabbit": (0.78, ((330, 0.30), (40, 0.30), (195, 0.28), (265, 0.30))),
}
_CLOTH_LUMA = {"cat": 0.40, "mouse": 0.42, "dog": 0.44, "duck": 0.41, "bear": 0.50, "rabbit": 0.46}


def _paints(name: str, place: int, rng: np.random.Generator, look: Look) -> dict[str, Color]:
    """Return every paint of a character; ``place`` is its place in the cast."""
    luma, own = _FURS[name]
    furs, wheel = look.furs or own, look.wheel
    fur = tone(luma, *furs[int(rng.integers(len(furs)))])
    hue = wheel[place % len(wheel)] + float(rng.uniform(-9, 9))
    accent = wheel[(place + 2) % len(wheel)] + float(rng.uniform(-9, 9))
    cloth = _CLOTH_LUMA[name]
    paints = {
        INK: INK_COLOR,
        "fur": fur,
        "dark": mix(fur, tone(0.10, 20, 0.4), 0.62),
        "face": mix(fur, tone(0.90, 34, 0.60), 0.78),
        "glove": tone(0.955, 50, 0.18),
        "white": tone(0.97, 50, 0.10),
        "black": tone(0.065, 230, 0.30),
        "nose": tone(0.16, 350, 0.30) if name in ("dog", "bear") else tone(0.46, 352, 0.62),
        "inner": tone(0.68, 352, 0.48),
        "tongue": tone(0.50, 356, 0.70),
        "throat": tone(0.20, 350, 0.75),
        "bill": tone(0.66, 34, 0.98),
        "foot": tone(0.62, 30, 0.95),
        "cloth": tone(cloth, hue, 0.80),
        "accent": tone(0.66, accent, 0.72),
        "button": tone(0.80, 50, 0.95),
        "shoe": tone(0.36, (24, 8, 215, 40)[int(rng.integers(4))], 0.62),
        "sole": tone(0.22, 24, 0.5),
        "shine": tone(0.70, 34, 0.40),
    }
    return look.paints(paints, INK)


def _torso(name: str) -> Points:
    """Return the outline of the body, from hip to neck."""
    if name == "bear":
        return smooth(
            [(-9, -57), (8, -58), (15, -50), (21, -35), (20, -20), (10, -12), (-8, -12), (-18, -19),
             (-19, -34), (-15, -50)]
        )  # fmt: skip
    if name == "duck":
        return smooth(
            [(-1, -45), (8, -45), (14, -36), (15, -24), (9, -14), (-4, -12), (-14, -16), (-27, -25),
             (-24, -27), (-25.5, -31), (-20, -30.5), (-19, -35), (-13, -31), (-6, -37)]
        )  # fmt: skip
    shrink = {"mouse": 0.82, "dog": 1.06, "rabbit": 0.98}.get(name, 1.0)
    body = smooth(
        [(-5, -50), (6, -50.5), (9.5, -44), (13, -32), (12, -21), (6, -16), (-4, -16), (-11, -21),
         (-11, -32), (-8.5, -44)]
    )  # fmt: skip
    return body * (1.0, shrink) if name != "mouse" else body * (0.9, shrink)


def _dress(part: Part, name: str, torso: Points) -> None:
    """Put clothes on a body: cut from its own outline, so that they follow it."""
    grown = torso * (1.05, 1.0)
    if name == "cat":
        part.fill(ellipse(3.5, -33, 6.5, 12.5), "face", depth=1.5, outline=False)
        part.detail(smooth([(3, -47.5), (-4, -51.5), (-5.5, -45), (-4, -42.5)]), "cloth")
        part.detail(smooth([(3, -47.5), (10.5, -51), (12, -45), (10, -42.5)]), "cloth")
        part.detail(ellipse(3, -47, 2.3, 2.5), "accent")
    elif name == "mouse":
        part.fill(below(grown, -25), "cloth", depth=2.4)
        for x in (0.5, 6.5):
            part.detail(ellipse(x, -20.5, 1.9, 2.4), "button")
    elif name == "dog":
        part.fill(above(grown, -26), "cloth", depth=2.6)
        for y in (-33.0, -41.0):
            band = above(below(grown, y - 2.2), y + 2.2)
            part.fill(band, "accent", depth=2.6, outline=False)
        part.fill(smooth([(-5, -56), (7, -56.5), (8.5, -52), (-6.5, -51.5)]), "cloth", depth=1.5)
    elif name == "duck":
        part.fill(above(below(grown, -46), -24) * (0.93, 1) + (0.8, 0), "cloth", depth=2.6)
        collar = smooth([(-6, -42), (4, -44), (13, -41), (12, -35), (5.5, -31), (-3, -35)])
        part.detail(collar, "white")
        part.detail(
            smooth([(5, -35), (1, -31), (2.5, -26), (6, -31), (9, -26.5), (10, -31)]), "accent"
        )
    elif name == "bear":
        part.fill(ellipse(4, -33, 11, 15), "face", depth=2.0, outline=False)
        vest = above(below(grown, -52), -21)
        part.fill(vest, "cloth", depth=3.0)
        part.detail(smooth([(0, -56), (11, -54), (13, -38), (9, -22), (3, -21), (0, -36)]), "face")
        for y in (-30.0, -39.0):
            part.detail(ellipse(-2.5, y, 1.6, 1.6), "button")
    else:
        part.fill(below(grown, -31), "cloth", depth=2.6)
        part.detail(smooth([(-1, -42), (9, -42.5), (10.5, -30), (-2.5, -30)]), "cloth")
        part.line((-1, -41), (-5, -46), (-5.5, -50), width=2.4, taper=0.9)
        part.line((9, -41), (10.5, -45), (7.5, -50), width=2.4, taper=0.9)
        part.detail(ellipse(4, -36, 3.4, 3.0), "accent")


def _draw(
    name: str, place: int, seeds: tuple[int, ...], weight: Number, build: Build, look: Look
) -> Drawing:
    """Return the model sheet of one animal."""
    # The head is drawn at its own scale, and its line with it.
    face: Face = FACES[name](weight / build.head)
    limb = "fur" if name != "dog" else "cloth"
    leg = {"duck": "foot", "rabbit": "cloth", "mouse": "fur"}.get(name, "fur")
    foot: Callable[[str, float], Part] = webbed_foot if name == "duck" else shoe
    arms = (build.arm_width * 1.15, build.arm_width)
    legs = (build.leg_width * 1.1, build.leg_width)
    torso = _torso(name)
    body = Part("body", weight, label="body").fill(torso, "fur", depth=3.2)
    _dress(body, name, torso)
    groups: list[tuple[Part, ...]] = []
    if build.tail is not None:
        widths = (2.6, 3.1) if name == "cat" else (1.4, 0.8) if name == "mouse" else (2.4, 1.5)
        tail = "inner" if name == "mouse" else "fur"
        groups.append(tuple(hose("tail", build.tail_length, widths, tail, weight)))
    sleeve = "cloth" if name == "duck" else limb
    groups.append(tuple(hose("arm_back", build.arm, arms, sleeve, weight)))
    groups.append((glove("hand_back", weight),))
    for side in ("back", "front"):
        groups.append(tuple(hose(f"leg_{side}", build.leg, legs, leg, weight)))
        groups.append((foot(f"shoe_{side}", weight),))
    groups += [(body,), *face.groups]
    groups.append(tuple(hose("arm_front", build.arm, arms, sleeve, weight)))
    groups.append((glove("hand_front", weight),))
    rng = np.random.default_rng((*seeds, place))
    return Drawing(name=name, groups=tuple(groups), paints=_paints(name, place, rng, look))


def character(name: str, place: int, palette: tuple[int, ...], look: Look = PLAIN) -> Character:
    """Return the animal ``name`` as the ``place``-th of a cast, coloured from ``palette`` seeds."""
    build = look.build(BUILDS[name])
    weight = look.weight * _INK_WEIGHT / build.scale
    return Character(_draw(name, place, palette, weight, build, look), build)


SPECIES = tuple(BUILDS)
