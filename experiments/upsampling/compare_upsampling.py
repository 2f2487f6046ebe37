"""Compare ways to bring chroma from a working size to full size, where the truth is known.

The true chroma of pictures is reduced to the working size, upsampled with the true luma, joined and
compared with the picture: over all pixels, within three cells of an edge (a cell is what one pixel
of the working size covers), and within one cell of an edge on fills, ink left out. Pictures are
flat fills parted by ink lines of 2 to 6 pixels, stripes of one luma parted likewise, frames of
procedural cartoons, and the frames of --frames. Chroma is given exactly; as a network gives it,
blurred by one cell and half a cell off; and exactly, to a luma with grain.

  python experiments/upsampling/compare_upsampling.py --sheet crops.png --json results.json

--speed measures as well, at sizes of its own, the time on one core, also as a ratio to bilinear
resizing and joining, and by how much the memory of a process rises.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from comparison.cases import CONDITIONS, fills, given, near_edges, stripes
from comparison.methods import METHODS
from comparison.speed import BASELINE, mebibytes, seconds
from jaxtyping import Float, UInt8
from torch import Tensor
from tqdm import tqdm

from colorize.base.errors import one_line_errors
from colorize.base.provenance import provenance
from colorize.cartoon import CartoonSeries
from colorize.imaging import color
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.tensors import to_picture
from colorize.media import open_source
from colorize.metrics.lab import ciede2000

Picture = UInt8[np.ndarray, "h w 3"]
SCORES = {
    "delta_e": "ΔE2000",
    "near_edges": "<= 3 cells",
    "fills_beside_edges": "fills, <= 1",
    "psnr": "PSNR (dB)",
}
_CARTOON = "procedural cartoons"
_INK = 0.2  # darker luma is ink
_SHOWN = ("bilinear", "joint bilateral, Gaussian", "bilateral")
# Upper left corners of the crops of the sheet, and their size, as parts of the picture.
_CORNERS = ((0.60, 0.176), (0.153, 0.734), (0.59, 0.453), (0.72, 0.773))
_CROP, _ZOOM = (0.134, 0.1), 3


def main() -> None:
    """Compare, and measure, what the command line asks for."""
    options = _parse()
    with one_line_errors():
        report: dict[str, Any] = {"provenance": provenance(data="see command", seed=options.seed)}
        cases = list(pictures(options))
        if options.sheet:
            drawn = next(picture for kind, picture in cases if kind == _CARTOON)
            save_sheet(options.sheet, sheet(drawn, short_side=options.short_side[0]))
        report["scores"] = [row for side in options.short_side for row in _compared(cases, side)]
        report["speed"] = [
            row for size in _pairs(options.speed) for row in _measured(size, options)
        ]
        if options.json:
            options.json.write_text(json.dumps(report, indent=2) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", type=int, nargs=2, default=(720, 1280), metavar=("HEIGHT", "WIDTH"))
    add("--short-side", type=int, nargs="+", default=[108], help="of the working size, or sizes")
    add("--cartoons", type=int, default=4, help="frames of procedural cartoons (default 4)")
    add("--seed", type=int, default=0)
    add("--frames", type=Path, nargs="+", default=(), help="colour videos, folders or pictures")
    add("--first", type=int, default=0, help="frames to skip in each of --frames")
    add("--every", type=int, default=96, help="use every n-th frame of them (default 96)")
    add("--sheet", type=Path, help="draw crops of the first procedural cartoon into this PNG")
    add("--json", type=Path, help="write the figures to this file as well")
    add("--speed", type=int, nargs="+", default=[], metavar="SIDE", help="pairs HEIGHT WIDTH")
    add("--repetitions", type=int, default=7, help="timings of --speed (default 7)")
    options = parser.parse_args()
    if len(options.speed) % 2:
        parser.error(f"--speed: expected pairs HEIGHT WIDTH, got {len(options.speed)} numbers")
    if options.sheet and not options.cartoons:
        parser.error("--sheet shows a procedural cartoon: leave --cartoons at 1 or more")
    return options


def _pairs(sides: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(sides[::2], sides[1::2], strict=True)


def _compared(cases: Sequence[tuple[str, Picture]], short_side: int) -> list[dict[str, Any]]:
    rows = [
        {"kind": kind, "short_side": short_side} | row
        for kind, picture in tqdm(cases, desc=f"short side {short_side}", unit="picture")
        for row in compare(picture, short_side=short_side)
    ]
    means = summary(rows)
    _print(means)
    return means


def pictures(options: argparse.Namespace) -> Iterator[tuple[str, Picture]]:
    """Yield kind and picture of everything that is compared."""
    size = tuple(options.size)
    yield "ink on flat fills", fills(size, seed=options.seed)
    yield "stripes of one luma", stripes(size, seed=options.seed)
    for index in range(options.cartoons):
        seed = options.seed + 1 + index
        series = CartoonSeries(seed=seed, size=size, shots=1, frames_per_shot=1, effects=False)
        yield _CARTOON, series.color(0)[0]
    for path in options.frames:
        frames = itertools.islice(open_source(path), options.first, None, options.every)
        yield from (("given frames", frame.rgb) for frame in frames)


def compare(picture: Picture, *, short_side: int) -> Iterator[dict[str, Any]]:
    """Yield the scores of every method on one picture in every condition."""
    clean = _tensor(picture)
    clean_lab = color.rgb_to_lab(clean)
    cell = min(picture.shape[:2]) / short_side
    near, beside = (near_edges(clean_lab, pixels=count * cell) for count in (3, 1))
    beside &= color.rgb_to_luma(clean)[0, 0].numpy() >= _INK
    for condition in CONDITIONS:
        small, luma, truth = given(clean, condition, short_side=short_side)
        lab = color.rgb_to_lab(truth)
        for method, upsampled in METHODS.items():
            result = color.join_in_gamut(luma, upsampled(small, luma))
            error = ciede2000(color.rgb_to_lab(result), lab)[0].numpy()
            yield {
                "condition": condition,
                "method": method,
                "delta_e": float(error.mean()),
                "near_edges": float(error[near].mean()) if near.any() else None,
                "fills_beside_edges": float(error[beside].mean()) if beside.any() else None,
                "psnr": -10 * float((result - truth).square().mean().log10()),
            }


def _mean(values: Iterable[float]) -> float | None:
    """Return the mean of what is known: a picture without an edge has no score beside one."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _tensor(picture: Picture) -> Float[Tensor, "1 3 h w"]:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1).unsqueeze(0) / 255


def sheet(picture: Picture, *, short_side: int) -> Picture:
    """Return zoomed crops of a picture: the truth, and three methods, in every condition."""
    rows, titles = [], []
    height, width = (round(part * side) for part, side in zip(_CROP, picture.shape, strict=False))
    for condition, corner in zip((*CONDITIONS, CONDITIONS[0]), _CORNERS, strict=True):
        small, luma, truth = given(_tensor(picture), condition, short_side=short_side)
        results = [color.join_in_gamut(luma, METHODS[name](small, luma)) for name in _SHOWN]
        top, left = (round(part * side) for part, side in zip(corner, picture.shape, strict=False))
        box = (..., slice(top, top + height), slice(left, left + width))
        crops = [to_picture(image[0][box]) for image in (truth, *results)]
        rows.append([crop.repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1) for crop in crops])
        titles.append(condition)
    titled = ("truth", *_SHOWN)
    return contact_sheet(rows, column_titles=titled, row_titles=titles, cell_width=_ZOOM * width)


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the means over the pictures of a kind."""
    keys = ("kind", "short_side", "condition", "method")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return [
        dict(zip(keys, group, strict=True))
        | {"pictures": len(of_group)}
        | {score: _mean(row[score] for row in of_group) for score in SCORES}
        for group, of_group in groups.items()
    ]


def _print(rows: list[dict[str, Any]]) -> None:
    for case, of_case in itertools.groupby(
        rows, key=lambda row: f"{row['kind']} from {row['short_side']}, {row['condition']}"
    ):
        print(f"{case:<44}" + "".join(f"{title:>12}" for title in SCORES.values()))
        for row in of_case:
            print(f"  {row['method']:<42}" + "".join(map(_number, (row[key] for key in SCORES))))


def _number(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:.2f}':>12}"


def _measured(size: tuple[int, int], options: argparse.Namespace) -> list[dict[str, Any]]:
    side = options.short_side[0]
    times = seconds(size, short_side=side, repetitions=options.repetitions)
    rows = []
    print(f"{size[0]}x{size[1]} from {side}".ljust(44) + f"{'seconds':>12}{'ratio':>12}{'MiB':>12}")
    for name, time in times.items():
        ratio = time / times[BASELINE]
        rise = mebibytes(name, size, short_side=side) if name in METHODS else None
        print(f"  {name:<42}{time:>12.4f}{ratio:>12.2f}" + (f"{rise:>12.0f}" if rise else ""))
        row = {"size": size, "short_side": side, "method": name, "seconds": time, "ratio": ratio}
        rows.append(row | {"mebibytes": rise})
    return rows


if __name__ == "__main__":
    main()
