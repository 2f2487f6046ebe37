"""Colour pictures by a few dots of colour, and compare with colorization by optimisation.

  python experiments/never-seen/hints.py --storybook ../shared/data/storybook \\
      --clips datasets/penny-and-chip -o experiments/never-seen/before

One dot after another, 3 by 3 pixels of the true mean chroma at the working size, is put in the
middle of the worst region of the current result, as somebody would do who sees it: the largest
connected region of high error. The network is shown the dots as a reference of the frame itself,
all else of it transparent. Levin, Lischinski and Weiss's optimisation gets dots in the same way,
where its own results are worst, and once more those of the network.

Writes hints.json, hints.md and hints.png (procedural); PSNR by number of dots, pictures at the
working size. Kinds whose data are not given are left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from unseen import drawings, report
from unseen.dots import next_dot, with_alpha
from unseen.optimization import spread
from unseen.painting import paint

from colorize import Colorizer
from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.base.progress import tracked
from colorize.base.terminal import terminal
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.geometry import resize, working_size
from colorize.imaging.tensors import to_picture, to_tensor
from colorize.metrics.psnr import psnr

COUNTS = (0, 1, 5, 10, 20)
SHOWN = (0, 5, 20)  # in the sheet
PAGES = 8  # every eighth page in colour of Storybook's test split
OURS, OPTIMISED, GIVEN = "network", "optimisation", "optimisation, the network's dots"
METHODS = (OURS, OPTIMISED, GIVEN)
Picture = np.ndarray
# Colours a picture (its truth) by what of another, h w 3, is marked.
Method = Callable[[Picture, Picture, np.ndarray], Picture]


def by_network(colorizer: Colorizer) -> Method:
    """Return the network as a method."""

    def method(truth: Picture, dotted: Picture, marked: np.ndarray) -> Picture:
        references = {0: with_alpha(dotted, marked)} if marked.any() else {}
        return paint(colorizer, truth[None], references=references)[0][0]

    return method


def by_optimization(truth: Picture, dotted: Picture, marked: np.ndarray) -> Picture:
    """Colour a picture by the optimisation."""
    luma, chroma = planes(truth)[0], planes(dotted)[1]
    return joined(luma, spread(luma, chroma, marked))


def planes(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Return luma (h w) and chroma (h w 2) of a picture."""
    rgb = to_tensor(picture[None]).double()
    return rgb_to_luma(rgb)[0, 0].numpy(), rgb_to_chroma(rgb)[0].permute(1, 2, 0).numpy()


def joined(luma: np.ndarray, chroma: np.ndarray) -> Picture:
    """Return the picture of luma (h w) and chroma (h w 2), as far as it can be shown."""
    colors = torch.from_numpy(chroma).permute(2, 0, 1)[None]
    return to_picture(join_in_gamut(torch.from_numpy(luma)[None, None], colors)[0])


def ask(truth: Picture, method: Method, counts: tuple[int, ...]) -> tuple[dict[int, Picture], list]:
    """Return results by number of dots, and the dots in order: rows, columns."""
    luma, true = planes(truth)
    chroma, marked = np.zeros_like(true), np.zeros(luma.shape, bool)
    found, placed = {}, []
    for count in range(max(counts) + 1):
        result = method(truth, joined(luma, chroma), marked)
        if count in counts:
            found[count] = result
        error = np.square(planes(result)[1] - true).sum(-1)
        dot = next_dot(error, marked)
        chroma[dot] = true[dot].mean((0, 1))
        marked[dot] = True
        placed.append(dot)
    return found, placed[:-1]


def again(truth: Picture, method: Method, placed: list, counts: tuple[int, ...]) -> dict:
    """Return results of a method by number of dots that another one was given."""
    luma, true = planes(truth)
    found = {}
    for count in counts:
        chroma, marked = np.zeros_like(true), np.zeros(luma.shape, bool)
        for dot in placed[:count]:
            chroma[dot] = true[dot].mean((0, 1))
            marked[dot] = True
        found[count] = method(truth, joined(luma, chroma), marked)
    return found


def pictures(options: argparse.Namespace, side: int) -> dict[str, list[Picture]]:
    """Return the pictures of each kind that there are data of, at the working size."""
    found: dict[str, list[Picture]] = {}
    if options.storybook:
        shots = drawings.storybook(options.storybook, every=1)
        found["storybook"] = [shot.frames[0] for n, shot in enumerate(shots) if n % PAGES == 0]
    if options.clips:
        found["clips"] = list(_of_clips(options.clips))
    found["procedural"] = list(_of_cartoons())
    return {kind: [_small(each, side) for each in group] for kind, group in found.items()}


def _of_clips(root: Path) -> Iterator[Picture]:
    """Yield two frames of each test clip: at a third and at two thirds of it."""
    by_clip: dict[str, list[Picture]] = {}
    for shot in drawings.clips(root, every=1):
        by_clip.setdefault(shot.series, []).extend(shot.frames)
    for frames in by_clip.values():
        yield from (frames[len(frames) // 3], frames[2 * len(frames) // 3])


def _of_cartoons() -> Iterator[Picture]:
    """Yield the first frame of two shots of each procedural series."""
    for number, shot in enumerate(drawings.procedural(every=1)):
        if number % drawings.SHOTS in (1, 4):
            yield shot.frames[0]


def _small(picture: Picture, side: int) -> Picture:
    size = working_size(picture.shape[:2], side)
    return to_picture(resize(to_tensor(picture[None]), size)[0])


def measure(
    kind: str, group: list[Picture], colorizer: Colorizer
) -> tuple[dict[str, dict[str, float]], list[list[Picture]]]:
    """Return mean PSNR by method and number of dots, and pictures for a sheet."""
    network = by_network(colorizer)
    values: dict[str, dict[int, list[float]]] = {m: {c: [] for c in COUNTS} for m in METHODS}
    rows = []
    for truth in tracked(group, f"dotting {drawings.TITLES[kind]}", unit="picture"):
        ours, placed = ask(truth, network, COUNTS)
        results = {
            OURS: ours,
            OPTIMISED: ask(truth, by_optimization, COUNTS)[0],
            GIVEN: again(truth, by_optimization, placed, COUNTS),
        }
        for name, by_count in results.items():
            for count, result in by_count.items():
                value = psnr(to_tensor(result[None]), to_tensor(truth[None]))
                values[name][count].append(float(value))
        shown = truth.copy()
        gray = to_picture(rgb_to_luma(to_tensor(truth[None]))[0])
        marked = np.zeros(truth.shape[:2], bool)
        for dot in placed:
            marked[dot] = True
        shown = np.where(marked[..., None], truth, gray)
        drawn = [ours[count] for count in SHOWN]
        rows.append([shown, *drawn, results[OPTIMISED][SHOWN[-1]], truth])
    means = {
        name: {str(count): float(np.mean(each)) for count, each in by_count.items()}
        for name, by_count in values.items()
    }
    return means, rows


def markdown(found: dict[str, Any]) -> str:
    """Return PSNR by number of dots as a Markdown table."""
    lines = ["| PSNR (dB) by dots | " + " | ".join(map(str, COUNTS)) + " |"]
    lines.append("| --- |" + " --: |" * len(COUNTS))
    for kind, each in found.items():
        lines.append(
            f"| **{drawings.TITLES[kind]}**, {each['pictures']} pictures |" + "  |" * len(COUNTS)
        )
        for name, values in each["psnr"].items():
            cells = " | ".join(f"{values[str(count)]:.2f}" for count in COUNTS)
            lines.append(f"| {name} | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what the command line gives data of."""
    options = _parse()
    with one_line_errors(), terminal():
        colorizer = Colorizer.load(options.checkpoint, device=options.device)
        made = report.made(
            colorizer,
            data=f"at a short side of {colorizer.short_side}",
            seed=drawings.SEEDS[0],
            saw=options.saw,
        )
        found = {}
        for kind, group in pictures(options, colorizer.short_side).items():
            means, rows = measure(kind, group, colorizer)
            found[kind] = {"pictures": len(group), "psnr": means}
            own = kind == "procedural"
            place = options.output if own else options.output / "rows"
            place.mkdir(parents=True, exist_ok=True)
            draw(rows, place / ("hints.png" if own else f"hints-{kind}.png"))
        content = json.dumps({"provenance": made, "kinds": found}, indent=1) + "\n"
        write_atomically(options.output / "hints.json", content.encode())
        text = markdown(found)
        write_atomically(options.output / "hints.md", text.encode())
        print(text)


def draw(rows: list[list[Picture]], file: Path) -> None:
    """Draw every other picture: dots, results and truth."""
    by_network = [f"network, {count}" for count in SHOWN]
    titles = ["the network's dots", *by_network, f"optimisation, {SHOWN[-1]}", "truth"]
    save_sheet(file, contact_sheet(rows[::2], column_titles=titles, cell_width=200))


def _parse() -> argparse.Namespace:
    return report.parser(__doc__).parse_args()


if __name__ == "__main__":
    main()
