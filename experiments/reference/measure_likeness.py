"""Measure from which likeness on a reference helps: what colorize chooses references by.

Frames of the validation clips are coloured from memory and by one reference each: frames of the
same clip, of training clips, and of procedural series. For each step of likeness
(colorize.networks.guided.references.likeness) the table gives by how many dB the reference changed
the PSNR.

  python experiments/reference/measure_likeness.py --root datasets/penny-and-chip \\
      --json likeness.json
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from colorize.base.provenance import provenance
from colorize.cartoon import CartoonSeries
from colorize.data import Clip, PreparedClips
from colorize.imaging.tensors import to_tensor
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
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
    networks = LoadedNetworks.load(options.checkpoint)
    val, train = (PreparedClips(root=options.root).split(name).clips for name in ("val", "train"))
    height, width = val[0].shape[1:3]
    series = CartoonSeries(seed=9300, size=(height, width), shots=SERIES, frames_per_shot=1)
    drawn = [series.color(shot)[0] for shot in range(SERIES)]
    for clip in tqdm(val, desc="clips", unit="clip"):
        for frame in np.linspace(0, clip.count - 1, options.frames + 2).astype(int)[1:-1]:
            truth = Frame(0, "", np.array(clip.frames[frame]))
            gray = torch.from_numpy(truth.gray())[None, None]
            alone = score(networks, truth, None)
            candidates = itertools.chain(
                (("same clip", _any(clip, random)) for _ in range(SAME_CLIP)),
                (("other clip", _any(other, random)) for other in train),
                (("procedural", picture) for picture in drawn),
            )
            for kind, picture in candidates:
                reference = Frame(0, "", np.asarray(picture))
                known = Library(networks, [ColoredPicture("reference", lambda r=reference: r)])
                (alike,) = known.likeness(gray, ["reference"])
                yield kind, alike, score(networks, truth, known) - alone


def score(networks: LoadedNetworks, truth: Frame, known: Library | None) -> float:
    """Return the PSNR of a frame coloured by references, or from memory."""
    engine = ShotEngine(networks, RenderSettings(), library=known)
    ((colored,),) = engine([truth], names=[] if known is None else list(known.pictures), variant=0)
    return float(psnr(to_tensor(colored.rgb[None]), to_tensor(truth.rgb[None]))[0])


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
