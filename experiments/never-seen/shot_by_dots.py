"""Colour a shot of a procedural cartoon by dots in one of its frames, and draw what comes out.

  python experiments/never-seen/shot_by_dots.py -o experiments/never-seen/after

The dots are squares of 7 pixels in the middles of the largest segments of one frame, in the true
colour there; all else of the picture is transparent. ``colorize`` colours the whole shot by it.
Writes shot-by-dots.png: the frame with its dots, the first and the last frame, in gray, in colour
and as drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from colorize import Colorizer
from colorize.base.errors import one_line_errors
from colorize.base.terminal import terminal
from colorize.cartoon import CartoonSeries, CartoonShot
from colorize.imaging.contact_sheet import contact_sheet, save_sheet

SEED, SIZE, FRAMES, DOTTED = 9502, (216, 384), 10, 4
RADIUS = 3  # pixels


def dots(shot: CartoonShot, frame: int, *, count: int) -> np.ndarray:
    """Return a picture h w 4 of one frame that shows dots of its colours alone."""
    segments, picture = shot.segments[frame], shot.color[frame]
    painted = np.zeros((*segments.shape, 4), np.uint8)
    numbers, areas = np.unique(segments, return_counts=True)
    for number in numbers[np.argsort(-areas, kind="stable")][:count]:
        inside = np.pad((segments == number).astype(np.uint8), 1)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        rows = slice(max(0, int(y) - RADIUS), int(y) + RADIUS + 1)
        columns = slice(max(0, int(x) - RADIUS), int(x) + RADIUS + 1)
        painted[rows, columns] = (*picture[y, x], 255)
    return painted


def main() -> None:
    """Colour the shot, and draw the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", default="default", help="weights (default: shipped ones)")
    parser.add_argument("--dots", type=int, default=20, help="how many (default 20)")
    parser.add_argument("-o", "--output", type=Path, default=Path("never-seen"))
    options = parser.parse_args()
    with one_line_errors(), terminal():
        series = CartoonSeries(seed=SEED, size=SIZE, shots=1, frames_per_shot=FRAMES, effects=False)
        shot = series.shot(0)
        gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in shot.color]
        painted = dots(shot, DOTTED, count=options.dots)
        colored = Colorizer.load(options.checkpoint)(gray, references={DOTTED: painted})
        rows = []
        for frame in (DOTTED, 0, FRAMES - 1):
            given = np.repeat(gray[frame][..., None], 3, axis=2)
            if frame == DOTTED:
                given = np.where(painted[..., 3:] > 0, painted[..., :3], given)
            rows.append([given, colored[frame], shot.color[frame]])
        options.output.mkdir(parents=True, exist_ok=True)
        titles = [f"{options.dots} dots in one frame of {FRAMES}", "coloured by them", "as drawn"]
        sheet = contact_sheet(rows, column_titles=titles, cell_width=384)
        save_sheet(options.output / "shot-by-dots.png", sheet)


if __name__ == "__main__":
    main()
