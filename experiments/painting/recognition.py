"""How surely is a painted region found again in another shot?

  python experiments/painting/recognition.py -o experiments/painting/recognition

In one frame of a procedural series every region of a character that is large enough is painted
with a swatch of its own, and looked for in frames of all other shots. An offer is right if more
than half of its pixels are of that region of that character; a region is found if an offer of its
swatch is right there. Writes recognition.json, recognition.md and recognition.png.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from colorize.base.errors import one_line_errors
from colorize.base.progress import tracked
from colorize.base.provenance import provenance
from colorize.base.terminal import terminal
from colorize.cartoon import CartoonSeries
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.fills import Regions, find_regions
from colorize.inference.colorizer import Colorizer
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.recognition import LEAST_SCORE, Evidence, Example, Recognizer
from colorize.media import Frame

SEEDS, SHOTS, SIZE, LENGTH = (9701, 9702, 9703), 6, (216, 384), 8
LOOKS = ("rubber_hose", "pastel", "poster")
LEAST = 0.002  # of a frame: smaller regions of characters are neither painted nor looked for
SMALLEST = 0.0004  # of a frame: smaller regions are not offered
TOLERANCE = (
    14  # of 255: how far the colour of one part may be from that of the same in another shot
)
THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
FITTED = (9711, 9712, 9713)  # series that the coefficients come from
LUMA = np.array([0.299, 0.587, 0.114])


class Part(NamedTuple):
    """A region of a character in a frame: whose, its colour, and where."""

    name: str
    color: np.ndarray
    mask: np.ndarray


class Found(NamedTuple):
    """An offer: its score, and whether it is right."""

    score: float
    right: bool


def gray(color: np.ndarray, number: int) -> Frame:
    """Return a frame in black and white."""
    luma = np.rint(color @ LUMA).astype(np.uint8)
    return Frame(number, "", np.repeat(luma[..., None], 3, axis=2))


def parts(series: CartoonSeries, index: int, frame: int) -> Iterator[Part]:
    """Yield the regions of the characters of a frame, by the colour that they have in all shots."""
    shot = series.shot(index)
    for name in shot.characters:
        own = series.segments_of(index, name)
        for number in own:
            mask = shot.segments[frame] == number
            if mask.mean() >= LEAST:
                yield Part(name, np.median(shot.color[frame][mask], axis=0), mask)


class Trial(NamedTuple):
    """What is known of the regions of a frame and a swatch, and which share of each is that."""

    evidence: Evidence
    share: np.ndarray
    regions: Regions


def trials(series: CartoonSeries, networks: LoadedNetworks) -> Iterator[list[Trial]]:
    """Yield for every two shots of a series what of the first is found in the second."""
    frame = LENGTH // 2
    grays = [gray(series.color(number)[frame], number) for number in range(len(series))]
    regions = [find_regions(each.gray()) for each in grays]
    known = [list(parts(series, number, frame)) for number in range(len(series))]
    for example in range(len(series)):
        swatches: list[Part] = []
        layer = np.zeros(SIZE, np.uint16)
        for part in known[example]:
            number = same(part, swatches)
            if number is None:
                swatches.append(part)
                number = len(swatches) - 1
            layer[part.mask] = number + 1
        recognizer = Recognizer(networks, [Example(grays[example], layer)])
        for other in range(len(series)):
            if other == example:
                continue
            labels = regions[other].levels[regions[other].usual][regions[other].finest]
            counts = np.maximum(np.bincount(labels.ravel()), 1)
            some = []
            for each in recognizer.evidence(grays[other], regions[other]):
                truth = np.zeros(SIZE, bool)
                for part in known[other]:
                    if same(part, swatches) == each.swatch - 1:
                        truth |= part.mask
                share = np.bincount(labels.ravel(), weights=truth.ravel()) / counts
                some.append(Trial(each, share, regions[other]))
            yield some


def same(part: Part, swatches: list[Part]) -> int | None:
    """Return which of some parts is the same one of the same character."""
    for number, each in enumerate(swatches):
        if each.name == part.name and np.abs(each.color - part.color).max() <= TOLERANCE:
            return number
    return None


def measure(
    series: CartoonSeries, networks: LoadedNetworks
) -> tuple[list[Found], dict[float, int], int]:
    """Return the offers, how many swatches are found at each threshold, and of how many."""
    offered: list[Found] = []
    found, total = dict.fromkeys(THRESHOLDS, 0), 0
    for some in trials(series, networks):
        if not some:
            continue
        scores = np.stack([each.evidence.score() for each in some])
        shares = np.stack([each.share for each in some])
        labels = some[0].regions.levels[some[0].regions.usual][some[0].regions.finest]
        large = np.bincount(labels.ravel()) >= SMALLEST * labels.size
        total += int((shares[:, large] > 0.5).any(axis=1).sum())
        best = scores.argmax(axis=0)
        right = shares[best, np.arange(len(best))] > 0.5
        top = scores.max(axis=0)
        kept = np.flatnonzero(large & (top >= min(THRESHOLDS)))
        offered += [Found(float(top[label]), bool(right[label])) for label in kept]
        for least in THRESHOLDS:
            sure = large & right & (top >= least)
            found[least] += len(set(best[sure].tolist()))
    return offered, found, total


def fit(series: list[CartoonSeries], networks: LoadedNetworks) -> dict[str, float]:
    """Return the coefficients of what is known of a region, by which it is judged best."""
    rows, right = [], []
    for each in series:
        for trial in (t for some in trials(each, networks) for t in some):
            labels = trial.regions.levels[trial.regions.usual][trial.regions.finest]
            large = np.bincount(labels.ravel()) >= SMALLEST * labels.size
            known = trial.evidence
            luma = np.minimum(known.luma, 0.3)
            columns = [known.cosine, known.margin, known.votes, luma, known.size]
            rows.append(np.stack([*columns, np.ones_like(luma)], axis=1)[large])
            right.append(trial.share[large] > 0.5)
    table, truth = torch.from_numpy(np.concatenate(rows)), np.concatenate(right)
    wanted = torch.from_numpy(truth.astype(float))
    weights = torch.zeros(table.shape[1], dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = functional.binary_cross_entropy_with_logits(table @ weights, wanted)
        value = value + 1e-6 * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    names = ("cosine", "margin", "votes", "luma", "size", "bias")
    return dict(zip(names, np.round(weights.detach().numpy(), 2).tolist(), strict=True))


def drawn(look: str, seed: int) -> CartoonSeries:
    """Return a procedural series."""
    return CartoonSeries(
        seed=seed, size=SIZE, shots=SHOTS, frames_per_shot=LENGTH, effects=False, look=look
    )


def rows_of(offered: list[Found], found: dict[float, int], total: int) -> list[dict[str, float]]:
    """Return precision and recall at every threshold."""
    rows = []
    for least in THRESHOLDS:
        sure = [each for each in offered if each.score >= least]
        precision = sum(each.right for each in sure) / max(1, len(sure))
        rows.append(
            {
                "least": least,
                "offers": len(sure),
                "precision": precision,
                "recall": found[least] / max(1, total),
            }
        )
    return rows


def sheet(networks: LoadedNetworks, path: Path) -> None:
    """Draw an example, and what is found again in the other shots."""
    series = CartoonSeries(seed=SEEDS[0], size=SIZE, shots=4, frames_per_shot=LENGTH, effects=False)
    frame = LENGTH // 2
    layer, colors = np.zeros(SIZE, np.uint16), [np.zeros(3)]
    color = series.color(0)[frame]
    for number, part in enumerate(parts(series, 0, frame), 1):
        layer[part.mask] = number
        colors.append(np.median(color[part.mask], axis=0))
    recognizer = Recognizer(networks, [Example(gray(color, 0), layer)])
    painted = np.where(layer[..., None] > 0, np.array(colors)[layer], gray(color, 0).rgb)
    rows = [[gray(color, 0).rgb, painted.astype(np.uint8), color]]
    for other in range(1, 4):
        true = series.color(other)[frame]
        target = gray(true, 1)
        shown = target.rgb.copy()
        for each in recognizer.offers(target, find_regions(target.gray())):
            shown[each.mask] = colors[each.swatch]
        rows.append([target.rgb, shown, true])
    save_sheet(
        path,
        contact_sheet(
            rows, column_titles=["gray", "painted, found again", "as drawn"], cell_width=320
        ),
    )


def main() -> None:
    """Measure, and write what comes out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--checkpoint", default="default", help="weights (default: shipped ones)")
    add("--seeds", type=int, nargs="+", default=SEEDS)
    add("--looks", nargs="+", choices=LOOKS, default=LOOKS)
    add("--fit", action="store_true", help="print the coefficients that fit other series best")
    add("-o", "--output", type=Path, default=Path("recognition"))
    options = parser.parse_args()
    with one_line_errors(), terminal():
        networks = Colorizer.load(options.checkpoint)
        if options.fit:
            some = [drawn(look, seed) for look in options.looks for seed in FITTED]
            print(json.dumps(fit(some, networks)))
            return
        kinds = [(look, seed) for look in options.looks for seed in options.seeds]
        by_look: dict[str, Any] = {}
        for look in options.looks:
            offered: list[Found] = []
            found, total = dict.fromkeys(THRESHOLDS, 0), 0
            for _, seed in tracked([k for k in kinds if k[0] == look], look, unit="series"):
                series = drawn(look, seed)
                some, hits, count = measure(series, networks)
                offered += some
                total += count
                found = {least: found[least] + hits[least] for least in THRESHOLDS}
            by_look[look] = {"regions": total, "thresholds": rows_of(offered, found, total)}
        options.output.mkdir(parents=True, exist_ok=True)
        about = provenance(data=f"procedural series {options.seeds}", checkpoint=options.checkpoint)
        text = json.dumps({"provenance": about, "looks": by_look}, indent=1)
        (options.output / "recognition.json").write_text(text + "\n")
        lines = [
            "| look | regions | least score | offers | right | found |",
            "| --- | --: | --: | --: | --: | --: |",
        ]
        for look, each in by_look.items():
            for row in each["thresholds"]:
                mark = " (default)" if row["least"] == LEAST_SCORE else ""
                lines.append(
                    f"| {look} | {each['regions']} | {row['least']}{mark} | {row['offers']} | "
                    f"{row['precision']:.0%} | {row['recall']:.0%} |"
                )
        (options.output / "recognition.md").write_text("\n".join(lines) + "\n")
        print("\n".join(lines))
        sheet(networks, options.output / "recognition.png")


if __name__ == "__main__":
    main()
