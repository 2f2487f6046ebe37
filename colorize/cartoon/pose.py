"""How a character stands in one drawing, and the cycles that it moves in.

Character units: a grown character is 100 tall, the ground is y = 0, y is down, it faces right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from colorize.cartoon.geometry import Number, Pair


@dataclass(frozen=True)
class Pose:
    """Where the joints of one drawing are, as offsets from the rest position of the model sheet.

    Hands and feet are (x, y) from their shoulder and from the ground under the hip; angles are in
    degrees clockwise. ``squash`` above 1 is flatter and wider at a constant area.
    """

    lift: Number = 0.0
    bob: Number = 0.0
    tilt: Number = 0.0
    nod: Number = 0.0
    squash: Number = 1.0
    hand_front: Pair = (5.0, 20.0)
    hand_back: Pair = (-3.0, 20.0)
    foot_front: tuple[Number, Number, Number] = (5.0, 0.0, 0.0)
    foot_back: tuple[Number, Number, Number] = (-6.0, 0.0, 0.0)
    sway: Number = 0.0
    look: Pair = (0.0, 0.0)
    blink: bool = False
    talk: bool = False


def _wave(phase: Number, shift: Number = 0.0) -> float:
    return float(np.sin(2 * np.pi * (phase + shift)))


def _step(phase: Number, reach: Number, lift: Number) -> tuple[Number, Number, Number]:
    """Return foot x, y and angle at a phase: half a cycle on the ground, half in the air."""
    phase %= 1.0
    if phase < 0.5:
        return reach * (1 - 4 * phase), 0.0, -14.0 * max(0.0, 1 - 8 * phase)
    swing = 2 * phase - 1
    x = -reach * float(np.cos(np.pi * swing))
    return x, -lift * float(np.sin(np.pi * swing)), 42.0 * (1 - swing) ** 2 - 14.0 * swing**3


def walk(phase: Number) -> Pose:
    """Return a jaunty walk; one cycle advances by :data:`STRIDE` units."""
    swing = _wave(phase, 0.2)
    return Pose(
        bob=-2.2 + 2.6 * _wave(2 * phase, 0.1),
        tilt=3.0 + 2.0 * _wave(2 * phase),
        nod=-3.0 * _wave(2 * phase, 0.2),
        hand_front=(-15.0 * swing + 4, 17.0 - 5 * abs(swing)),
        hand_back=(15.0 * swing + 2, 17.0 - 5 * abs(swing)),
        foot_front=_step(phase, STRIDE / 4, 8.0),
        foot_back=_step(phase + 0.5, STRIDE / 4, 8.0),
        sway=_wave(phase),
        squash=1.0 + 0.03 * _wave(2 * phase, 0.35),
    )


def run(phase: Number) -> Pose:
    """Return a run, bent forward with pumping arms; one cycle advances by twice a stride."""
    swing = _wave(phase, 0.2)
    return Pose(
        lift=5.0 * abs(_wave(phase, 0.1)),
        bob=2.0,
        tilt=13.0,
        nod=-8.0 + 3 * _wave(2 * phase),
        hand_front=(-15.0 * swing + 9, 8.0 - 7 * swing),
        hand_back=(15.0 * swing + 9, 8.0 + 7 * swing),
        foot_front=_step(phase, STRIDE / 2.6, 15.0),
        foot_back=_step(phase + 0.5, STRIDE / 2.6, 15.0),
        sway=1.4 * _wave(2 * phase),
        squash=1.0 + 0.05 * _wave(2 * phase, 0.1),
    )


def dance(phase: Number) -> Pose:
    """Return a bouncing dance on the spot, arms and knees in turn."""
    beat, side = abs(_wave(phase)), _wave(phase)
    return Pose(
        bob=5.0 * (1 - beat),
        tilt=7.0 * side,
        nod=9.0 * side,
        squash=1.09 - 0.13 * beat,
        hand_front=(22.0, -8.0 * side),
        hand_back=(-19.0, 12.0 * side - 2),
        foot_front=(8.0 + 3 * side, -9.0 * max(0.0, side), -12.0 * max(0.0, side)),
        foot_back=(-8.0 + 3 * side, -9.0 * max(0.0, -side), 12.0 * max(0.0, -side)),
        sway=1.5 * side,
        talk=beat > 0.7,
    )


def wave(phase: Number) -> Pose:
    """Return a greeting: one arm up, its hand to and fro."""
    side = _wave(2 * phase)
    return Pose(
        bob=1.0 + 1.0 * _wave(phase),
        tilt=-3.0,
        nod=4.0 * _wave(phase),
        hand_front=(23.0 + 3 * side, -10.0 - 5 * side),
        hand_back=(-9.0, 14.0),
        sway=_wave(phase),
        look=(0.6, -0.4),
        talk=side > 0.3,
    )


def talk(phase: Number) -> Pose:
    """Return lively talk with the hands."""
    side = _wave(phase)
    return Pose(
        bob=0.8 * _wave(2 * phase),
        tilt=2.0 * side,
        nod=5.0 * _wave(2 * phase, 0.3),
        hand_front=(17.0 + 2 * side, 5.0 - 7 * side),
        hand_back=(-8.0, 13.0 + 2 * side),
        sway=0.6 * side,
        look=(0.8, 0.0),
        talk=_wave(3 * phase) > -0.2,
    )


def stand(phase: Number) -> Pose:
    """Return breathing, with a look about."""
    side = _wave(phase)
    return Pose(
        bob=0.9 + 0.9 * side,
        nod=2.5 * side,
        hand_front=(9.0, 17.0 + side),
        hand_back=(-8.0, 17.0 - side),
        sway=0.8 * side,
        look=(0.9 * side, 0.2),
    )


def jump(phase: Number) -> Pose:
    """Return crouch, stretched leap and squashed landing, once a cycle."""
    phase %= 1.0
    if phase < 0.25:
        crouch = float(np.sin(np.pi * phase / 0.5))
        return Pose(
            bob=9.0 * crouch,
            squash=1 + 0.16 * crouch,
            hand_front=(6 - 10 * crouch, 16),
            hand_back=(-8 - 6 * crouch, 14),
            look=(0, -1),
        )
    if phase < 0.8:
        air = (phase - 0.25) / 0.55
        height = 4 * air * (1 - air)
        tuck = -6.0 * height
        return Pose(
            lift=23.0 * height,
            squash=1 - 0.12 * abs(1 - 2 * air),
            nod=-6,
            hand_front=(6.0 + 17 * height, 16.0 - 26 * height),
            hand_back=(-8.0 - 11 * height, 14.0 - 28 * height),
            foot_front=(7.0, tuck, 24.0 * (1 - 2 * air)),
            foot_back=(-7.0, tuck - 2, 30.0 * (1 - 2 * air)),
            sway=1.5,
            talk=True,
        )
    land = 1 - (phase - 0.8) / 0.2
    return Pose(
        bob=8.0 * land,
        squash=1 + 0.14 * land,
        hand_front=(6 + 9 * land, 16 - 8 * land),
        hand_back=(-8 - 8 * land, 14 - 7 * land),
        blink=land > 0.5,
    )


# Character units that one walking cycle covers.
STRIDE = 46.0
# Action -> (pose at a phase, cycles a frame, character units advanced a cycle).
ACTIONS: dict[str, tuple[Callable[[float], Pose], float, float]] = {
    "walk": (walk, 1 / 14, STRIDE),
    "run": (run, 1 / 10, 1.54 * STRIDE),
    "dance": (dance, 1 / 16, 0.0),
    "wave": (wave, 1 / 20, 0.0),
    "talk": (talk, 1 / 16, 0.0),
    "stand": (stand, 1 / 24, 0.0),
    "jump": (jump, 1 / 20, 0.0),
}
