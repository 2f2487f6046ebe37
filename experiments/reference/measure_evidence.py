"""Compare two ways to fuse what references propose: by all proposals alike, or kind by kind.

By one softmax over all proposals, as the shipped weights were trained, a colour weighs more the
more often it is proposed, and giving a reference twice changes the result. Kind by kind it does
not. Validation clips are coloured by evenly spaced frames of theirs, without smoothing.

  python experiments/reference/measure_evidence.py --root datasets/penny-and-chip --json FILE
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.base.files import write_atomically
from colorize.base.terminal import terminal
from colorize.data import PreparedClips
from colorize.evaluation.footage import EngineReader, colored_clips
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.metrics.psnr import psnr
from colorize.networks.guided import fusion
from colorize.networks.guided.fusion import Fused


def alike(
    scores: Float[Tensor, "b s 1 h w"],
    chroma: Float[Tensor, "b s 2 h w"],
    slots: tuple[int, ...],
    share: Float[Tensor, "b s"] | None = None,
) -> Fused:
    """Fuse by one softmax over all proposals; their number is evidence."""
    return fusion.fused(scores.softmax(dim=1), chroma, scores)


WAYS: dict[str, Callable[..., Fused]] = {"all alike": alike, "kind by kind": fusion.fuse}


def main() -> None:
    """Print a table of mean PSNR, and write it."""
    options = _parse()
    networks = LoadedNetworks.load(options.checkpoint, device="cpu")
    found: dict[str, dict[int, float]] = {}
    try:
        with terminal():
            for way, fusion.fuse in WAYS.items():
                found[way] = {each: mean_psnr(networks, each, options) for each in options.counts}
    finally:
        fusion.fuse = WAYS["kind by kind"]
    print("| fused | " + " | ".join(f"{count}" for count in options.counts) + " |")
    for way, figures in found.items():
        print(f"| {way} | " + " | ".join(f"{value:.2f}" for value in figures.values()) + " |")
    if options.json:
        write_atomically(options.json, (json.dumps(found, indent=1) + "\n").encode())


def mean_psnr(networks: LoadedNetworks, count: int, options: argparse.Namespace) -> float:
    """Return the mean PSNR in dB of frames coloured by ``count`` frames of their clip."""
    reader = EngineReader(networks, RenderSettings(stillness=0.0))
    clips = PreparedClips(root=options.root).split(options.split)
    values = []
    for batch in colored_clips(
        reader, clips, every=options.every, batch_size=8, whole=False, references=count
    ):
        part = batch.only_measured()
        if part.names:
            values.append(psnr(part.outputs[:, 0], part.truth))
    return float(torch.cat(values).mean())


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--root", required=True, help="a dataset of colorize-prepare")
    add("--split", default="val", help="default val")
    add("--checkpoint", default="default", help="default: the shipped weights")
    add("--counts", type=int, nargs="+", default=[1, 2, 4], help="references (default 1 2 4)")
    add("--every", type=int, default=6, help="every n-th frame is measured (default 6)")
    add("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
