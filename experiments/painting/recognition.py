"""How surely is a painted region found again in another shot?

  python experiments/painting/recognition.py -o experiments/painting/recognition

In one frame of a procedural series every region of a character that is large enough is painted
with a swatch of its own, and looked for in frames of all other shots. An offer is right if more
than half of its pixels are of that region of that character; a region is found if an offer of its
swatch is right there. Writes recognition.json, recognition.md and recognition.png.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from colorize.base.errors import one_line_errors
from colorize.base.progress import tracked
from colorize.base.provenance import provenance
from colorize.base.terminal import terminal
from colorize.cartoon import CartoonSeries
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.fills import find_regions
from colorize.inference.colorizer import Colorizer
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.recognition import LEAST_SCORE, Example, Recognizer
from colorize.media import Frame

SEEDS, SHOTS, SIZE, LENGTH = (9701, 9702, 9703), 6, (216, 384), 8
LOOKS = ("rubber_hose", "pastel", "poster")
LEAST = 0.002  # of a frame: smaller regions of characters are neither painted nor looked for
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
LUMA = np.array([0.299, 0.587, 0.114])


class Part(NamedTuple):
    """A region of a character in a frame: whose, its colour, and where."""

    name: str
    color: tuple[int, int, int]
    mask: np.ndarray


class Found(NamedTuple):
    """An offer: its score, and whether it is right."""

    score: float
    right: bool


def gray(color: np.ndarray, number: int) -> Frame:
    """Return a frame in black and white."""
    luma = np.rint(color @ LUMA).astype(np.uint8)
    return Frame(number, "", np.repeat(luma[..., None], 3, axis=2))


def parts(series: CartoonSeries, index: int, frame: int) -> Iterator[Part]:
    """Yield the regions of the characters of a frame, by the colour that they have in all shots."""
    shot = series.shot(index)
    for name in shot.characters:
        own = series.segments_of(index, name)
        for number in own:
            mask = shot.segments[frame] == number
            if mask.mean() >= LEAST:
                middle = np.median(shot.color[frame][mask], axis=0).astype(int) // 6
                yield Part(name, tuple(int(each) for each in middle), mask)


def measure(
    series: CartoonSeries, networks: LoadedNetworks
) -> tuple[list[Found], dict[float, int], int]:
    """Return the offers, how many regions are found at each threshold, and of how many."""
    frame = LENGTH // 2
    offered: list[Found] = []
    found, total = dict.fromkeys(THRESHOLDS, 0), 0
    for example in range(len(series)):
        swatches: dict[tuple[str, tuple[int, int, int]], int] = {}
        layer = np.zeros(SIZE, np.uint16)
        for part in parts(series, example, frame):
            layer[part.mask] = swatches.setdefault((part.name, part.color), len(swatches) + 1)
        if not swatches:
            continue
        color = series.color(example)[frame]
        recognizer = Recognizer(networks, [Example(gray(color, 0), layer)])
        for other in range(len(series)):
            if other == example:
                continue
            truth: dict[int, np.ndarray] = {}
            for part in parts(series, other, frame):
                swatch = swatches.get((part.name, part.color))
                if swatch is not None:
                    truth[swatch] = truth.get(swatch, np.zeros(SIZE, bool)) | part.mask
            target = gray(series.color(other)[frame], 1)
            offers = recognizer.offers(target, find_regions(target.gray()), least=min(THRESHOLDS))
            right = [
                each.swatch in truth and truth[each.swatch][each.mask].mean() > 0.5
                for each in offers
            ]
            offered += [Found(e.score, good) for e, good in zip(offers, right, strict=True)]
            total += len(truth)
            for least in THRESHOLDS:
                sure = {
                    e.swatch
                    for e, good in zip(offers, right, strict=True)
                    if good and e.score >= least
                }
                found[least] += len(sure)
    return offered, found, total


def rows_of(offered: list[Found], found: dict[float, int], total: int) -> list[dict[str, float]]:
    """Return precision and recall at every threshold."""
    rows = []
    for least in THRESHOLDS:
        sure = [each for each in offered if each.score >= least]
        precision = sum(each.right for each in sure) / max(1, len(sure))
        rows.append(
            {
                "least": least,
                "offers": len(sure),
                "precision": precision,
                "recall": found[least] / max(1, total),
            }
        )
    return rows


def sheet(networks: LoadedNetworks, path: Path) -> None:
    """Draw an example, and what is found again in the other shots."""
    series = CartoonSeries(seed=SEEDS[0], size=SIZE, shots=4, frames_per_shot=LENGTH, effects=False)
    frame = LENGTH // 2
    layer, colors = np.zeros(SIZE, np.uint16), [np.zeros(3)]
    color = series.color(0)[frame]
    for number, part in enumerate(parts(series, 0, frame), 1):
        layer[part.mask] = number
        colors.append(np.median(color[part.mask], axis=0))
    recognizer = Recognizer(networks, [Example(gray(color, 0), layer)])
    painted = np.where(layer[..., None] > 0, np.array(colors)[layer], gray(color, 0).rgb)
    rows = [[gray(color, 0).rgb, painted.astype(np.uint8), color]]
    for other in range(1, 4):
        true = series.color(other)[frame]
        target = gray(true, 1)
        shown = target.rgb.copy()
        for each in recognizer.offers(target, find_regions(target.gray())):
            shown[each.mask] = colors[each.swatch]
        rows.append([target.rgb, shown, true])
    save_sheet(
        path,
        contact_sheet(
            rows, column_titles=["gray", "painted, found again", "as drawn"], cell_width=320
        ),
    )


def main() -> None:
    """Measure, and write what comes out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--checkpoint", default="default", help="weights (default: shipped ones)")
    add("--seeds", type=int, nargs="+", default=SEEDS)
    add("--looks", nargs="+", choices=LOOKS, default=LOOKS)
    add("-o", "--output", type=Path, default=Path("recognition"))
    options = parser.parse_args()
    with one_line_errors(), terminal():
        networks = Colorizer.load(options.checkpoint)
        kinds = [(look, seed) for look in options.looks for seed in options.seeds]
        by_look: dict[str, Any] = {}
        for look in options.looks:
            offered: list[Found] = []
            found, total = dict.fromkeys(THRESHOLDS, 0), 0
            for _, seed in tracked([k for k in kinds if k[0] == look], look, unit="series"):
                series = CartoonSeries(
                    seed=seed,
                    size=SIZE,
                    shots=SHOTS,
                    frames_per_shot=LENGTH,
                    effects=False,
                    look=look,
                )
                some, hits, count = measure(series, networks)
                offered += some
                total += count
                found = {least: found[least] + hits[least] for least in THRESHOLDS}
            by_look[look] = {"regions": total, "thresholds": rows_of(offered, found, total)}
        options.output.mkdir(parents=True, exist_ok=True)
        about = provenance(data=f"procedural series {options.seeds}", checkpoint=options.checkpoint)
        text = json.dumps({"provenance": about, "looks": by_look}, indent=1)
        (options.output / "recognition.json").write_text(text + "\n")
        lines = [
            "| look | regions | least score | offers | right | found |",
            "| --- | --: | --: | --: | --: | --: |",
        ]
        for look, each in by_look.items():
            for row in each["thresholds"]:
                mark = " (default)" if row["least"] == LEAST_SCORE else ""
                lines.append(
                    f"| {look} | {each['regions']} | {row['least']}{mark} | {row['offers']} | "
                    f"{row['precision']:.0%} | {row['recall']:.0%} |"
                )
        (options.output / "recognition.md").write_text("\n".join(lines) + "\n")
        print("\n".join(lines))
        sheet(networks, options.output / "recognition.png")


if __name__ == "__main__":
    main()
