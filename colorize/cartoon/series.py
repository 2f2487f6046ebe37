"""A whole cartoon: a fixed cast on a few recurring sets, shot by shot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from colorize.base.errors import UserError
from colorize.cartoon.body import Character
from colorize.cartoon.cast import SPECIES, character
from colorize.cartoon.drawing import Drawing
from colorize.cartoon.look import LOOKS
from colorize.cartoon.props import SCENE_PROPS, prop
from colorize.cartoon.render import draw, expose, flow, label, segments, visible
from colorize.cartoon.script import Script, write_script
from colorize.cartoon.sets import SCENES, Plate, paint_set
from colorize.cartoon.stage import Stage, State

# Plate pixels for a picture pixel at zoom 1, and the blur that keeps its texture below the band of
# the picture; closer views only magnify it.
_PLATE_DENSITY = 1.3
_PLATE_BLUR = 1.05
_SMALLEST = 16
# First words of seeds, so that no two uses of one series' seed draw the same numbers.
_CAST, _PAINT, _SCRIPT, _GRAIN, _COLORS, _PROPS = range(6)


@dataclass(frozen=True)
class CartoonShot:
    """Everything of one rendered shot, frames in order.

    - ``color``: sRGB pictures, with effects and grain.
    - ``flow``: backward, in pixels (dx, dy): where a pixel of frame t was in frame t-1, minus where
      it is. Frame 0 is all zero. Defined everywhere, also where nothing is visible.
    - ``visible``: the same point is seen in frame t-1. Frame 0 is all False,
    and so is a narrow band
      along moving edges. It is geometric: a fade or flash changes brightness, not visibility.
    - ``segments``: id of the flat fill, or of the region of the set, at each pixel; stable through
      the shot.
    """

    color: UInt8[np.ndarray, "t h w 3"]
    flow: Float32[np.ndarray, "t h w 2"]
    visible: Bool[np.ndarray, "t h w"]
    segments: Int32[np.ndarray, "t h w"]
    scene: str
    characters: tuple[str, ...]


class CartoonSeries:
    """A procedural cartoon, the same for the same seed.

    ``size`` is (height, width) in pixels. ``frames_per_shot`` is a count or an inclusive range.
    ``characters`` of the cast keep their colours in all shots, as do the ``scenes`` sets. ``grain``
    is the deviation of film grain in [0, 1]; ``effects`` puts fades and flashes into some shots.
    Another ``palette_seed`` gives the same drawings in other colours; None takes ``seed``. ``look``
    names the way of drawing (:data:`colorize.cartoon.look.LOOKS`); what happens is the same in all.

    Any shot renders without the others. Sets are painted when first needed, then kept.

    Raises:
        ValueError: A value is out of range.
    """

    def __init__(
        self, *, seed: int, size: tuple[int, int], shots: int,
        frames_per_shot: int | tuple[int, int], characters: int = 3, scenes: int = 4,
        grain: float = 0.0, effects: bool = True, palette_seed: int | None = None,
        look: str = "rubber_hose",
    ) -> None:  # fmt: skip
        low, high = (frames_per_shot,) * 2 if isinstance(frames_per_shot, int) else frames_per_shot
        _require("size", min(size) >= _SMALLEST, size, f"(height, width) of at least {_SMALLEST}")
        _require("seed", seed >= 0, seed, "0 or more")
        _require("shots", shots >= 1, shots, "at least 1")
        _require("frames_per_shot", 1 <= low <= high, frames_per_shot, "at least 1, low to high")
        _require("characters", 1 <= characters <= len(SPECIES), characters, f"1 to {len(SPECIES)}")
        _require("scenes", 1 <= scenes <= len(SCENES), scenes, f"1 to {len(SCENES)}")
        _require("grain", 0 <= grain < 1, grain, "0 to 1")
        self.seed, self.size, self.shots = seed, size, shots
        self.frames_per_shot = (low, high)
        self.grain, self.effects = grain, effects
        self.palette_seed = seed if palette_seed is None else palette_seed
        _require("palette_seed", self.palette_seed >= 0, palette_seed, "0 or more, or None")
        _require("look", look in LOOKS, repr(look), f"one of {', '.join(LOOKS)}")
        self.look = LOOKS[look]
        rng = np.random.default_rng((_CAST, seed))
        self.characters = tuple(SPECIES[i] for i in rng.permutation(len(SPECIES))[:characters])
        self.scenes = tuple(list(SCENES)[i] for i in rng.permutation(len(SCENES))[:scenes])
        colors = (_COLORS, self.palette_seed)
        self._cast: dict[str, Character] = {
            name: character(name, place, colors, self.look)
            for place, name in enumerate(self.characters)
        }
        self._props: dict[str, Drawing] = {
            name: prop(name, (*colors, _PROPS, i), self.look)
            for i, name in enumerate(sorted({n for names in SCENE_PROPS.values() for n in names}))
        }
        self._plates: dict[str, Plate] = {}

    def __len__(self) -> int:
        """Return the number of shots."""
        return self.shots

    def shot(self, index: int) -> CartoonShot:
        """Render shot ``index`` with its flow, visibility and segments.

        Raises:
            IndexError: There is no such shot.
        """
        script, stage = self._stage(index)
        height, width = self.size
        color = np.zeros((script.frames, height, width, 3), np.uint8)
        motion = np.zeros((script.frames, height, width, 2), np.float32)
        seen = np.zeros((script.frames, height, width), bool)
        ids = np.zeros((script.frames, height, width), np.int32)
        before, labels = None, None
        for t, (state, picture) in enumerate(self._pictures(script, stage)):
            color[t] = self._expose(picture, state, index, t)
            if before is not None and labels is not None and state.same_drawing(before):
                ids[t], seen[t] = ids[t - 1], True
                continue
            now = label(stage, state)
            ids[t] = segments(stage, state, now)
            if before is not None and labels is not None:
                motion[t] = flow(stage, before, state, now)
                seen[t] = visible(stage, motion[t], labels, now)
            before, labels = state, now
        names = tuple(actor.name for actor in script.actors)
        return CartoonShot(color, motion, seen, ids, script.scene, names)

    def color(self, index: int) -> UInt8[np.ndarray, "t h w 3"]:
        """Render only the pictures of shot ``index``: the same bytes as ``shot(index).color``.

        Raises:
            IndexError: There is no such shot.
        """
        script, stage = self._stage(index)
        frames = enumerate(self._pictures(script, stage))
        return np.stack([self._expose(picture, state, index, t) for t, (state, picture) in frames])

    def segments_of(self, index: int, name: str) -> frozenset[int]:
        """Return the segments of a character or prop in shot ``index``; none where it is not.

        Raises:
            IndexError: There is no such shot.
        """
        _, stage = self._stage(index)
        return stage.sheet.segments_of(name)

    def script(self, index: int) -> Script:
        """Return what happens in shot ``index``: actors, camera, props, effect.

        Raises:
            IndexError: There is no such shot.
        """
        if not 0 <= index < self.shots:
            raise IndexError(f"shot {index} of a series of {self.shots}: use 0 to {self.shots - 1}")
        return write_script(
            index=index, scene=self.scenes[index % len(self.scenes)],
            cast=tuple(self._cast.values()), frames=self.frames_per_shot,
            aspect=self.size[1] / self.size[0], width=self._plate_width(), effects=self.effects,
            rng=np.random.default_rng((_SCRIPT, self.seed, index)),
        )  # fmt: skip

    def _stage(self, index: int) -> tuple[Script, Stage]:
        script = self.script(index)
        plate = self._plate(script.scene)
        return script, Stage(
            script, cast=self._cast, props=self._props, plate=plate, size=self.size
        )

    def _plate_width(self) -> float:
        return max(2.2, 1.6 * self.size[1] / self.size[0])

    def _plate(self, scene: str) -> Plate:
        if scene not in self._plates:
            place = list(SCENES).index(scene)
            self._plates[scene] = paint_set(
                scene, width=self._plate_width(),
                pixels_per_unit=_PLATE_DENSITY * self.size[0], blur=_PLATE_BLUR,
                drawing=(_PAINT, self.seed, place), palette=(_COLORS, self.palette_seed, place),
                look=self.look,
            )  # fmt: skip
        return self._plates[scene]

    def _pictures(self, script: Script, stage: Stage) -> Iterator[tuple[State, np.ndarray]]:
        """Yield state and picture of each frame; a held drawing is drawn once."""
        before, picture = None, None
        for frame in range(script.frames):
            state = stage.state(frame)
            if picture is None or not state.same_drawing(before):
                picture = draw(stage, state)
            yield state, picture
            before = state

    def _expose(self, picture: np.ndarray, state: State, index: int, frame: int) -> np.ndarray:
        rng = np.random.default_rng((_GRAIN, self.seed, index, frame))
        return expose(picture, state, grain=self.grain, rng=rng)


def _require(option: str, holds: bool, got: object, expected: str) -> None:
    if not holds:
        raise UserError(f"{option} of a cartoon: expected {expected}, got {got}")
