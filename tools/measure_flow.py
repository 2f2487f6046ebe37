"""Compare optical flow to references: how well do their colours fit where it moves them?

Every few frames of the clips of a split, the chroma of the nearest of a few evenly spaced frames
moves along the flow between both, and is joined to the true luma. "best of all" takes for each
pixel the reference that fits best, which a perfect judge would.

  python tools/measure_flow.py --root datasets/penny-and-chip --split val
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from colorize.color import join, rgb_to_chroma, rgb_to_luma
from colorize.data import ClipDataset
from colorize.data.references import evenly_spaced
from colorize.files import write_atomically
from colorize.flow import warp
from colorize.flow_estimators import Dis, FlowEstimator, build_flow_estimator
from colorize.metrics.psnr import psnr
from colorize.pictures import to_tensor


def main() -> None:
    """Print the comparison, and write it as JSON if asked."""
    options = _parse()
    dataset = ClipDataset.from_manifest(root=options.root, split=options.split)
    flows: dict[str, FlowEstimator] = {
        "DIS, medium": Dis(),
        "DIS, fine": Dis(preset="fine"),
    }
    if options.raft:
        flows["RAFT-small"] = build_flow_estimator(method="raft_small", weights=str(options.raft))
    measured = {name: measure(flow, dataset, options) for name, flow in flows.items()}
    print("| flow | nearest, dB | best of all, dB | ms |\n| --- | --: | --: | --: |")
    for name, row in measured.items():
        print(f"| {name} | {row['nearest']:.2f} | {row['best']:.2f} | {row['milliseconds']:.0f} |")
    if options.output:
        write_atomically(options.output, (json.dumps(measured, indent=1) + "\n").encode())


@torch.inference_mode()
def measure(
    flow: FlowEstimator, dataset: ClipDataset, options: argparse.Namespace
) -> dict[str, float]:
    """Return mean PSNR in dB of the nearest reference and of the best, and the time of a flow."""
    nearest, best, seconds = [], [], []
    for truth, number, shown in _frames(dataset, options):
        gray = rgb_to_luma(truth)
        moved = []
        for picture in shown.values():
            start = time.perf_counter()
            found = flow(gray, rgb_to_luma(picture))
            seconds.append(time.perf_counter() - start)
            moved.append(rgb_to_chroma(warp(picture, found)))
        closest = min(range(len(shown)), key=lambda index: abs(list(shown)[index] - number))
        nearest.append(float(psnr(join(gray, moved[closest]).clamp(0, 1), truth)))
        every = torch.cat(moved)
        chosen = (every - rgb_to_chroma(truth)).square().sum(dim=1, keepdim=True).argmin(dim=0)
        ideal = every.gather(0, chosen.expand(1, 2, -1, -1))
        best.append(float(psnr(join(gray, ideal).clamp(0, 1), truth)))
    return {
        "nearest": float(np.mean(nearest)),
        "best": float(np.mean(best)),
        "milliseconds": 1000 * float(np.median(seconds)),
        "frames": len(nearest),
    }


def _frames(
    dataset: ClipDataset, options: argparse.Namespace
) -> Iterator[tuple[Float[Tensor, "1 3 h w"], int, dict[int, Float[Tensor, "1 3 h w"]]]]:
    """Yield frames, their numbers, and the references of their clip by number."""
    for clip in dataset.clips:

        def picture(number: int, frames: np.ndarray = clip.frames) -> Float[Tensor, "1 3 h w"]:
            return to_tensor(np.array(frames[number])[None], torch.device("cpu"))

        shown = {
            number: picture(number) for number in evenly_spaced(clip.count, options.references)
        }
        for number in range(0, clip.count, options.every):
            if number not in shown:
                yield picture(number), number, shown


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="a dataset made by colorize-prepare")
    parser.add_argument("--split", default="val", help="train, val or test (default val)")
    parser.add_argument("--references", type=int, default=4, help="of each clip (default 4)")
    parser.add_argument("--every", type=int, default=6, help="frames measured (default 6)")
    parser.add_argument("--raft", type=Path, help="weights of RAFT-small, to measure it too")
    parser.add_argument("-o", "--output", type=Path, help="also write the figures there, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
