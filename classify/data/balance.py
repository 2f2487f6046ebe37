"""Fill up rare classes with varied copies of their pictures: turned, shifted, scaled."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from classify.data.entries import DataError
from classify.data.examples import Examples
from colorize.base.errors import UserError, did_you_mean


class Balance:
    """Synthesise pictures of class ``rare`` until it has as many as class ``like``.

    ``None`` stands for the class with the fewest, and with the most pictures. Each new picture is
    a random one of the class, turned by up to ``rotation`` degrees, shifted by up to ``shift`` of
    its sides and scaled by up to ``scale``, all by ``seed``; edges are repeated outwards.

    Source: bachelor thesis "Emotion recognition by a CNN", section 2.3: "disgust" up to the count
    of "surprise". Differs: only ever applied to the training part (:class:`classify.data.Split`).
    """

    def __init__(
        self,
        *,
        rare: str | None = None,
        like: str | None = None,
        rotation: float = 10.0,
        shift: float = 0.1,
        scale: float = 0.1,
        seed: int = 0,
    ) -> None:
        if min(rotation, shift, scale) < 0 or max(shift, scale) >= 1:
            raise UserError(
                f"balance: rotation, shift and scale are {rotation}, {shift}, {scale}: expected "
                "degrees, and fractions of 0 or more below 1"
            )
        self.rare, self.like = rare, like
        self.rotation, self.shift, self.scale = rotation, shift, scale
        self.seed = seed

    def __call__(self, examples: Examples) -> Examples:
        """Return the examples, followed by the synthesised ones.

        Raises:
            DataError: There is no such class, or it has no picture to vary.
        """
        counts = examples.counts()
        rare = self._class("rare", self.rare or min(counts, key=lambda name: counts[name]), counts)
        like = self._class("like", self.like or max(counts, key=lambda name: counts[name]), counts)
        if counts[rare] == 0:
            raise DataError(f"balance.rare: class {rare!r} has no picture to vary")
        own = np.flatnonzero(examples.labels == examples.classes.index(rare))
        count = max(0, counts[like] - len(own))
        random = np.random.default_rng([*b"balance", self.seed])
        chosen = np.concatenate([np.arange(len(examples)), random.choice(own, count)])
        more = examples.take(chosen)
        seeds = np.concatenate([examples.variants, random.integers(1, 2**62, count)])
        render = partial(vary, rotation=self.rotation, shift=self.shift, scale=self.scale)
        return replace(more, variants=seeds, render=render)

    def _class(self, option: str, name: str, counts: dict[str, int]) -> str:
        if name not in counts:
            raise DataError(f"balance.{option} is {name!r}{did_you_mean(name, counts)}")
        return name


def vary(
    picture: UInt8[np.ndarray, "c h w"],
    seed: int,
    *,
    rotation: float,
    shift: float,
    scale: float,
) -> UInt8[np.ndarray, "c h w"]:
    """Return a picture turned, shifted and scaled at random by ``seed``; edges are repeated."""
    random = np.random.default_rng(seed)
    height, width = picture.shape[1:]
    matrix = placement(
        (height, width),
        angle=random.uniform(-rotation, rotation),
        offset=(random.uniform(-shift, shift) * width, random.uniform(-shift, shift) * height),
        factor=1 + random.uniform(-scale, scale),
    )
    planes = [
        cv2.warpAffine(
            plane, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        for plane in picture
    ]
    return np.stack(planes).astype(np.uint8)


def placement(
    size: tuple[int, int], *, angle: float, offset: tuple[float, float], factor: float
) -> Float[np.ndarray, "2 3"]:
    """Return the affine map that turns (degrees, counter-clockwise), scales and shifts (x, y).

    The centre of the picture, in pixel centres, is what it turns about.
    """
    height, width = size
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, factor)
    matrix[:, 2] += np.asarray(offset)
    return np.asarray(matrix, dtype=np.float64)
