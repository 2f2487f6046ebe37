"""Measure what snapping flat fills to one chroma each changes, where the true colours are known.

True chroma is spoilt the way a network does it (blurred with noise; bleeding across lines; patches
of wrong hue and saturation; and not at all, to see what snapping itself spoils), then snapped and
compared with the truth: on procedural series of --seeds, whose true fills and flow are known, and
with --data on the clips of a split. --checkpoint adds a network's own colours of the gray frames.
-o writes the table, all figures as results.json and a picture of procedural frames. The constants
of colorize.snapping were chosen on the seeds 9000 to 9002. Set OMP_NUM_THREADS=1 for the time a
frame takes on one core.

  python tools/measure_snapping.py --data datasets/penny-and-chip -o experiments/snapping
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from types import EllipsisType

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from snapping.degradations import DEGRADATIONS
from snapping.figures import Figures, enlarged, figures, markdown, mean_of, true_fills
from torch import Tensor
from tqdm import tqdm

from colorize.color import rgb_to_chroma, rgb_to_luma
from colorize.data import ClipDataset
from colorize.data.cartoon import CartoonSeries, CartoonShot
from colorize.errors import one_line_errors
from colorize.files import write_atomically
from colorize.metrics import WarpError
from colorize.metrics.warp_error import Motion
from colorize.pictures import to_picture, to_tensor
from colorize.predict import Colorizer
from colorize.provenance import provenance
from colorize.sheet import contact_sheet, save_sheet
from colorize.snapping import snap_to_fills

NETWORK = "network"
SHOWN = ("blur and noise", "bleeding", "patches")
_CROP, _ZOOM = 72, 3  # side of the crops of the picture, in pixels, and how far they are magnified

Tables = dict[str, dict[str, Figures]]


def main() -> None:
    """Measure what the command line asks for."""
    options = _parse()
    with one_line_errors(), torch.inference_mode():
        colorizer = None
        if options.checkpoint is not None:
            colorizer = Colorizer.load(options.checkpoint, device="cpu")
        tables = {"cartoon": measure_cartoon(options, colorizer)}
        if options.data is not None:
            tables |= measure_clips(options, colorizer)
        for name, table in tables.items():
            print(f"\n{name}\n{markdown(table)}")
        checkpoint = None if options.checkpoint is None else str(options.checkpoint)
        made = provenance(data=_data(options), checkpoint=checkpoint, seed=options.seeds[0])
        content = json.dumps({"provenance": made, **tables}, indent=2) + "\n"
        write_atomically(options.output / "results.json", content.encode())
        save_sheet(options.output / "fills.png", picture(options))


def measure_cartoon(options: argparse.Namespace, colorizer: Colorizer | None) -> dict[str, Figures]:
    """Return the mean figures of procedural shots by source of colours."""
    rows: dict[str, list[Figures]] = {}
    jobs = [(seed, number) for seed in options.seeds for number in range(options.shots)]
    for seed, number in tqdm(jobs, desc="procedural shots", unit="shot"):
        shot = series(options, seed).shot(number)
        truth = to_tensor(shot.color, torch.device("cpu"))
        fills, motion = true_fills(shot.color, shot.segments), backward(shot)
        for name, given in sources(truth, (seed, number), colorizer):
            row = figures(truth, given, strength=options.strength, fills=fills, motion=motion)
            rows.setdefault(name, []).append(row)
    return {name: mean_of(each) for name, each in rows.items()}


def measure_clips(options: argparse.Namespace, colorizer: Colorizer | None) -> Tables:
    """Return the mean figures of every clip of the split; its fills are not known, its flow DIS."""
    dataset = ClipDataset.from_manifest(root=options.data, split=options.split)
    tables: Tables = {}
    for index, clip in enumerate(tqdm(dataset.clips, desc="clips", unit="clip")):
        rows: dict[str, list[Figures]] = {}
        for first in range(0, clip.count - options.frames + 1, options.every):
            last = first + options.frames
            if any(first < start < last for start in clip.shots):
                continue
            truth = to_tensor(np.array(clip.frames[first:last]), torch.device("cpu"))
            motion = WarpError(space="ab").prepare(truth.flip(0))
            for name, given in sources(truth, (options.seeds[0], index, first), colorizer):
                row = figures(truth, given, strength=options.strength, motion=motion)
                rows.setdefault(name, []).append(row)
        tables[clip.name] = {name: mean_of(each) for name, each in rows.items()}
    return tables


def sources(
    truth: Float[Tensor, "t 3 h w"], seed: tuple[int, ...], colorizer: Colorizer | None
) -> Iterator[tuple[str, tuple[Float[Tensor, "t 1 _h _w"], Float[Tensor, "t 2 _h _w"]]]]:
    """Yield name, and gray and chroma at working size, of every source of colours."""
    gray, chroma = rgb_to_luma(truth), rgb_to_chroma(truth)
    for place, (name, degrade) in enumerate(DEGRADATIONS.items()):
        yield name, (gray, degrade(chroma, np.random.default_rng((*seed, place))))
    if colorizer is not None:
        small = colorizer.small(gray)
        yield NETWORK, (small, rgb_to_chroma(colorizer.stream(variant=0).working(small)[:, 0]))


def backward(shot: CartoonShot) -> Motion:
    """Return the true motion of a shot played backwards, from each frame to the one before."""
    flow = torch.from_numpy(shot.flow).permute(0, 3, 1, 2)[1:].flip(0)
    return Motion(flow.contiguous(), torch.from_numpy(shot.visible)[1:, None].flip(0))


def series(options: argparse.Namespace, seed: int) -> CartoonSeries:
    """Return the procedural series of a seed."""
    return CartoonSeries(
        seed=seed, size=tuple(options.size), shots=options.shots, frames_per_shot=options.frames
    )


def picture(options: argparse.Namespace) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Return crops of a procedural frame: as given, snapped, and the truth."""
    shot = series(options, options.seeds[0]).shot(0)
    truth = to_tensor(shot.color[:1], torch.device("cpu"))
    gray, chroma = rgb_to_luma(truth), rgb_to_chroma(truth)
    box = fullest(true_fills(shot.color[:1], shot.segments[:1])[0, 0])
    rows = []
    for place, name in enumerate(SHOWN):
        given = DEGRADATIONS[name](chroma, np.random.default_rng((options.seeds[0], 0, place)))
        snapped = snap_to_fills(gray, given, strength=options.strength)
        images = (enlarged(given, gray), enlarged(snapped, gray), truth)
        crops = [to_picture(image[0][box]) for image in images]
        rows.append([crop.repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1) for crop in crops])
    titles = ("as given", "snapped", "truth")
    width = rows[0][0].shape[1]
    return contact_sheet(rows, column_titles=titles, row_titles=SHOWN, cell_width=width)


def fullest(fills: Bool[Tensor, "h w"]) -> tuple[EllipsisType, slice, slice]:
    """Return the window of ``_CROP`` pixels a side that holds most of the fills."""
    share = cv2.blur(fills.float().numpy(), (_CROP, _CROP))
    middle = np.unravel_index(share.argmax(), share.shape)
    tops = [
        int(np.clip(at - _CROP // 2, 0, max(side - _CROP, 0)))
        for at, side in zip(middle, share.shape, strict=True)
    ]
    return ..., slice(tops[0], tops[0] + _CROP), slice(tops[1], tops[1] + _CROP)


def _data(options: argparse.Namespace) -> str:
    height, width = options.size
    drawn = (
        f"procedural series {', '.join(map(str, options.seeds))}: {options.shots} shots each of "
        f"{options.frames} frames, {height}x{width}"
    )
    clips = (
        f"; {options.data}, split {options.split}, {options.frames} frames from every "
        f"{options.every}th on"
    )
    return drawn + (clips if options.data is not None else "")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, help="folder of figures and picture")
    add("--seeds", type=int, nargs="+", default=(9003, 9004, 9005, 9006), help="of the series")
    add("--shots", type=int, default=6, help="of each series (default 6)")
    add("--frames", type=int, default=8, help="of each shot, and in a row of clips (default 8)")
    add("--size", type=int, nargs=2, default=(108, 192), metavar=("HEIGHT", "WIDTH"))
    add("--data", type=Path, help="clips as well, as colorize-prepare leaves them")
    add("--split", default="val", help="train, val (default) or test")
    add("--every", type=int, default=24, help="take --frames from every n-th on (default 24)")
    add("--checkpoint", type=Path, help="measure a network's own colours too (variant 0)")
    add("--strength", type=float, default=1.0, help="of the snapping, 0 to 1 (default)")
    options = parser.parse_args()
    if options.frames < 2:
        parser.error(f"--frames is {options.frames}: warp errors compare two frames or more")
    return options


if __name__ == "__main__":
    main()
