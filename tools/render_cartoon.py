"""Render a procedural cartoon, to look at or to train on.

``-o film.mp4`` writes all shots as one film; ``-o FOLDER`` a folder of PNG frames a shot; ``-o
strip.png`` one row a shot of ``--columns`` frames. ``--show`` sets the true flow (hue: direction,
vividness: speed, black: not visible in the frame before) or the segments beside every picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from colorize.base.errors import one_line_errors
from colorize.base.progress import tracked
from colorize.base.terminal import terminal
from colorize.cartoon import CartoonSeries, CartoonShot
from colorize.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES, write_video


def main() -> None:
    """Render what the command line asks for."""
    options = _parse()
    with one_line_errors(), terminal():
        series = CartoonSeries(
            seed=options.seed,
            size=tuple(options.size),
            shots=options.shots,
            frames_per_shot=options.frames,
            characters=options.characters,
            scenes=options.scenes,
            grain=options.grain,
            effects=not options.no_effects,
            palette_seed=options.palette_seed,
        )
        _write(options, _rendered(series, options))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, help="film, folder of frames, or one picture")
    add("--seed", type=int, default=0, help="which series (default 0)")
    add("--palette-seed", type=int, help="the same drawings in other colours")
    add("--size", type=int, nargs=2, default=(360, 640), metavar=("HEIGHT", "WIDTH"))
    add("--shots", type=int, default=8, help="length of the series in shots (default 8)")
    add("--only", type=int, nargs="+", metavar="SHOT", help="render these shots, from 0")
    add("--frames", type=int, default=24, help="frames a shot (default 24)")
    add("--characters", type=int, default=3)
    add("--scenes", type=int, default=4)
    add("--grain", type=float, default=0.0, help="film grain, 0 to 1 (default none)")
    add("--no-effects", action="store_true", help="no fades and flashes")
    add("--show", nargs="+", choices=("flow", "segments"), default=(), help="set beside the frames")
    add("--columns", type=int, default=4, help="frames a row of a strip (default 4)")
    options = parser.parse_args()
    if any(not 0 <= shot < options.shots for shot in options.only or ()):
        parser.error(f"--only: expected shots of 0 to {options.shots - 1}, got {options.only}")
    return options


def _rendered(
    series: CartoonSeries, options: argparse.Namespace
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield number and frames (t h w 3) of each shot that is asked for."""
    for index in tracked(options.only or range(len(series)), "drawing", unit="shot"):
        if not options.show:
            yield index, series.color(index)
            continue
        shot = series.shot(index)
        panels = {"flow": flow_picture, "segments": segment_picture}
        shown = [np.stack([panels[name](shot, t) for t in range(len(shot.color))])
                 for name in options.show]  # fmt: skip
        yield index, np.concatenate([shot.color, *shown], axis=2)


def flow_picture(shot: CartoonShot, t: int) -> np.ndarray:
    """Return the flow of frame t as a picture (h w 3)."""
    x, y = shot.flow[t, ..., 0], shot.flow[t, ..., 1]
    # 8 pixels a frame are fully vivid; OpenCV counts hue in steps of two degrees.
    hue = np.mod(np.rad2deg(np.arctan2(y, x)) / 2, 180)
    vivid = np.clip(np.hypot(x, y) / 8, 0, 1) * 255
    value = np.where(shot.visible[t], 255, 0)
    hsv = np.stack([hue, vivid, value], -1).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def segment_picture(shot: CartoonShot, t: int) -> np.ndarray:
    """Return the segments of frame t in arbitrary, distinct colours (h w 3)."""
    colors = np.random.default_rng(0).integers(40, 255, (int(shot.segments.max()) + 1, 3))
    return colors[shot.segments[t]].astype(np.uint8)


def _write(options: argparse.Namespace, shots: Iterator[tuple[int, np.ndarray]]) -> None:
    suffix = options.output.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        frames = (frame for _, shot in shots for frame in shot)
        write_video(options.output, frames, rate=Fraction(24))
    elif suffix in IMAGE_SUFFIXES:
        rows = []
        for _, shot in shots:
            chosen = np.linspace(0, len(shot) - 1, options.columns).round().astype(int)
            rows.append(np.concatenate(list(shot[chosen]), axis=1))
        Image.fromarray(np.concatenate(rows)).save(options.output)
    else:
        for index, shot in shots:
            folder = options.output / f"shot-{index:03d}"
            folder.mkdir(parents=True, exist_ok=True)
            for t, frame in enumerate(shot):
                Image.fromarray(frame).save(folder / f"{t:04d}.png")


if __name__ == "__main__":
    main()
