"""Shoot a stage: pictures, and the true flow, visibility and segments that belong to them.

Everything drawn moves by one affine map per part and frame, so the flow at a pixel p is
T[t-1](T[t]^-1(p)) - p with the map T of the part on top there. Pictures are drawn at several
samples a pixel and averaged; labels are taken at pixel centres.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from colorize.cartoon.stage import SHADOW_GAIN, Stage, State

_SHIFT = 4
# Neighbours of a source point matter when their bilinear weight along an axis is over this.
_NEGLIGIBLE = 0.2
_REACH = 0.5 - _NEGLIGIBLE


@dataclass(frozen=True)
class Labels:
    """Which operation of the sheet is on top: at every sample, at pixel centres, and where alone.

    ``pure``: all samples of the pixel show one segment (or the set), so that no edge crosses it.
    """

    samples: Int32[np.ndarray, "H W"]
    centre: Int32[np.ndarray, "h w"]
    pure: Bool[np.ndarray, "h w"]


def samples_per_side(size: tuple[int, int]) -> int:
    """Return how many samples a side a pixel has: odd, so that one lies at its centre."""
    return 5 if min(size) < 100 else 3


def _canvas_points(stage: Stage, state: State, samples: int) -> list[np.ndarray]:
    """Return the polygons of all operations in fixed-point canvas coordinates."""
    pixels = stage.sheet.place(state.matrices)
    fixed = np.round(((pixels + 0.5) * samples - 0.5) * 2**_SHIFT).astype(np.int32)
    return np.split(fixed, stage.sheet.bounds[1:-1])


def _plate_to_canvas(stage: Stage, state: State, samples: int) -> Float64[np.ndarray, "2 3"]:
    """Return the map from canvas samples to plate pixels."""
    plate = np.array([[1 / stage.plate.scale, 0, 0.5 / stage.plate.scale],
                      [0, 1 / stage.plate.scale, 0.5 / stage.plate.scale], [0, 0, 1]])  # fmt: skip
    canvas = np.array([[samples, 0, (samples - 1) / 2], [0, samples, (samples - 1) / 2], [0, 0, 1]])
    return np.linalg.inv(canvas @ state.matrices[0] @ plate)[:2]


def _shade(canvas: np.ndarray, points: np.ndarray) -> None:
    """Darken what a shadow's polygon covers."""
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(mask, [points], 255, cv2.LINE_8, _SHIFT)
    x, y, width, height = cv2.boundingRect(mask)
    window = canvas[y : y + height, x : x + width]
    if window.size:
        dark = cv2.convertScaleAbs(window, alpha=SHADOW_GAIN)
        cv2.copyTo(dark, mask[y : y + height, x : x + width], window)


def draw(stage: Stage, state: State) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture of a frame, without effects and grain."""
    height, width = stage.size
    samples = samples_per_side(stage.size)
    canvas = cv2.warpAffine(
        stage.plate.picture, _plate_to_canvas(stage, state, samples),
        (width * samples, height * samples), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    sheet = stage.sheet
    for i, points in enumerate(_canvas_points(stage, state, samples), start=1):
        if not state.shown[sheet.part[i]]:
            continue
        if sheet.shadow[i]:
            _shade(canvas, points)
        else:
            cv2.fillPoly(canvas, [points], sheet.color[i].tolist(), cv2.LINE_8, _SHIFT)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def _all_samples(first: np.ndarray, second: np.ndarray, n: int) -> np.ndarray:
    """Return per pixel whether all its n x n samples are equal in both arrays."""
    equal = first == second
    result = equal[::n, ::n].copy()
    for i in range(n):
        for j in range(n):
            result &= equal[i::n, j::n]
    return result


def label(stage: Stage, state: State) -> Labels:
    """Return what is on top in a frame, from the same polygons as :func:`draw`."""
    height, width = stage.size
    n = samples_per_side(stage.size)
    samples = np.zeros((height * n, width * n), np.int32)
    sheet = stage.sheet
    for i, points in enumerate(_canvas_points(stage, state, n), start=1):
        if state.shown[sheet.part[i]]:
            cv2.fillPoly(samples, [points], i, cv2.LINE_8, _SHIFT)
    centre = samples[n // 2 :: n, n // 2 :: n].copy()
    looks = sheet.segment[samples]
    alike = cv2.resize(
        looks[n // 2 :: n, n // 2 :: n], looks.shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    pure = _all_samples(looks, alike, n)
    return Labels(samples, centre, pure)


def segments(stage: Stage, state: State, labels: Labels) -> Int32[np.ndarray, "h w"]:
    """Return segment ids: regions of the set, then the fills of the drawings."""
    inverse = _plate_to_canvas(stage, state, 1)
    regions = cv2.warpAffine(
        stage.plate.regions.astype(np.float32), inverse, stage.size[::-1],
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.where(
        labels.centre == 0, regions.astype(np.int32), stage.sheet.segment[labels.centre]
    )


def flow(stage: Stage, before: State, state: State, labels: Labels) -> Float32[np.ndarray, "h w 2"]:
    """Return backward flow in pixels: where the point of each pixel was, minus where it is."""
    back = before.matrices @ np.linalg.inv(state.matrices) - np.eye(3)
    # Maps of parts that did not move are exactly zero, not a rounding error.
    still = np.all(before.matrices == state.matrices, axis=(1, 2))
    back[still] = 0
    # A shadow moves with its caster, but what is seen in it is the set.
    part = np.where(stage.sheet.shadow, 0, stage.sheet.part)
    own = back[part, :2].astype(np.float32)[labels.centre]
    x = np.arange(stage.size[1], dtype=np.float32)[None, :, None]
    y = np.arange(stage.size[0], dtype=np.float32)[:, None, None]
    return own[..., 0] * x + own[..., 1] * y + own[..., 2]


def visible(
    stage: Stage, motion: Float32[np.ndarray, "h w 2"], before: Labels, labels: Labels
) -> Bool[np.ndarray, "h w"]:
    """Return where the point of a pixel was seen in the frame before, on the same part.

    Pixels that an edge crosses, here or among the four that surround the source, count as not
    visible: a narrow band along outlines. A pixel that rests (zero flow) is visible when all of its
    samples show what they showed, edges included.
    """
    height, width = stage.size
    n = labels.samples.shape[0] // height
    x = np.arange(width, dtype=np.float32)[None] + motion[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + motion[..., 1]
    seen = labels.pure & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    # Both corners per axis whose bilinear weight is more than _NEGLIGIBLE; often one and the same.
    columns = [np.round(x + side).astype(np.int32) for side in (-_REACH, _REACH)]
    rows = [np.round(y + side).astype(np.int32) for side in (-_REACH, _REACH)]
    look = np.where(before.pure, stage.sheet.key[before.centre], -1)
    here = stage.sheet.key[labels.centre]
    for row in rows:
        for column in columns:
            seen &= look[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)] == here
    rests = ~motion.any(-1)
    same = _all_samples(labels.samples, before.samples, n)
    return np.where(rests, same, seen)


def expose(
    picture: UInt8[np.ndarray, "h w 3"], state: State, *, grain: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture in the light of its frame, on film with ``grain`` (deviation of luma)."""
    if state.gain == 1 and state.white == 0 and grain == 0:
        return picture
    light = picture.astype(np.float32) * (state.gain * (1 - state.white)) + 255 * state.white
    if grain > 0:
        speckle = rng.standard_normal(picture.shape[:2], dtype=np.float32)
        clumps = cv2.GaussianBlur(speckle, (0, 0), 0.6)
        light += (255 * grain / clumps.std() * clumps)[..., None]
    return np.clip(np.round(light), 0, 255).astype(np.uint8)
