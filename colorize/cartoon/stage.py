"""Set up a shot: every polygon that is drawn, and where each part is in each frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from colorize.cartoon.body import Character, hidden_parts, rig
from colorize.cartoon.camera import View
from colorize.cartoon.drawing import INK, Drawing, Placement
from colorize.cartoon.geometry import ellipse, scaling, translation
from colorize.cartoon.palette import to_bytes
from colorize.cartoon.script import Script
from colorize.cartoon.sets import Plate

# Props slide by this much more than the set when the camera pans.
PROP_PARALLAX = 1.35
# What the shadow on the ground leaves of the light.
SHADOW_GAIN = 0.68


@dataclass(frozen=True)
class State:
    """One frame of a shot: the map of every part to pixels, and which parts are seen."""

    matrices: Float64[np.ndarray, "parts 3 3"]
    shown: Bool[np.ndarray, " parts"]
    gain: float
    white: float

    def same_drawing(self, other: State | None) -> bool:
        """Return whether both frames show the same picture before light and grain."""
        return other is not None and bool(
            np.array_equal(self.matrices, other.matrices)
            and np.array_equal(self.shown, other.shown)
        )


class Sheet:
    """All polygons of a shot, in the order of drawing.

    Operation 0 is the set and part 0 its camera; ``segment`` maps an operation to the segment that
    it paints (0 for the set, whose regions come from its plate), ``part`` to the part it moves
    with, ``color`` to its paint. A ``shadow`` operation darkens what lies below it.
    """

    def __init__(self, plate: Plate) -> None:
        self._points: list[np.ndarray] = []
        self._part, self._segment, self._shadow = [0], [0], [False]
        self._color: list[tuple[int, int, int]] = [(0, 0, 0)]
        self._segments: dict[tuple[str, ...], int] = {}
        self._first_segment = int(plate.regions.max()) + 1
        self.parts = 1

    def add_part(self) -> int:
        """Return the index of a new part."""
        self.parts += 1
        return self.parts - 1

    def add(
        self, points: np.ndarray, part: int, key: tuple[str, ...], color: tuple[int, int, int],
        *, shadow: bool = False,
    ) -> None:  # fmt: skip
        """Append one polygon in the units of its part; equal keys are one segment."""
        self._points.append(points)
        self._part.append(part)
        self._segment.append(
            self._segments.setdefault(key, self._first_segment + len(self._segments))
        )
        self._color.append(color)
        self._shadow.append(shadow)

    def add_drawing(self, drawing: Drawing, owner: str) -> dict[str, int]:
        """Append a drawing, the ink of each group under its fills; return its parts by name."""
        indices = {part.name: self.add_part() for part in drawing.parts}
        ink = to_bytes(drawing.color(INK))
        for group in drawing.groups:
            for part in group:
                for points in part.ink:
                    self.add(points, indices[part.name], (owner, INK), ink)
            for part in group:
                for flat in part.flats:
                    key = (owner, INK) if flat.paint == INK else (owner, part.label, flat.paint)
                    self.add(
                        flat.points, indices[part.name], key, to_bytes(drawing.color(flat.paint))
                    )
        return indices

    def segments_of(self, owner: str) -> frozenset[int]:
        """Return the segments that a drawing paints, its ink too; not its shadow on the ground."""
        return frozenset(
            number
            for (name, *rest), number in self._segments.items()
            if name == owner and rest[0] != "shadow"
        )

    def freeze(self) -> None:
        """Turn the lists into arrays, once all is added."""
        counts = [len(points) for points in self._points]
        self.points: Float64[np.ndarray, "n 2"] = np.concatenate([*self._points, np.zeros((0, 2))])
        self.bounds = np.concatenate([[0], np.cumsum(counts, dtype=int)])
        self.part: Int32[np.ndarray, " ops"] = np.array(self._part, np.int32)
        self.segment: Int32[np.ndarray, " ops"] = np.array(self._segment, np.int32)
        self.color: UInt8[np.ndarray, "ops 3"] = np.array(self._color, np.uint8)
        self.shadow: Bool[np.ndarray, " ops"] = np.array(self._shadow)
        # One number per pair of part and segment: what makes two pixels the same material.
        self.key: Int32[np.ndarray, " ops"] = self.part * (self.segment.max() + 1) + self.segment
        self._owner = np.repeat(self.part[1:], counts)

    def place(self, matrices: Float64[np.ndarray, "parts 3 3"]) -> Float32[np.ndarray, "n 2"]:
        """Return every point in pixels."""
        own = matrices[self._owner]
        moved = np.einsum("nij,nj->ni", own[:, :2, :2], self.points) + own[:, :2, 2]
        return moved.astype(np.float32)


class Stage:
    """A script made ready for the renderer, at one size."""

    def __init__(
        self, script: Script, *, cast: Mapping[str, Character], props: Mapping[str, Drawing],
        plate: Plate, size: tuple[int, int],
    ) -> None:  # fmt: skip
        self.script, self.plate, self.size = script, plate, size
        self._cast = cast
        self.sheet = Sheet(plate)
        self._shadows = [self._add_shadow(actor.name, i) for i, actor in enumerate(script.actors)]
        self._actors = [
            self.sheet.add_drawing(cast[actor.name].drawing, actor.name) for actor in script.actors
        ]
        self._props = [
            next(iter(self.sheet.add_drawing(props[thing.name], thing.name).values()))
            for thing in script.props
        ]
        self.sheet.freeze()

    def _add_shadow(self, name: str, place: int) -> int:
        part = self.sheet.add_part()
        self.sheet.add(
            ellipse(0, 0, 1, 1), part, (name, "shadow", str(place)), (0, 0, 0), shadow=True
        )
        return part

    def view(self, frame: int) -> View:
        """Return where the camera is in a frame."""
        return self.script.move.at(frame / max(self.script.frames - 1, 1))

    def state(self, frame: int) -> State:
        """Return where everything is in a frame."""
        script, view = self.script, self.view(frame)
        camera = view.matrix(self.size)
        matrices = np.tile(camera, (self.sheet.parts, 1, 1))
        shown = np.ones(self.sheet.parts, bool)
        for i, actor in enumerate(script.actors):
            player = self._cast[actor.name]
            pose, root = actor.at(frame, player)
            place: Placement = rig(player, pose, root)
            hidden = hidden_parts(pose)
            for name, part in self._actors[i].items():
                matrices[part] = camera @ place[name]
                shown[part] = name not in hidden
            wide = (0.15 - 0.0015 * pose.lift) * player.build.scale
            spot = translation(root[0, 2], actor.ground) @ scaling(wide, 0.11 * wide)
            matrices[self._shadows[i]] = camera @ spot
        near = view.matrix(self.size, parallax=PROP_PARALLAX, anchor=script.move.start.x)
        for thing, part in zip(script.props, self._props, strict=True):
            matrices[part] = (
                near @ translation(thing.x, thing.ground) @ scaling(thing.size, thing.size)
            )
        return State(matrices, shown, *script.effect.at(frame, script.frames))
