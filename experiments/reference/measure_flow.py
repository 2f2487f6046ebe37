"""Compare optical flow to references: how well do their colours fit where it moves them?

Every few frames of the clips of a split, the chroma of the nearest of a few evenly spaced frames
moves along the flow between both, and is joined to the true luma. "best of all" takes for each
pixel the reference that fits best, which a perfect judge would.

  python experiments/reference/measure_flow.py --root datasets/penny-and-chip --split val
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from colorize.base.files import write_atomically
from colorize.data import ClipDataset, PreparedClips
from colorize.data.references import evenly_spaced
from colorize.imaging.color import join, rgb_to_chroma, rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.metrics.psnr import psnr
from colorize.motion.estimators import Dis, FlowEstimator, build_flow_estimator
from colorize.motion.propagation import Propagation
from colorize.motion.warp import warp

Frames = Float[Tensor, "t 1 h w"]
# Flow from a frame to a reference, by the numbers of both.
Flows = dict[tuple[int, int], Float[Tensor, "1 2 h w"]]
Way = Callable[[Frames, Sequence[int], Sequence[int], list[int]], Flows]


def main() -> None:
    """Print the comparison, and write it as JSON if asked."""
    options = _parse()
    dataset = PreparedClips(root=options.root).split(options.split)
    flows: dict[str, FlowEstimator] = {
        "DIS, medium": Dis(),
        "DIS, fine": Dis(preset="fine"),
    }
    if options.raft:
        flows["RAFT-small"] = build_flow_estimator(method="raft_small", weights=str(options.raft))
    ways: dict[str, Way] = {name: partial(straight, flow) for name, flow in flows.items()}
    ways["DIS, fine, carried along the shot"] = carried
    measured = {name: measure(way, dataset, options) for name, way in ways.items()}
    print("| flow | nearest, dB | best of all, dB | ms |\n| --- | --: | --: | --: |")
    for name, row in measured.items():
        print(f"| {name} | {row['nearest']:.2f} | {row['best']:.2f} | {row['milliseconds']:.0f} |")
    if options.output:
        write_atomically(options.output, (json.dumps(measured, indent=1) + "\n").encode())


def straight(
    flow: FlowEstimator, gray: Frames, shots: Sequence[int], shown: Sequence[int], wanted: list[int]
) -> Flows:
    """Find flow between a frame and each reference alone."""
    return {
        (frame, number): flow(gray[frame : frame + 1], gray[number : number + 1])
        for frame in wanted
        for number in shown
    }


def carried(gray: Frames, shots: Sequence[int], shown: Sequence[int], wanted: list[int]) -> Flows:
    """Carry flow along every shot, all of whose frames are looked at for it."""
    found = {}
    for start, stop in itertools.pairwise([*shots, len(gray)]):
        propagated = Propagation(gray[start:stop])
        for number in shown:
            propagated.follow(str(number), gray[number : number + 1])
            for frame in (each for each in wanted if start <= each < stop):
                flow = propagated.of([str(number)], [frame - start])
                found[frame, number] = flow.propagated[:, 0]
    return found


@torch.inference_mode()
def measure(way: Way, dataset: ClipDataset, options: argparse.Namespace) -> dict[str, float]:
    """Return mean PSNR in dB of the nearest reference and of the best, and the time of a flow.

    The time is that of a measured frame and a reference, with all that is looked at for it.
    """
    nearest, best, seconds = [], [], 0.0
    for clip in dataset.clips:
        color = to_tensor(np.array(clip.frames), torch.device("cpu"))
        gray, chroma = rgb_to_luma(color), rgb_to_chroma(color)
        shown = evenly_spaced(clip.count, options.references)
        wanted = [each for each in range(0, clip.count, options.every) if each not in shown]
        start = time.perf_counter()
        flows = way(gray, clip.shots, shown, wanted)
        seconds += time.perf_counter() - start
        for frame in wanted:
            truth, own = color[frame : frame + 1], gray[frame : frame + 1]
            moved = [warp(chroma[each : each + 1], flows[frame, each]) for each in shown]
            closest = min(range(len(shown)), key=lambda row: abs(shown[row] - frame))
            nearest.append(float(psnr(join(own, moved[closest]).clamp(0, 1), truth)))
            every = torch.cat(moved)
            errors = (every - chroma[frame]).square().sum(dim=1, keepdim=True)
            ideal = every.gather(0, errors.argmin(dim=0).expand(1, 2, -1, -1))
            best.append(float(psnr(join(own, ideal).clamp(0, 1), truth)))
    return {
        "nearest": float(np.mean(nearest)),
        "best": float(np.mean(best)),
        "milliseconds": 1000 * seconds / (len(nearest) * options.references),
        "frames": len(nearest),
    }


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
