"""Measure from which likeness on a reference helps: what colorize chooses references by.

Frames of the validation clips are coloured from memory and by one reference each: frames of the
same clip, of training clips, and of procedural series. For each step of likeness
(colorize.networks.guided.references.likeness) the table gives by how many dB the reference changed
the PSNR.

  python tools/measure_likeness.py --root datasets/penny-and-chip --json likeness.json
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from colorize.base.provenance import provenance
from colorize.cartoon import CartoonSeries
from colorize.data import Clip, PreparedClips
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.inference.colorizer import Colorizer, working_size
from colorize.inference.shipped import resolve
from colorize.metrics.psnr import psnr

STEPS = (0.0, 0.7, 0.75, 0.8, 0.84, 0.86, 0.88, 0.9, 0.92, 1.01)
SAME_CLIP, SERIES = 6, 6  # references from the same clip, and procedural ones, for each frame
Row = tuple[str, float, float]  # where the reference is from, likeness, gain in dB


def main() -> None:
    """Measure, print the table, and write every pair if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="a dataset made by colorize-prepare")
    parser.add_argument("--checkpoint", default="default", help="default: the shipped weights")
    parser.add_argument("--frames", type=int, default=4, help="of each clip (default 4)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = list(measure(options))
    print(table(rows))
    if options.json:
        made = provenance(data=f"validation clips of {Path(options.root).name}", seed=options.seed)
        options.json.write_text(json.dumps({"provenance": made, "pairs": rows}, indent=1) + "\n")


@torch.inference_mode()
def measure(options: argparse.Namespace) -> Iterator[Row]:
    """Yield a row for every pair of a frame and a reference."""
    random = np.random.default_rng(options.seed)
    colorizer = Colorizer.load(resolve(options.checkpoint))
    val, train = (PreparedClips(root=options.root).split(name).clips for name in ("val", "train"))
    height, width = val[0].shape[1:3]
    series = CartoonSeries(seed=9300, size=(height, width), shots=SERIES, frames_per_shot=1)
    drawn = [series.color(shot)[0] for shot in range(SERIES)]
    for clip in tqdm(val, desc="clips", unit="clip"):
        for frame in np.linspace(0, clip.count - 1, options.frames + 2).astype(int)[1:-1]:
            truth = to_tensor(np.array(clip.frames[frame])[None], colorizer.device)
            alone = score(colorizer, truth, None)
            candidates = itertools.chain(
                (("same clip", _any(clip, random)) for _ in range(SAME_CLIP)),
                (("other clip", _any(other, random)) for other in train),
                (("procedural", picture) for picture in drawn),
            )
            for kind, picture in candidates:
                reference = to_tensor(np.asarray(picture)[None], colorizer.device)
                known = colorizer.look_at(
                    [reference], size=working_size((height, width), colorizer.short_side)
                )
                alike = colorizer.likeness(colorizer.small(rgb_to_luma(truth)), known)
                yield kind, float(alike[0]), score(colorizer, truth, known) - alone


def score(colorizer: Colorizer, truth: Float[Tensor, "1 3 h w"], known) -> float:  # type: ignore[no-untyped-def]
    """Return the PSNR of a frame coloured by references, or from memory."""
    stream = colorizer.stream(references=known)
    return float(psnr(stream(rgb_to_luma(truth))[:, 0], truth)[0])


def table(rows: list[Row]) -> str:
    """Return the mean gain by likeness as Markdown."""
    lines = ["| likeness | pairs | gain, dB | worst tenth | best tenth |", "| --- |" + " --: |" * 4]
    for low, high in itertools.pairwise(STEPS):
        gains = [gain for _, alike, gain in rows if low <= alike < high]
        if gains:
            tenths = np.percentile(gains, [10, 90])
            lines.append(
                f"| {low:.2f} – {min(high, 1):.2f} | {len(gains)} | {np.mean(gains):+.2f} | "
                f"{tenths[0]:+.2f} | {tenths[1]:+.2f} |"
            )
    return "\n".join(lines)


def _any(clip: Clip, random: np.random.Generator) -> np.ndarray:
    return np.array(clip.frames[int(random.integers(clip.count))])


if __name__ == "__main__":
    main()
