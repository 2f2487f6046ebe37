"""Draw by hand, procedurally: shaky strokes of a pen that presses harder and softer, on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

_FINER = 4  # strokes are drawn this many times larger, then averaged down


@dataclass(frozen=True, kw_only=True)
class Hand:
    """How one person draws. Lengths are in fractions of the sheet's side.

    ``width`` is of the pen, ``pressure`` how much it varies along a stroke (0 … 1), ``shake`` how
    far a stroke strays, ``waves`` how often, ``gap`` how far closed curves miss or overshoot their
    start. ``ink`` and ``paper`` are gray levels 0 … 255, ``grain`` the paper's noise in levels.
    ``tilt`` is in degrees; ``size`` scales all that this person draws.
    """

    width: float
    pressure: float
    shake: float
    waves: float
    gap: float
    ink: float
    paper: float
    grain: float
    tilt: float
    size: float


def draw_hand(random: np.random.Generator) -> Hand:
    """Return a person's way to draw."""
    return Hand(
        width=random.uniform(0.008, 0.03),
        pressure=random.uniform(0.1, 0.6),
        shake=random.uniform(0.003, 0.012),
        waves=random.uniform(2, 7),
        gap=random.uniform(-0.25, 0.35),
        ink=random.uniform(10, 110),
        paper=random.uniform(205, 250),
        grain=random.uniform(2, 9),
        tilt=random.uniform(-8, 8),
        size=random.uniform(0.85, 1.1),
    )


class Sheet:
    """Square paper of ``side`` pixels on which ``hand`` draws; coordinates are 0 … 1, y downward.

    ``pose`` is an affine map ``2 3`` that everything drawn is placed by.
    """

    def __init__(
        self,
        *,
        side: int,
        hand: Hand,
        random: np.random.Generator,
        pose: Float[np.ndarray, "2 3"],
    ) -> None:
        self.side, self.hand, self.random, self.pose = side, hand, random, pose
        self._ink = np.zeros((side * _FINER, side * _FINER), np.float32)

    def curve(self, points: Float[np.ndarray, "n 2"], *, width: float = 1.0) -> None:
        """Draw a shaky line through ``points`` (x, y); ``width`` multiplies the pen's."""
        path = self._shaky(_dense(points)) @ self.pose[:, :2].T + self.pose[:, 2]
        scale = self.side * _FINER
        press = 1 + self.hand.pressure * self._wave(len(path), 1.5)
        # Pens start and end thin.
        along = np.linspace(0, 1, len(path))
        ends = np.minimum(1, 0.45 + 4 * np.minimum(along, 1 - along))
        radii = 0.5 * width * self.hand.width * press * ends * scale
        places = (path * scale * 16).round().astype(int).tolist()  # in sixteenths of a pixel
        for here, there, radius in zip(places, places[1:], radii.tolist(), strict=False):
            cv2.line(self._ink, here, there, 1.0, max(1, round(2 * radius)), shift=4)

    def loop(self, centre: Sequence[float], radii: Sequence[float], *, fill: bool = False) -> None:
        """Draw an ellipse that does not quite close, or closes twice; ``fill`` blackens it."""
        start = self.random.uniform(0, 2 * np.pi)
        end = start + 2 * np.pi + self.hand.gap * self.random.uniform(0.2, 1.0)
        self.arc(centre, radii, (start, end))
        if fill:
            self._hatch(centre, radii)

    def arc(
        self, centre: Sequence[float], radii: Sequence[float], angles: tuple[float, float]
    ) -> None:
        """Draw part of an ellipse; angles in radians, clockwise from the right."""
        turns = np.linspace(*angles, 40)
        x = centre[0] + radii[0] * np.cos(turns)
        y = centre[1] + radii[1] * np.sin(turns)
        self.curve(np.stack([x, y], 1))

    def _hatch(self, centre: Sequence[float], radii: Sequence[float]) -> None:
        """Blacken an ellipse by a zigzag, as one does with a pen."""
        rows = max(4, round(2 * radii[1] / (0.9 * self.hand.width)))
        levels = np.linspace(-0.9, 0.9, rows)
        reach = np.sqrt(1 - levels**2) * np.where(np.arange(rows) % 2, 0.9, -0.9)
        x = centre[0] + radii[0] * reach
        y = centre[1] + radii[1] * levels
        self.curve(np.stack([x, y], 1))

    def scan(self) -> UInt8[np.ndarray, "side side"]:
        """Return the drawing as a scanner sees it: uneven light, grain, ink that is not black."""
        hand, random = self.hand, self.random
        ink = cv2.resize(self._ink, (self.side, self.side), interpolation=cv2.INTER_AREA)
        coarse = random.normal(0, 1, (4, 4)).astype(np.float32)
        light = cv2.resize(coarse, (self.side, self.side), interpolation=cv2.INTER_CUBIC)
        fine = random.normal(0, 1, (self.side, self.side))
        paper = hand.paper + 4 * light + hand.grain * cv2.GaussianBlur(fine, (0, 0), 0.6)
        # Pencil and pen catch the grain of the paper.
        rough = cv2.GaussianBlur(random.normal(0, 1, fine.shape), (0, 0), 0.7)
        tooth = 1 - 0.35 * np.clip(rough, 0, 1)
        level = paper + (hand.ink - paper) * ink * tooth
        return np.clip(level.round(), 0, 255).astype(np.uint8)

    def _shaky(self, path: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Let a path stray smoothly, more on long ones."""
        length = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
        far = self.hand.shake * min(1.5, 0.4 + length)
        waves = max(1.0, self.hand.waves * length)
        strays = [self._wave(len(path), waves) for _ in range(2)]
        return path + far * np.stack(strays, 1)

    def _wave(self, count: int, waves: float) -> Float[np.ndarray, " n"]:
        """Return smooth random values of about -1 … 1 along a path."""
        knots = self.random.normal(0, 0.6, max(4, round(2 * waves) + 2))
        places = np.linspace(0, len(knots) - 1, count)
        window = np.hanning(9) / np.hanning(9).sum()
        padded = np.pad(np.interp(places, range(len(knots)), knots), 4, "edge")
        return np.convolve(padded, window, "valid")


def pose(*, angle: float, factor: float, offset: tuple[float, float]) -> Float[np.ndarray, "2 3"]:
    """Return the map that turns (degrees) and scales about the sheet's centre, then shifts."""
    cosine, sine = np.cos(np.radians(angle)) * factor, np.sin(np.radians(angle)) * factor
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shift = np.array(offset) + 0.5 - turn @ np.array([0.5, 0.5])
    return np.concatenate([turn, shift[:, None]], axis=1)


def _dense(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """Return points along a line, close enough for round pens to join."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.linspace(0, along[-1], max(12, int(along[-1] * 90)))
    return np.stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)], 1)
