"""Find the characters of some shots in others of a procedural series, and count what is right.

  python experiments/painting/recognition.py -o experiments/painting

One frame of each of the first four shots is painted: every fill of its characters has a swatch of
its own paint, all else none. Offered are regions of a frame of each of the next eight shots, with
the same characters. An offer is right if more than half of it, ink apart, is of that paint of that
character. Recall is the share of the pixels of the painted paints that right offers cover.
Writes recognition.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.cartoon.series import CartoonSeries
from colorize.imaging.fills import find_regions
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.recognition import Example, Recognizer

LOOKS = ("rubber_hose", "pastel", "poster")
HELD_OUT, TUNING = (421, 422), (321,)
SIZE, PAINTED, ASKED = (360, 640), 4, 8
LEAST = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def frame(
    series: CartoonSeries, index: int, ids: dict
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return luma of a frame, the swatch of each pixel's paint, 0 for sets, and where ink is."""
    shot = series.shot(index)
    gray = cv2.cvtColor(shot.color[1], cv2.COLOR_RGB2GRAY)
    _, stage = series._stage(index)
    swatch = np.zeros(int(shot.segments.max()) + 1, np.uint16)
    ink = np.zeros(len(swatch), bool)
    for key, number in stage.sheet._segments.items():
        if number >= len(swatch):
            continue
        if "ink" in key[1:]:
            ink[number] = True
        elif key[0] in series.characters and "shadow" not in key[1:]:
            swatch[number] = ids.setdefault((key[0], key[-1]), len(ids) + 1)
    segments = shot.segments[1]
    return (gray / 255).astype(np.float32), swatch[segments], ink[segments]


def measure(look: str, seed: int, colorizer: LoadedNetworks) -> list[dict]:
    """Return every offer of the asked shots, and the pixels that there were to find."""
    series = CartoonSeries(
        seed=seed, size=SIZE, shots=PAINTED + ASKED, frames_per_shot=3, look=look
    )
    ids: dict = {}
    examples = []
    for index in range(PAINTED):
        luma, layer, _ = frame(series, index, ids)
        examples.append(Example(luma, layer))
    known = set(np.unique(np.concatenate([each.layer.ravel() for each in examples])).tolist())
    recognizer = Recognizer(colorizer, examples, least=min(LEAST))
    rows = []
    for index in range(PAINTED, PAINTED + ASKED):
        luma, layer, ink = frame(series, index, ids)
        offers = []
        for offer in recognizer.offers(luma, find_regions(luma)):
            own = offer.mask & ~ink
            hit = int((layer[own] == offer.swatch).sum())
            offers.append({"score": offer.score, "right": 2 * hit > own.sum(), "pixels": hit,
                           "area": int(own.sum())})  # fmt: skip
        there = int((np.isin(layer, list(known - {0})) & ~ink).sum())
        rows.append({"shot": index, "there": there, "offers": offers})
    return rows


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--tuning", action="store_true", help="the seeds that settings are from")
    options = parser.parse_args()
    colorizer = LoadedNetworks.load("default", device="cpu")
    found = {}
    for look in LOOKS:
        rows = [
            row
            for seed in (TUNING if options.tuning else HELD_OUT)
            for row in measure(look, seed, colorizer)
        ]
        there = sum(row["there"] for row in rows)
        for least in LEAST:
            offers = [each for row in rows for each in row["offers"] if each["score"] >= least]
            right = [each for each in offers if each["right"]]
            found[f"{look} {least}"] = {
                "offers": len(offers),
                "precision": len(right) / max(len(offers), 1),
                "precision by area": sum(each["area"] for each in right)
                / max(sum(each["area"] for each in offers), 1),
                "recall by area": sum(each["pixels"] for each in right) / max(there, 1),
            }
            print(look, least, {k: round(v, 3) for k, v in found[f"{look} {least}"].items()})
    if not options.tuning:
        content = json.dumps(found, indent=1).encode()
        write_atomically(options.output / "recognition.json", content)


if __name__ == "__main__":
    with one_line_errors():
        main()
