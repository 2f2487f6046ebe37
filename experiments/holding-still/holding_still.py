"""Measure what holding colours still along motion changes, at several strengths.

With ``--checkpoint`` and ``--data``: the clips of a split, joined to one film and turned gray, are
cut into shots as they are found, coloured frame by frame (variant 0) and held still in parts of at
most ``--part`` frames, as a film job does it. Always: procedural shots, whose true flow is known,
with chroma that is off by noise that is new in every frame. ``-o`` writes the table, all figures as
``results.json`` and a plot. Set OMP_NUM_THREADS=1 for the time a frame takes on one core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from holding.figures import Figures, figures, mean_of, of_clips
from holding.report import draw, markdown
from jaxtyping import Float
from torch import Tensor

from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.base.provenance import provenance
from colorize.cartoon import CartoonSeries
from colorize.data import PreparedClips
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.imaging.geometry import resize
from colorize.imaging.tensors import to_tensor
from colorize.inference.engine import ShotEngine, pieces
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.metrics.warp_error import Motion
from colorize.motion.estimators import Dis
from colorize.motion.smoothing import hold_still
from colorize.shots import shot_starts

STRENGTHS = (0.0, 0.5, 0.8, 0.9, 0.95, 1.0)
CARTOON_SIZE, NOISE, BLUR = (108, 192), 0.05, 4.0


def main() -> None:
    """Measure what the command line asks for."""
    options = _parse()
    torch.manual_seed(options.seed)
    with one_line_errors(), torch.inference_mode():
        tables: dict[str, dict[str, dict[str, Figures]]] = {}
        cuts: Mapping[str, list[int]] = {}
        if options.data is not None:
            tables["clips"], cuts = measure_clips(options)
        tables["cartoon"] = measure_cartoon(options)
        for name, table in tables.items():
            table["mean"] = mean_of(list(table.values()))
            print(f"\n{name}, mean\n{markdown(table['mean'])}")
        checkpoint = None if options.checkpoint is None else str(options.checkpoint)
        made = provenance(data=_data(options), checkpoint=checkpoint, seed=options.seed)
        options.output.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"provenance": made, "cuts": cuts, **tables}, indent=2) + "\n"
        write_atomically(options.output / "results.json", content.encode())
        draw(tables, options.output / "strength.png")


def measure_clips(
    options: argparse.Namespace,
) -> tuple[dict[str, dict[str, Figures]], dict[str, list[int]]]:
    """Return the figures by clip and strength, and where cuts are and were found."""
    dataset = PreparedClips(root=options.data).split(options.split)
    networks = LoadedNetworks.load(options.checkpoint, device="cpu", short_side=options.short_side)
    engine = ShotEngine(networks, RenderSettings(stillness=0.0))
    film = torch.cat([to_tensor(clip.frames[:], torch.device("cpu")) for clip in dataset.clips])
    gray = rgb_to_luma(film)
    joints = np.cumsum([0, *(clip.count for clip in dataset.clips)]).tolist()
    found = shot_starts(frame[0].numpy() for frame in gray)
    small = networks.small(gray)
    pictures = itertools.chain.from_iterable(clip.frames for clip in dataset.clips)
    frames = [Frame(number, "", np.array(rgb)) for number, rgb in enumerate(pictures)]
    chroma = torch.cat([color(engine, frames[a:b]) for a, b in spans(found, len(film))])
    held, seconds = {}, {}
    for strength in options.strengths:
        started = time.process_time()
        shots = [
            hold_shot(small[a:b], chroma[a:b], strength, options.part)
            for a, b in spans(found, len(film))
        ]
        seconds[strength] = (time.process_time() - started) / len(film)
        held[strength] = torch.cat(shots)
    table = {}
    for clip, (a, b) in zip(dataset.clips, itertools.pairwise(joints), strict=True):
        shown = {
            strength: join_in_gamut(gray[a:b], resize(planes[a:b], gray.shape[-2:]))
            for strength, planes in held.items()
        }
        inside = [a, *(start for start in found if a < start < b)]
        shots = [(start - a, stop - a) for start, stop in spans(inside, b)]
        table[clip.name] = figures(film[a:b], shown, seconds, of_clips(options.raft), shots)
        print(f"\n{clip.name}\n{markdown(table[clip.name])}")
    return table, {"joints": joints[:-1], "found": found}


def color(engine: ShotEngine, shot: Sequence[Frame]) -> Float[Tensor, "t 2 h w"]:
    """Return the chroma of a shot at the working size, coloured from its first frame on."""
    parts, state = [], dict[str, Tensor]()
    for piece in pieces(shot):
        chroma, state = engine.coloring(piece, variant=0, before=state)
        parts.append(chroma[:, 0])
    return torch.cat(parts)


def hold_shot(
    gray: Float[Tensor, "t 1 h w"], chroma: Float[Tensor, "t 2 h w"], strength: float, part: int
) -> Float[Tensor, "t 2 h w"]:
    """Return the chroma of a shot, held still part by part."""
    parts, before = [], None
    for now, planes in zip(gray.split(part), chroma.split(part), strict=True):
        shown, before = hold_still(now, planes, flow=Dis(), strength=strength, before=before)
        parts.append(shown)
    return torch.cat(parts)


def spans(starts: Sequence[int], end: int) -> Iterator[tuple[int, int]]:
    """Yield the first frame of each shot, and the one after its last."""
    return itertools.pairwise([*starts, end])


def measure_cartoon(options: argparse.Namespace) -> dict[str, dict[str, Figures]]:
    """Return the figures of procedural shots by shot and strength, by the true flow."""
    series = CartoonSeries(
        seed=options.seed,
        size=CARTOON_SIZE,
        shots=options.shots,
        frames_per_shot=options.frames,
        characters=3,
        scenes=4,
    )
    table = {}
    for number in range(options.shots):
        shot = series.shot(number)
        truth = to_tensor(shot.color, torch.device("cpu"))
        gray, chroma = rgb_to_luma(truth), noisy(rgb_to_chroma(truth), options.seed + number)
        shown, seconds = {}, {}
        for strength in options.strengths:
            started = time.process_time()
            held = hold_shot(gray, chroma, strength, options.part)
            seconds[strength] = (time.process_time() - started) / len(gray)
            shown[strength] = join_in_gamut(gray, held)
        # Backward flow in time is flow from each frame to the next of the film played backwards.
        flow = torch.from_numpy(shot.flow).permute(0, 3, 1, 2)[1:].flip(0)
        known = Motion(flow.contiguous(), torch.from_numpy(shot.visible)[1:, None].flip(0))
        played = {strength: frames.flip(0) for strength, frames in shown.items()}
        table[f"shot {number}"] = figures(
            truth.flip(0), played, seconds, of_clips(None), [(0, len(truth))], known
        )
    return table


def noisy(chroma: Float[Tensor, "t 2 h w"], seed: int) -> Float[Tensor, "t 2 h w"]:
    """Return chroma plus Gaussian noise of deviation ``NOISE``, blurred by ``BLUR`` pixels."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((*chroma.shape[:2], *chroma.shape[-2:])).astype(np.float32)
    blurred = np.stack([[cv2.GaussianBlur(plane, (0, 0), BLUR) for plane in t] for t in white])
    return chroma + torch.from_numpy(NOISE / blurred.std() * blurred)


def _data(options: argparse.Namespace) -> str:
    height, width = CARTOON_SIZE
    drawn = (
        f"{options.shots} procedural shots of {options.frames} frames, {width}x{height}, chroma "
        f"noise {NOISE} blurred by {BLUR:g} pixels"
    )
    clips = "" if options.data is None else f"{options.data}, split {options.split}; "
    return f"{clips}{drawn}; parts of {options.part} frames"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, help="folder of table, figures and plot")
    add("--checkpoint", type=Path, help="what colours the clips")
    add("--data", type=Path, help="clips, as colorize-prepare leaves them")
    add("--split", default="test", help="train, val or test (default)")
    add("--short-side", type=int, help="working size (default: that of the checkpoint)")
    add("--raft", type=Path, metavar="FILE", help="weights of RAFT-small: judge by its flow too")
    add("--strengths", type=float, nargs="+", default=STRENGTHS, help="from 0 to 1, 0 first")
    add("--part", type=int, default=240, help="frames held still at once (default 240)")
    add("--shots", type=int, default=6, help="procedural shots (default 6)")
    add("--frames", type=int, default=36, help="frames of each (default 36)")
    add("--seed", type=int, default=0)
    options = parser.parse_args()
    if (options.checkpoint is None) != (options.data is None):
        parser.error("--checkpoint and --data go together")
    if options.frames < 5:
        parser.error(f"--frames is {options.frames}: CDC compares frames up to 4 apart, 5 or more")
    if options.strengths[0] != 0:
        parser.error(f"--strengths begin with {options.strengths[0]:g}: put 0 first, to compare")
    return options


if __name__ == "__main__":
    main()
