"""Click into procedural cartoons whose fills are known, and see what each click selects.

  python experiments/painting/fill.py -o experiments/painting \\
      --clips ../shared/data/penny-and-chip/clips

A click is a random pixel of a true region of at least 0.05 % of the picture, two pixels or more
from its edge; each region gets one. A true region is a connected area of one fill (or of one region
of the set), without ink. Where neither ink nor a step of luma lies between two of them (over half
of their common border differs by less than 4 of 255), nobody could tell them apart in the gray
frame, and they count as one. A passage of up to 4 pixels is no wider than the gaps that fills are
to close: a click may select what lies on its side of such passages, or all.

A click is right if it selects at least 90 % of its region, and outside of it less than 5 % of the
region's area. Ink counts as neither, nor does the pixel on each side of the region's edge, which
shows both sides.

Frames are measured as drawn, and once more with their lines broken by 40 gaps of 3 pixels: strips
across lines in the gray beside them. Writes fill.json, fill.md and fill.jpg.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.cartoon.series import CartoonSeries
from colorize.imaging.fills import USUAL, Regions, find_regions
from colorize.media import open_source

LOOKS = ("rubber_hose", "pastel", "poster")
TUNING, HELD_OUT = (311, 312), (411, 412, 413)
SIZE, SHOTS = (360, 640), 4
SMALLEST = 0.0005  # of the picture
SAME = 4.0  # of 255: a step that nobody sees
GAPS, WIDTH = 40, 3
RIGHT, SPILL = 0.9, 0.05
NEXT = np.ones((3, 3), np.uint8)
PASSAGE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


@dataclass(frozen=True)
class Picture:
    """A gray frame with its true regions (-1 on ink), and which of them are drawings' fills."""

    name: str
    gray: np.ndarray
    regions: np.ndarray
    drawn: frozenset[int]


@dataclass(frozen=True)
class Click:
    """A place, the region that it is to select, and the part on its side of narrow passages."""

    place: tuple[int, int]
    region: np.ndarray
    part: np.ndarray
    drawn: bool


def pictures(look: str, seeds: tuple[int, ...]) -> Iterator[Picture]:
    """Yield the second frame of each shot of procedural series."""
    for seed in seeds:
        series = CartoonSeries(seed=seed, size=SIZE, shots=8, frames_per_shot=3, look=look)
        for index in range(SHOTS):
            shot = series.shot(index)
            gray = cv2.cvtColor(shot.color[1], cv2.COLOR_RGB2GRAY)
            _, stage = series._stage(index)
            named = stage.sheet._segments  # the only place that tells ink and shadows apart
            ink = [number for key, number in named.items() if "ink" in key[1:]]
            shade = [number for key, number in named.items() if "shadow" in key[1:]]
            drawn = set(named.values()) - set(ink) - set(shade)
            yield true_regions(f"{look} {seed} {index}", gray, shot.segments[1], ink, drawn, shade)


def true_regions(
    name: str, gray: np.ndarray, segments: np.ndarray, ink: list[int], drawn: set[int],
    shade: list[int],
) -> Picture:  # fmt: skip
    """Return what the segments of a frame are to a click."""
    from skimage.measure import label

    regions = label(segments, connectivity=1, background=-1).astype(np.int64) - 1
    count = int(regions.max()) + 1
    owner = np.zeros(count, int)
    owner[regions.ravel()] = segments.ravel()
    inked = np.isin(owner, ink)
    parents = np.arange(count)
    for first, second, steps in _borders(regions, gray):
        told = inked[first] or inked[second] or np.median(np.abs(steps)) >= SAME
        if len(steps) >= 4 and not told:
            parents[parents == parents[second]] = parents[first]
    joined = np.where(inked[regions], -1, parents[regions])
    fills = {int(parents[k]) for k in range(count) if owner[k] in drawn}
    shadows = {int(parents[k]) for k in range(count) if owner[k] in shade}
    skipped = np.isin(joined, list(shadows - fills))
    return Picture(name, gray, np.where(skipped, -2, joined), frozenset(fills))


def _borders(regions: np.ndarray, gray: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield pairs of neighbours and the steps of luma along their common border, 3 pixels apart."""
    smooth = cv2.GaussianBlur(gray, (0, 0), 0.7).astype(np.float32)
    found = []
    for own, values in ((regions, smooth), (regions.T, smooth.T)):
        last = own.shape[1] - 1
        y, x = np.nonzero(own[:, :-1] != own[:, 1:])
        left, right = np.maximum(x - 1, 0), np.minimum(x + 2, last)
        left = np.where(own[y, left] == own[y, x], left, x)
        right = np.where(own[y, right] == own[y, x + 1], right, x + 1)
        found.append((own[y, x], own[y, x + 1], values[y, right] - values[y, left]))
    first, second, steps = (np.concatenate(each) for each in zip(*found, strict=True))
    keys = np.minimum(first, second) * (regions.max() + 1) + np.maximum(first, second)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    for group in np.split(order, starts[1:]):
        yield int(first[group[0]]), int(second[group[0]]), steps[group]


def broken(picture: Picture, rng: np.random.Generator) -> np.ndarray:
    """Return the gray frame with gaps in its lines, each a strip across in the nearest gray."""
    gray, ink = picture.gray.copy(), (picture.regions == -1).astype(np.uint8)
    rows, columns = np.nonzero(ink)
    if not len(rows):
        return gray
    around = cv2.dilate(ink, NEXT)
    near = cv2.distanceTransformWithLabels(around, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[
        1
    ]
    beside = np.zeros(int(near.max()) + 1, np.uint8)
    beside[near[around == 0]] = picture.gray[around == 0]
    for place in rng.choice(len(rows), min(GAPS, len(rows)), replace=False):
        y, x = int(rows[place]), int(columns[place])
        window = np.argwhere(ink[max(y - 5, 0) : y + 6, max(x - 5, 0) : x + 6])
        spread, axes = np.linalg.eigh(np.cov(window.T)) if len(window) > 3 else ((1, 1), None)
        if axes is None or spread[0] > 0.5 * spread[1]:
            continue  # a crossing or a blot, no line
        bottom, side = min(y + 9, ink.shape[0]), min(x + 9, ink.shape[1])
        area = np.s_[max(y - 8, 0) : bottom, max(x - 8, 0) : side]
        down, right = np.mgrid[area] - np.array([y, x])[:, None, None]
        along = np.abs(down * axes[0, 1] + right * axes[1, 1])
        across = np.abs(down * axes[1, 1] - right * axes[0, 1])
        gap = (along < WIDTH / 2) & (across < 7) & (around[area] > 0)
        gray[area][gap] = beside[near][area][gap]
    return gray


def clicks(picture: Picture, rng: np.random.Generator) -> Iterator[Click]:
    """Yield one click into each region that is large enough."""
    areas = np.bincount(picture.regions.ravel() + 2)
    for number in np.flatnonzero(areas >= SMALLEST * picture.gray.size) - 2:
        if number < 0:
            continue
        region = picture.regions == number
        inside = cv2.erode(region.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1)
        places = np.argwhere(inside)
        if len(places):
            y, x = (int(each) for each in places[rng.integers(len(places))])
            yield Click((y, x), region, _part(region, y, x), int(number) in picture.drawn)


def _part(region: np.ndarray, y: int, x: int) -> np.ndarray:
    """Return what of a region lies on this side of its narrow passages."""
    wide = cv2.erode(region.astype(np.uint8), PASSAGE, borderValue=1)
    count, parts = cv2.connectedComponents(wide, connectivity=4)
    if count <= 2:
        return region
    near = cv2.distanceTransformWithLabels(
        (wide == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    owners = np.zeros(int(near.max()) + 1, np.int32)
    owners[near[wide > 0]] = parts[wide > 0]
    return region & (owners[near] == owners[near[y, x]])


def share(selected: np.ndarray, truth: np.ndarray, ink: np.ndarray) -> tuple[float, float]:
    """Return how much of a true region is selected, and how much else, by its area."""
    inner = cv2.erode(truth.astype(np.uint8), NEXT, borderValue=1) > 0
    outer = cv2.dilate(truth.astype(np.uint8), NEXT) == 0
    return (
        float((selected & inner).sum() / max(inner.sum(), 1)),
        float((selected & outer & ~ink).sum() / truth.sum()),
    )


def right(selected: np.ndarray, click: Click, ink: np.ndarray) -> bool:
    """Return whether a click selects what it is to."""
    for truth in (click.region, click.part):
        covered, spilt = share(selected, truth, ink)
        if covered >= RIGHT and spilt < SPILL:
            return True
    return False


def measure(look: str, seeds: tuple[int, ...], rows: dict) -> list[np.ndarray]:
    """Add the clicks of a look to ``rows``, right or not by level; return pictures of a few."""
    shown = []
    for number, picture in enumerate(pictures(look, seeds)):
        ink = picture.regions == -1
        for lines in ("whole", "broken"):
            rng = np.random.default_rng(number)
            asked = list(clicks(picture, rng))
            gray = picture.gray if lines == "whole" else broken(picture, rng)
            regions = find_regions((gray / 255).astype(np.float32))
            wrong = []
            for click in asked:
                kind = "fills of drawings" if click.drawn else "regions of sets"
                selected = [regions.at(*click.place, level) for level in range(len(regions.levels))]
                found = [right(each, click, ink) for each in selected]
                covered, spilt = share(selected[regions.usual], click.region, ink)
                thick = float(cv2.distanceTransform(np.pad(click.region, 1).astype(np.uint8),
                                                    cv2.DIST_L2, 5).max())  # fmt: skip
                rows.setdefault((look, kind, lines), []).append((found, covered, spilt, thick))
                if not found[regions.usual]:
                    wrong.append(click.place)
            if number < 3:
                shown.append(overlay(gray, regions, wrong))
    return shown


def overlay(gray: np.ndarray, regions: Regions, wrong: list[tuple[int, int]]) -> np.ndarray:
    """Return a frame beside its usual regions in random colours, with dots where clicks fail."""
    labels = regions.levels[regions.usual][regions.finest]
    colors = np.random.default_rng(0).integers(40, 255, (int(labels.max()) + 1, 3))
    plain = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    painted = (0.4 * plain + 0.6 * colors[labels]).astype(np.uint8)
    for y, x in wrong:
        cv2.circle(painted, (x, y), 3, (255, 0, 0), -1)
    return np.hstack([plain, painted])


def real(folder: Path) -> list[np.ndarray]:
    """Return overlays of the middle frames of a few real clips."""
    found = []
    for path in sorted(folder.glob("*.mp4"))[::4]:
        with open_source(path) as source:
            frames = list(source.frames())
        frame = frames[len(frames) // 2]
        luma = np.ascontiguousarray(frame.gray())
        small = cv2.resize(luma, SIZE[::-1], interpolation=cv2.INTER_AREA)
        found.append(overlay(np.rint(small * 255).astype(np.uint8), find_regions(small), []))
    return found


def seconds() -> dict[str, float]:
    """Return what a frame costs, and then a click, in seconds of one core."""
    spent = {}
    for size in ((360, 640), (720, 1280)):
        series = CartoonSeries(seed=HELD_OUT[0], size=size, shots=8, frames_per_shot=1)
        costs, each = [], []
        for index in range(SHOTS):
            gray = cv2.cvtColor(series.color(index)[0], cv2.COLOR_RGB2GRAY)
            luma = (gray / 255).astype(np.float32)
            start = time.process_time()
            regions = find_regions(luma)
            costs.append(time.process_time() - start)
            start = time.process_time()
            for column in range(0, size[1], 64):
                regions.at(size[0] // 2, column)
            each.append((time.process_time() - start) / len(range(0, size[1], 64)))
        spent[f"{size[1]}x{size[0]}"] = float(np.median(costs))
        spent[f"{size[1]}x{size[0]} click"] = float(np.median(each))
    return spent


def table(rows: dict) -> list[str]:
    """Return the lines of fill.md."""
    lines = [
        "| look | clicks into | lines | clicks | right | at some level | too little | spilt |",
        "| --- | --- | --- | --: | --: | --: | --: | --: |",
    ]
    for (look, kind, state), clicked in sorted(rows.items()):
        usual = np.array([each[0] for each in clicked])
        little = np.mean([each[1] < RIGHT for each in clicked])
        spilt = np.mean([each[2] >= SPILL for each in clicked])
        share_right = usual[:, USUAL].mean()
        lines.append(
            f"| {look} | {kind} | {state} | {len(clicked)} | {share_right:.1%} "
            f"| {usual.any(1).mean():.1%} | {little:.1%} | {spilt:.1%} |"
        )
    return lines


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--clips", type=Path, help="folder of real clips to show")
    parser.add_argument("--tuning", action="store_true", help="the seeds that settings are from")
    options = parser.parse_args()
    rows: dict = {}
    shown: list[np.ndarray] = []
    for look in LOOKS:
        shown += measure(look, TUNING if options.tuning else HELD_OUT, rows)[1::2]
    if options.clips:
        shown += real(options.clips)
    lines, spent = table(rows), seconds()
    lines += ["", *(f"- {name}: {value:.4f} s" for name, value in spent.items())]
    options.output.mkdir(parents=True, exist_ok=True)
    content = {
        "seeds": TUNING if options.tuning else HELD_OUT,
        "seconds": spent,
        "clicks": {
            " / ".join(key): {
                "of each click": "right at each level, covered, spilt, thickness",
                "values": [
                    [
                        "".join(str(int(each)) for each in found),
                        round(covered, 3),
                        round(spilt, 3),
                        round(thick, 1),
                    ]
                    for found, covered, spilt, thick in clicked
                ],
            }
            for key, clicked in rows.items()
        },
    }
    write_atomically(options.output / "fill.json", json.dumps(content).encode())
    write_atomically(options.output / "fill.md", ("\n".join(lines) + "\n").encode())
    shown += [np.zeros_like(shown[0])] * (len(shown) % 2)
    sheet = np.vstack([np.hstack(shown[k : k + 2]) for k in range(0, len(shown), 2)])
    sheet = cv2.resize(sheet, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    picture = cv2.imencode(".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [1, 85])[1]
    write_atomically(options.output / "fill.jpg", picture.tobytes())
    print("\n".join(lines))


if __name__ == "__main__":
    with one_line_errors():
        main()
