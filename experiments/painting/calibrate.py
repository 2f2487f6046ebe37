"""Measure what a reference leaves of the error of chroma, by how alike its places look.

Every shot of a procedural series, and of the validation clips of Penny & Chip, is coloured by
single true frames of all shots, and without any. For each step of likeness of the best match (at
the grid that colorize-suggest compares at) the table gives which share of the mean square error of
chroma is left: in frames of the same shot, and in those of other shots, by how much of the shot's
middle the reference shows. The last line says by how much likeness is more at that grid than at
the full one.

  python experiments/painting/calibrate.py --clips datasets/penny-and-chip \\
      --json experiments/painting/calibration.json
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from painting.drawn import OF_SHOT, SIZE, Film, clips
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.base.progress import tracked
from colorize.base.provenance import provenance
from colorize.base.terminal import terminal
from colorize.cartoon import CartoonSeries
from colorize.films.suggest.coverage import OTHER, SAME
from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.tensors import to_tensor
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.networks.guided.network import GuidedNetwork
from colorize.networks.guided.references import References

STEPS = (0.0, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 1.01)
KINDS = ("same shot", f"other shot, {SAME} and more", f"other shot, {OTHER} to {SAME}", "less")


class Pair(NamedTuple):
    """A frame coloured by a reference: likeness and errors by place, and of the whole."""

    kind: str
    cosine: Float[np.ndarray, " pq"]
    before: Float[np.ndarray, " pq"]
    after: Float[np.ndarray, " pq"]
    coarse: float
    full: float


def main() -> None:
    """Measure, print the table, and write its rows if asked to."""
    options = _parse()
    with one_line_errors(), terminal(), torch.inference_mode():
        networks = LoadedNetworks.load(options.checkpoint, device=options.device)
        series = CartoonSeries(
            seed=options.seed, size=SIZE, shots=options.shots, frames_per_shot=(5, 14)
        )
        given = [[series.color(number) for number in range(options.shots)]]
        if options.clips:
            given.append(_shots(clips(options.clips, "val")))
        rows = [rows_of(list(pairs(shots, networks, options.every))) for shots in given]
        found = [row for each in rows for row in each]
        print(table(found))
    if options.json:
        made = provenance(data="procedural series, validation clips", seed=options.seed)
        content = json.dumps({"provenance": made, "rows": found}, indent=1) + "\n"
        write_atomically(options.json, content.encode())


def _shots(film: Film) -> list[np.ndarray]:
    """Return the shots of a film of clips, of which each has as many frames."""
    return [film.frames[at : at + OF_SHOT] for at in range(0, len(film.frames), OF_SHOT)]


def pairs(shots: Sequence[np.ndarray], networks: LoadedNetworks, every: int) -> Iterator[Pair]:
    """Yield every frame by every candidate, but those that are the same frame."""
    frames = [Frame(number, "", each) for number, each in enumerate(np.concatenate(shots))]
    starts = np.cumsum([0, *map(len, shots)])
    keys = [_keys(networks, frame) for frame in frames]
    pictures = [
        ColoredPicture(str(each.index), lambda each=each: each, each.index)  # type: ignore[misc]
        for each in frames
    ]
    engine = ShotEngine(networks, RenderSettings(), library=Library(networks, pictures))
    without = [_errors(engine, frames[a:b], []) for a, b in itertools.pairwise(starts)]
    candidates = [n for a, b in itertools.pairwise(starts) for n in range(a + every // 2, b, every)]
    for candidate in tracked(candidates, "colouring by one frame", unit="frame"):
        for number, (start, stop) in enumerate(itertools.pairwise(starts)):
            after = _errors(engine, frames[start:stop], [str(candidate)])
            likeness = [_cosine(networks, each, keys[candidate]) for each in keys[start:stop]]
            middle = float(likeness[(stop - start) // 2][0].mean())
            kind = _kind(start <= candidate < stop, middle)
            for place in range(stop - start):
                if start + place != candidate:
                    coarse, full = likeness[place]
                    yield Pair(
                        kind, coarse, without[number][place], after[place],
                        float(coarse.mean()), float(full.mean()),
                    )  # fmt: skip


def _kind(same: bool, middle: float) -> str:
    if same:
        return KINDS[0]
    return KINDS[1] if middle >= SAME else KINDS[2] if middle >= OTHER else KINDS[3]


def _keys(networks: LoadedNetworks, frame: Frame) -> tuple[Tensor, Tensor]:
    """Return what matching sees of a frame, at the coarse grid and at the full one."""
    guided = networks.model
    assert isinstance(guided, GuidedNetwork)
    full = guided.keys(networks.small(torch.from_numpy(frame.gray())[None, None]))
    return functional.normalize(functional.avg_pool2d(full, 2, ceil_mode=True), dim=1), full


def _cosine(
    networks: LoadedNetworks, frame: tuple[Tensor, Tensor], shown: tuple[Tensor, Tensor]
) -> list[np.ndarray]:
    """Return the likeness of the best match of each place, at both grids."""
    guided = networks.model
    assert isinstance(guided, GuidedNetwork)
    nothing = torch.zeros(1, 1, 1, 1), torch.zeros(1, 2, 1, 1)
    found = []
    for own, other in zip(frame, shown, strict=True):
        reference = References.of(*nothing).with_keys(other).to(own.device)
        found.append(guided.matcher.find(own, reference).similarity[0].cpu().numpy())
    return found


def _errors(
    engine: ShotEngine, frames: Sequence[Frame], names: Sequence[str]
) -> Float[np.ndarray, "t pq"]:
    """Return the mean square error of chroma at each place of the coarse grid."""
    made = np.stack([each.rgb for (each,) in engine(frames, names=names, variant=0)])
    truth = np.stack([each.rgb for each in frames])
    errors = (rgb_to_chroma(to_tensor(made)) - rgb_to_chroma(to_tensor(truth))).square()
    grid = _grid(errors.shape[-2:])
    return functional.adaptive_avg_pool2d(errors.mean(dim=1), grid).flatten(1).numpy()


def _grid(size: Sequence[int]) -> list[int]:
    """Return the coarse grid of frames of a size: an eighth of them, padded to 16 pixels."""
    return [-(-side // 16) * 2 for side in size]


def rows_of(found: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return by kind and step of likeness how many places there are and what is left."""
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        own = [each for each in found if each.kind == kind]
        if not own:
            continue
        cosine, before, after = (
            np.concatenate([getattr(each, name) for each in own])
            for name in ("cosine", "before", "after")
        )
        for low, high in itertools.pairwise(STEPS):
            inside = (cosine >= low) & (cosine < high)
            if inside.sum() >= 50:
                rows.append(
                    {"kind": kind, "places": int(inside.sum())}
                    | {"cosine": float(cosine[inside].mean())}
                    | {"left": float(after[inside].sum() / before[inside].sum())}
                )
    coarser = [each.coarse - each.full for each in found if each.coarse >= 0.8]
    return [*rows, {"kind": "coarser by", "places": len(coarser), "left": float(np.mean(coarser))}]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = ["| reference | places | cosine | error left |", "| --- | --: | --: | --: |"]
    for row in rows:
        cosine = f"{row['cosine']:.3f}" if "cosine" in row else ""
        lines.append(f"| {row['kind']} | {row['places']} | {cosine} | {row['left']:.3f} |")
    return "\n".join(lines)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", default="default", help="default: the shipped weights")
    parser.add_argument("--clips", type=Path, help="Penny & Chip, made by colorize-prepare")
    parser.add_argument("--seed", type=int, default=9401, help="of the procedural series")
    parser.add_argument("--shots", type=int, default=8, help="of the series (default 8)")
    parser.add_argument("--every", type=int, default=6, help="frames are references (default 6)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default auto)")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
