"""The rubber-hose body that all characters share, and how a pose moves it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from colorize.cartoon.drawing import Drawing, Part, Placement
from colorize.cartoon.geometry import (
    Matrix,
    Number,
    Pair,
    Points,
    apply,
    bezier,
    bone,
    capsule,
    ellipse,
    rotation,
    scaling,
    smooth,
    translation,
)
from colorize.cartoon.pose import Pose

HOSE_PIECES = 6


@dataclass(frozen=True)
class Build:
    """Proportions of a character, in character units (100 = grown height, ground at 0).

    ``rise`` lifts the body drawn about ``hip`` further off the ground, on legs of length ``leg``.
    ``head`` and ``girth`` are factors of the drawn head, and of the width of the drawn body.
    """

    hip: Number = -21.0
    shoulder: Number = -45.0
    shoulder_reach: Number = 8.0
    neck: Pair = (2.0, -49.0)
    arm: Number = 25.0
    leg: Number = 27.0
    rise: Number = 7.0
    arm_width: Number = 2.7
    leg_width: Number = 3.1
    hip_reach: Number = 5.0
    tail: Pair | None = None
    tail_length: Number = 34.0
    scale: Number = 1.0
    head: Number = 1.0
    girth: Number = 1.0


@dataclass(frozen=True)
class Character:
    """A drawing with the proportions that pose it."""

    drawing: Drawing
    build: Build


def hose(name: str, length: Number, widths: Pair, paint: str, weight: Number) -> list[Part]:
    """Return a limb of :data:`HOSE_PIECES` pieces that can bend like a hose."""
    edges = np.linspace(*widths, HOSE_PIECES + 1)
    piece = length / HOSE_PIECES
    return [
        Part(f"{name}.{i}", weight, label=name).fill(
            capsule(piece, float(edges[i]), float(edges[i + 1])), paint
        )
        for i in range(HOSE_PIECES)
    ]


def glove(name: str, weight: Number, paint: str = "glove") -> Part:
    """Return a white three-fingered glove; the wrist is the origin and the fingers point to +x."""
    part = Part(name, weight, label=name)
    for x, y, rx, ry, turn in (
        (5.0, -6.2, 4.2, 2.4, -62.0),
        (11.2, -3.6, 4.6, 2.5, -16.0),
        (12.6, 0.4, 4.6, 2.5, 0.0),
        (11.0, 4.2, 4.4, 2.4, 16.0),
        (5.6, 0.4, 6.2, 6.0, 0.0),
    ):
        part.fill(ellipse(x, y, rx, ry, turn=turn), paint)
    part.fill(
        smooth([(-2.2, -4.4), (0.6, -4.8), (1.2, 0), (0.6, 4.8), (-2.2, 4.4)]), paint, depth=0
    )
    part.line((9.6, -1.6), (11, -1.6), (13, -1.4), width=0.5)
    part.line((9.6, 2.4), (11, 2.4), (12.6, 2.6), width=0.5)
    part.line((1.0, -4.4), (2.4, 0), (1.0, 4.4), width=0.5)
    return part


def shoe(name: str, weight: Number) -> Part:
    """Return a big shoe; the ankle is the origin, the sole lies 6 below it, the toe to +x."""
    part = Part(name, weight, label=name)
    upper = smooth(
        [
            (-5.5, 5.5),
            (-6.2, 0.5),
            (-3.5, -3),
            (2.5, -3.2),
            (7, -2),
            (13, -2.6),
            (17.5, 1),
            (17, 5.6),
        ]
    )
    sole = smooth([(-6.4, 4.4), (5, 4.8), (17.6, 4.2), (17.6, 6.6), (5, 7), (-6.4, 6.6)])
    part.fill(upper, "shoe", depth=2.4)
    part.fill(sole, "sole")
    part.flats.append(part.flats.pop(-1))
    part.line((5, -2), (6.4, 1), (5.4, 4.2), width=0.5)
    part.detail(ellipse(12.6, 0.4, 2.4, 1.3, turn=10), "shine", weight=0.0)
    return part


def webbed_foot(name: str, weight: Number) -> Part:
    """Return the flat three-toed foot of a duck, placed like a shoe."""
    part = Part(name, weight, label=name)
    points = smooth(
        [
            (-5, 6.4),
            (-4, 2),
            (0, -1),
            (5, 1),
            (12, 2),
            (17, 4.4),
            (13, 6.6),
            (9, 5.6),
            (5, 7),
            (1, 6),
        ]
    )
    return part.fill(points, "foot", depth=1.4).line((5, 2), (8, 3), (10, 5.4), width=0.5)


def _curve(start: np.ndarray, end: np.ndarray, length: Number, side: Number) -> Points:
    """Return joints of a hose of about constant length, bent to one side where it has slack."""
    chord = end - start
    reach = float(np.hypot(*chord))
    slack = np.sqrt(max(length**2 - reach**2, 0.0)) * 0.75
    across = np.array([-chord[1], chord[0]]) / max(reach, 1e-6)
    bend = (start + end) / 2 + side * slack * across
    return bezier(tuple(start), tuple(bend), tuple(end), HOSE_PIECES + 1)


def _lay(name: str, joints: np.ndarray, length: Number, place: Placement, root: Matrix) -> float:
    """Place the pieces of a hose along ``joints``; return the direction of its end in degrees."""
    for i in range(HOSE_PIECES):
        place[f"{name}.{i}"] = root @ bone(joints[i], joints[i + 1], length / HOSE_PIECES)
    return float(np.rad2deg(np.arctan2(*(joints[-1] - joints[-2])[::-1])))


def _arms(build: Build, pose: Pose, torso: Matrix, place: Placement, root: Matrix) -> None:
    for side, hand, sign in (("front", pose.hand_front, -1), ("back", pose.hand_back, 1)):
        rest = np.array([-sign * build.shoulder_reach * 0.55, build.shoulder])
        start = apply(torso, rest)
        reach = build.arm / 25.0
        joints = _curve(start, start + np.array(hand) * reach, build.arm, 1.0)
        angle = _lay(f"arm_{side}", joints, build.arm, place, root)
        mirror = scaling(1, -1 if side == "back" else 1)
        place[f"hand_{side}"] = root @ translation(*joints[-1]) @ rotation(angle) @ mirror


def _legs(build: Build, pose: Pose, torso: Matrix, place: Placement, root: Matrix) -> None:
    for side, foot, x in (("front", pose.foot_front, 1), ("back", pose.foot_back, -1)):
        start = apply(torso, np.array([x * build.hip_reach * 0.6, build.hip]))
        ankle = np.array([foot[0], -6.0 + foot[1]])
        joints = _curve(start, ankle, build.leg, -1.0)
        _lay(f"leg_{side}", joints, build.leg, place, root)
        place[f"shoe_{side}"] = root @ translation(*ankle) @ rotation(foot[2])


def rig(character: Character, pose: Pose, root: Matrix) -> Placement:
    """Return where every part is when the character stands at ``root`` (character -> world)."""
    build = character.build
    place: Placement = {}
    root = root @ translation(0, -pose.lift) @ scaling(pose.squash, 1 / pose.squash)
    hip = translation(0, pose.bob - build.rise + build.hip)
    torso = hip @ rotation(pose.tilt) @ translation(0, -build.hip)
    _arms(build, pose, torso, place, root)
    _legs(build, pose, torso, place, root)
    place["body"] = root @ torso @ scaling(build.girth, 1)
    head = torso @ translation(*build.neck) @ rotation(pose.nod - 0.5 * pose.tilt)
    head = head @ scaling(build.head, build.head)
    for name in ("head", "hat", "mouth_closed", "mouth_open", "lids"):
        place[name] = root @ head
    place["pupils"] = root @ head @ translation(1.3 * pose.look[0], 1.6 * pose.look[1])
    place["ears"] = (
        root @ head @ translation(0, -30) @ rotation(-4 * pose.sway) @ translation(0, 30)
    )
    if build.tail is not None:
        start = apply(torso, np.array(build.tail))
        tip = (
            start + np.array([-0.62 - 0.1 * pose.sway, -0.5 - 0.22 * pose.sway]) * build.tail_length
        )
        joints = _curve(start, tip, build.tail_length, -1.0 - 0.3 * pose.sway)
        _lay("tail", joints, build.tail_length, place, root)
    return place


def hidden_parts(pose: Pose) -> frozenset[str]:
    """Return the names of replacement parts that this pose does not show."""
    mouth = "mouth_closed" if pose.talk else "mouth_open"
    return frozenset({mouth} if pose.blink else {mouth, "lids"})
