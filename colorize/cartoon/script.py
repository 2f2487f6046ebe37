"""What happens in a shot: who plays where, what they do, how the camera moves, which effect."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from colorize.cartoon.body import Character
from colorize.cartoon.camera import Move, View
from colorize.cartoon.geometry import Matrix, Number, scaling, translation
from colorize.cartoon.pose import ACTIONS, Pose
from colorize.cartoon.props import SCENE_PROPS

# World height of 100 character units: a grown character fills over half of the frame.
_UNIT = 0.0056
_KINDS = ("wide", "chase", "close", "pan", "zoom", "stage")
_LIVELY, _QUIET = ("walk", "dance", "jump", "wave", "run"), ("talk", "wave", "stand", "dance")


@dataclass(frozen=True)
class Actor:
    """One character of a shot. ``phase`` is where in its cycle the action starts."""

    name: str
    x: Number
    ground: Number
    facing: int
    action: str
    phase: Number
    blink: int
    on_ones: bool = False

    def at(self, frame: int, character: Character) -> tuple[Pose, Matrix]:
        """Return pose and place (character -> world) in a frame.

        Drawings are on twos. The place too, unless a tracking camera carries the cel along.
        """
        drawn = frame - frame % 2
        cycle, rate, stride = ACTIONS[self.action]
        size = _UNIT * character.build.scale
        pose = cycle(self.phase + rate * drawn)
        if self.blink <= drawn < self.blink + 4:
            pose = replace(pose, blink=True)
        x = self.x + self.facing * stride * rate * size * (frame if self.on_ones else drawn)
        return pose, translation(x, self.ground) @ scaling(self.facing * size, size)

    def speed(self, scale: Number) -> float:
        """Return world units a frame for a character of this scale."""
        _, rate, stride = ACTIONS[self.action]
        return self.facing * stride * rate * _UNIT * scale


@dataclass(frozen=True)
class Thing:
    """A prop in front, at world (x, ground) when the camera is where it starts."""

    name: str
    x: Number
    ground: Number
    size: Number


@dataclass(frozen=True)
class Effect:
    """What changes the light of a frame: picture * gain, then mixed with white."""

    name: str = "none"
    length: int = 0
    start: int = 0

    def at(self, frame: int, frames: int) -> tuple[Number, Number]:
        """Return (gain, white), both 0 to 1, of a frame."""
        if self.name == "fade in" and frame < self.length:
            return (frame + 1) / (self.length + 1), 0.0
        if self.name == "fade out" and frame >= frames - self.length:
            return (frames - frame) / (self.length + 1), 0.0
        if self.name == "flash" and self.start <= frame < self.start + self.length:
            return 1.0, 0.75 * (1 - (frame - self.start) / self.length)
        return 1.0, 0.0


@dataclass(frozen=True)
class Script:
    """Everything that a shot shows, back to front."""

    scene: str
    frames: int
    move: Move
    actors: tuple[Actor, ...]
    props: tuple[Thing, ...]
    effect: Effect


def write_script(
    *, index: int, scene: str, cast: tuple[Character, ...], frames: tuple[int, int],
    aspect: Number, width: Number, effects: bool, rng: np.random.Generator,
) -> Script:  # fmt: skip
    """Invent a shot on ``scene``, a plate of 1 x ``width``, for a frame of this ``aspect``."""
    count = int(rng.integers(frames[0], frames[1] + 1))
    kind = _KINDS[(index + int(rng.integers(2))) % len(_KINDS)]
    room = 2 if kind in ("close", "chase") or aspect < 1.3 else 3
    players = rng.permutation(len(cast))[: int(rng.integers(1, min(room, len(cast)) + 1))]
    names = [cast[i] for i in players]
    x = float(
        rng.uniform(0.5 * aspect + 0.05, max(width - 0.5 * aspect - 0.05, 0.5 * aspect + 0.06))
    )
    if kind == "chase":
        actors, move = _chase(names, x, count, aspect, width, rng)
    else:
        actors = _group(names, x, kind, aspect, rng)
        move = _camera(kind, x, actors, names, aspect, width, rng)
    return Script(scene, count, move, actors, _things(scene, kind, move, aspect, rng),
                  _effect(count, effects, rng))  # fmt: skip


def _group(
    names: list[Character], x: Number, kind: str, aspect: Number, rng: np.random.Generator
) -> tuple[Actor, ...]:
    """Stand the players side by side about ``x``, turned to one another, far ones first."""
    gap = min(0.54 if kind != "close" else 0.47, 0.8 * aspect / len(names))
    actors = []
    for i, character in enumerate(names):
        place = x + gap * (i - (len(names) - 1) / 2) + float(rng.uniform(-0.05, 0.05))
        facing = 1 if place < x or (len(names) == 1 and rng.random() < 0.5) else -1
        actions = _QUIET if kind == "close" else _LIVELY + _QUIET[:1]
        action = str(rng.choice(actions))
        ground = 0.935 - 0.035 * float(rng.random()) - 0.02 * (i % 2)
        back = 0.12 * facing if action in ("walk", "run") else 0.0
        actors.append(Actor(character.drawing.name, place - back, ground, facing, action,
                            float(rng.random()), int(rng.integers(0, 40))))  # fmt: skip
    return tuple(sorted(actors, key=lambda actor: actor.ground))


def _camera(
    kind: str, x: Number, actors: tuple[Actor, ...], names: list[Character],
    aspect: Number, width: Number, rng: np.random.Generator,
) -> Move:  # fmt: skip
    """Choose a camera move that keeps the players in the picture."""
    wide = View(x, 0.55, float(rng.uniform(1.04, 1.16))).within(width, aspect)
    if kind == "close":
        heads = [a.ground - 0.72 * 100 * _UNIT * c.build.scale for a in actors for c in names
                 if c.drawing.name == a.name]  # fmt: skip
        zoom = float(rng.uniform(1.55, 1.85)) if len(actors) == 1 else 1.4
        middle = float(np.mean([actor.x for actor in actors]))
        near = View(middle, float(np.mean(heads)) + 0.06, zoom).within(width, aspect)
        end = View(near.x, near.y, zoom * float(rng.choice([1.0, 1.0, 1.06]))).within(width, aspect)
        return Move("static" if end == near else "push", near, end, eased=False)
    if kind == "zoom":
        near = View(x, 0.60, float(rng.uniform(1.3, 1.5))).within(width, aspect)
        views = (wide, near) if rng.random() < 0.6 else (near, wide)
        return Move("zoom", *views)
    if kind == "pan":
        reach = float(rng.uniform(0.10, 0.22)) * float(rng.choice([-1, 1]))
        start = View(x - reach, 0.55, wide.zoom + 0.06).within(width, aspect)
        end = View(x + reach, 0.58, wide.zoom + 0.06).within(width, aspect)
        return Move("pan", start, end)
    return Move("static", wide, wide)


def _chase(
    names: list[Character], x: Number, frames: int, aspect: Number, width: Number,
    rng: np.random.Generator,
) -> tuple[tuple[Actor, ...], Move]:  # fmt: skip
    """Let the players run or walk one way, with the camera beside the first of them."""
    facing = int(rng.choice([-1, 1]))
    action = str(rng.choice(["run", "walk"]))
    leader = names[0]
    speed = Actor("", 0, 0, facing, action, 0, 0).speed(leader.build.scale)
    zoom = float(rng.uniform(1.08, 1.2))
    half = 0.5 * aspect / zoom
    travel = speed * max(frames - 1, 1)
    low, high = half - min(travel, 0), width - half - max(travel, 0)
    # A short plate ends the pan early: the camera then rests and the runner leaves it behind.
    start_x = float(np.clip(x, low, max(low, high)))
    start = View(start_x, 0.56, zoom).within(width, aspect)
    end = View(start_x + travel, 0.56, zoom).within(width, aspect)
    gap = min(0.50, 0.42 * aspect)
    lead_x = start.x + facing * 0.25 * gap * (len(names) - 1)
    actors = tuple(
        Actor(character.drawing.name, lead_x - facing * gap * i, 0.93 - 0.02 * i, facing, action,
              float(rng.random()), int(rng.integers(0, 40)), on_ones=True)
        for i, character in enumerate(names)
    )  # fmt: skip
    return actors[::-1], Move("track", start, end, eased=False)


def _things(
    scene: str, kind: str, move: Move, aspect: Number, rng: np.random.Generator
) -> tuple[Thing, ...]:
    """Put a prop before the players in some shots, towards a side of the picture."""
    if kind == "close" or rng.random() < 0.35:
        return ()
    name = str(rng.choice(SCENE_PROPS[scene]))
    side = float(rng.choice([-1, 1]))
    x = move.start.x + side * float(rng.uniform(0.24, 0.40)) * aspect / move.start.zoom
    return (Thing(name, x, 1.03, float(rng.uniform(0.0068, 0.0082))),)


def _effect(frames: int, effects: bool, rng: np.random.Generator) -> Effect:
    """Choose a fade or a flash for about one shot in three."""
    name = str(rng.choice(["none", "none", "none", "none", "fade in", "fade out", "flash"]))
    length = 3 if name == "flash" else min(5, max(frames // 2, 1))
    start = int(rng.integers(1, max(frames - 3, 2)))
    return Effect(name, length, start) if effects else Effect()
