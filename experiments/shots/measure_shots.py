"""Measure how well shots are found: precision and recall on films whose cuts are known.

The films are procedural cartoons in black and white, one category after another of what old prints
do: rhythm of the drawings, flashes, pans, figures, night, static pictures, wear, fades, dissolves.
A start counts as found within a frame of a cut, or anywhere within a fade or dissolve. Beside
``colorize.shots`` the detectors of PySceneDetect are measured if that is installed
(``pip install --no-deps scenedetect platformdirs click``), and any function that ``--also`` names.

examples:
  measure_shots.py                         three films of each category: minutes
  measure_shots.py --only dissolves "fades (black)" --each 1
  measure_shots.py --footage clips/*.mp4 --first-frame 48     joined, one after another
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from shot_films.baselines import Detector, scene_detectors
from shot_films.catalogue import CATEGORIES, films
from shot_films.footage import joined
from shot_films.joints import Film
from shot_films.scores import Score, score, total
from shot_films.strips import write_strips
from tqdm import tqdm

from colorize.base.errors import did_you_mean, fail, one_line_errors
from colorize.base.provenance import provenance
from colorize.shots import shot_starts

_OURS = "tooncolor"
_LARGE = (720, 1280)  # height, width of the frames whose reading is timed
_TIMED = 96  # frames

Scores = dict[str, dict[str, Score]]  # by detector and category


def main() -> None:
    """Measure every detector on every film, print a table, and write what was asked for."""
    options = _parse()
    with one_line_errors():
        detectors = {_OURS: shot_starts, **scene_detectors(), **_others(options.also)}
        made = _films(options)
        scores, invented = _measure(made, detectors)
        seconds = _seconds_a_frame(made[0])
    print(_table(scores))
    print(f"{1000 * seconds:.2f} ms to read a frame of {_LARGE[1]}x{_LARGE[0]}, on one core")
    for film in made if options.footage else ():
        print(f"starts that are no joints, {_OURS}: {invented[film.name]}")
    if options.strips:
        write_strips(options.strips, made)
    if options.output:
        _write(options, made, scores, invented, seconds)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the films (default 0; settings were chosen on 1)")
    add("--each", type=int, default=3, help="films of each category (default 3)")
    add("--only", nargs="+", metavar="CATEGORY", default=list(CATEGORIES), help="these alone")
    add("--footage", nargs="+", type=Path, metavar="FILE", help="join these instead of drawing")
    add("--first-frame", type=int, default=0, help="skip so many frames of each file (default 0)")
    add("--also", nargs="+", default=[], metavar="NAME=MODULE:FUNCTION", help="measure these too")
    add("-o", "--output", type=Path, metavar="JSON", help="write counts and settings")
    add("--strips", type=Path, metavar="PNG", help="draw one joint of each category")
    return parser.parse_args()


def _others(words: Sequence[str]) -> dict[str, Detector]:
    """Import further detectors: functions from luma frames to starts."""
    detectors: dict[str, Detector] = {}
    for word in words:
        name, _, place = word.partition("=")
        module, _, function = place.partition(":")
        if not (name and module and function):
            fail(f"--also is {word!r}: expected NAME=MODULE:FUNCTION")
        detectors[name] = getattr(import_module(module), function)
    return detectors


def _films(options: argparse.Namespace) -> list[Film]:
    """Draw or read all films, with progress."""
    if options.footage:
        return [joined(tqdm(options.footage, desc="reading", unit="file"), options.first_frame)]
    for name in options.only:
        if name not in CATEGORIES:
            fail(f"--only has no category {name!r}{did_you_mean(name, CATEGORIES)}")
    made = films(options.seed, each=options.each, only=options.only)
    count = options.each * len(options.only)
    return list(tqdm(made, total=count, desc="drawing", unit="film"))


def _measure(
    made: Iterable[Film], detectors: dict[str, Detector]
) -> tuple[Scores, dict[str, list[int]]]:
    """Return all scores, and by film the starts of ours that are no joints."""
    scores: Scores = {name: {} for name in detectors}
    invented: dict[str, list[int]] = {}
    for film in tqdm(made, desc="finding shots", unit="film"):
        for name, detector in detectors.items():
            starts = detector(film.frames)
            own = scores[name]
            own[film.category] = own.get(film.category, Score()) + score(film.joints, starts)
            if name == _OURS:
                invented[film.name] = [
                    each for each in starts if each and score(film.joints, [each]).invented
                ]
    return scores, invented


def _seconds_a_frame(film: Film) -> float:
    """Return the processor time of our detector for a frame of full size, in one thread."""
    frames = np.resize(film.frames, (_TIMED, *film.frames.shape[1:]))
    large = [cv2.resize(frame, _LARGE[::-1], interpolation=cv2.INTER_NEAREST) for frame in frames]
    cv2.setNumThreads(1)
    start = time.process_time()
    shot_starts(large)
    return (time.process_time() - start) / _TIMED


def _table(scores: Scores) -> str:
    """Return precision / recall in percent by category, as Markdown."""
    rows = [["precision / recall (%)", *scores], ["---", *["--:"] * len(scores)]]
    for category in next(iter(scores.values())):
        shown = [_shown(by[category]) for by in scores.values()]
        rows.append([category, *shown])
    totals = [total(by.values()) for by in scores.values()]
    rows.append(["all", *map(_shown, totals)])
    rows.append(["F1", *(f"{100 * each.f1:.1f}" for each in totals)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _shown(each: Score) -> str:
    return f"{100 * each.precision:.0f} / {100 * each.recall:.0f}"


def _write(
    options: argparse.Namespace, made: list[Film], scores: Scores,
    invented: dict[str, list[int]], seconds: float,
) -> None:  # fmt: skip
    counts: dict[str, Any] = {
        name: {category: vars(each) for category, each in by.items()} for name, by in scores.items()
    }
    report = {
        "provenance": provenance(data=_described(made), seed=options.seed),
        "counts": counts,
        "invented": invented,
        "milliseconds_a_frame": 1000 * seconds,
    }
    options.output.write_text(json.dumps(report, indent=1) + "\n")


def _described(made: list[Film]) -> str:
    frames, joints = (sum(len(getattr(f, of)) for f in made) for of in ("frames", "joints"))
    return f"{len(made)} films, {frames} frames, {joints} joints"


if __name__ == "__main__":
    main()
