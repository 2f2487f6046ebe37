"""Measure how references bear what befalls films and prints, and pictures that are no frames.

  python experiments/never-seen/robustness.py --storybook ../shared/data/storybook \\
      --clips datasets/penny-and-chip -o experiments/never-seen/before

- **Worn films** (test clips of Penny & Chip; procedural series of every look): the middle frame of
  each shot is given in colour. Measured are the frames around it, as drawn and after the reference
  or the film is worn: PSNR of the colours on the clean luma, and its loss against clean.
- **Another page** (Storybook's test split): the next page of the story is the only reference,
  against automatic; shown whatever it is, and only where colorize finds it alike enough.
- **The hero's sheet** (procedural series): one character cut out, on white and on transparency, is
  the only reference of shots that show it: share of its pixels within a ΔE2000 of 10, and PSNR of
  all else, against automatic.

Writes robustness.json and robustness.md. Parts whose data are not given are left out; the first and
the last part are always measured on procedural series, unless --no-procedural is given.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from unseen import drawings, report, scoring, wear
from unseen.painting import paint

from colorize import Colorizer
from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.base.progress import tracked
from colorize.base.terminal import terminal
from colorize.cartoon import CartoonSeries
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.coloredness import is_colored
from colorize.imaging.tensors import to_tensor
from colorize.inference.choice import LEAST_LIKENESS
from colorize.inference.library import ColoredPicture, Library
from colorize.media import Frame

AROUND = 8  # frames before and after the middle of a shot
GAMMA, FLICKER, WEAVE, GRAIN = 1.8, 0.18, 0.01, 0.06
NEAR = 10.0  # ΔE2000
LOOKS = ("rubber_hose", *drawings.LOOKS)
SEED = 9100
SHOTS, WORN_SHOTS = 6, 3  # of each procedural series, and how many of them are worn
Frames = scoring.Frames
# How the frames of a shot and the reference are worn; the third is what the film truly shows.
Worn = tuple[Frames, np.ndarray, Frames]


def conditions(seed: int) -> dict[str, Callable[[Frames, int], Worn]]:
    """Return what is done to a shot whose frame at a place is the reference, by name."""

    def rng(frames: Frames) -> np.random.Generator:
        return np.random.default_rng([seed, len(frames), int(frames[0].astype(int).sum())])

    def of_reference(change: Callable[[Frames], Frames]) -> Callable[[Frames, int], Worn]:
        return lambda frames, at: (frames, change(frames[at : at + 1])[0], frames)

    def weave(frames: Frames, at: int) -> Worn:
        moved = wear.weaving(frames, most=WEAVE, rng=rng(frames))
        return moved, frames[at], moved

    return {
        "clean": lambda frames, at: (frames, frames[at], frames),
        f"reference of gamma {GAMMA} (luma)": of_reference(lambda f: wear.printed(f, gamma=GAMMA)),
        f"reference of gamma {GAMMA} (RGB)": of_reference(lambda f: wear.developed(f, gamma=GAMMA)),
        f"flicker of ±{100 * FLICKER:.0f} %": lambda frames, at: (
            wear.flickering(frames, most=FLICKER, rng=rng(frames)), frames[at], frames,
        ),
        f"weave of ±{100 * WEAVE:.0f} %": weave,
        f"grain of {GRAIN}": lambda frames, at: (
            wear.grainy(frames, sigma=GRAIN, rng=rng(frames)), frames[at], frames,
        ),
    }  # fmt: skip


def worn(shots: list[Frames], colorizer: Colorizer, *, every: int, title: str) -> dict[str, Any]:
    """Return for each condition the mean PSNR of colours, its loss, and how many frames count."""
    found: dict[str, list[float]] = {}
    for frames in tracked(shots, f"wearing {title}", unit="shot"):
        middle = len(frames) // 2
        first = max(0, middle - AROUND)
        window, at = frames[first : middle + AROUND + 1], middle - first
        places = [n for n in range(len(window)) if n != at and (n - at) % every == 0]
        for name, change in conditions(SEED).items():
            film, reference, truth = change(window, at)
            colored, _ = paint(colorizer, film, references={at: reference})
            values = scoring.psnr_of_colors(colored[places], truth[places])
            found.setdefault(name, []).extend(values.tolist())
    clean = float(np.mean(found["clean"]))
    return {
        name: {
            "psnr": float(np.mean(values)), "loss": clean - float(np.mean(values)),
            "frames": len(values),
        }
        for name, values in found.items()
    }  # fmt: skip


def clip_shots(root: Path) -> Iterator[Frames]:
    """Yield the shots of the test clips."""
    for shot in drawings.clips(root, every=1):
        yield shot.frames


def cartoon(look: str, *, scale: int = 1) -> CartoonSeries:
    """Return the procedural series of a look, the same drawings at every scale."""
    height, width = drawings.CLIP_SIZE
    return CartoonSeries(
        seed=SEED, size=(scale * height, scale * width), shots=SHOTS,
        frames_per_shot=2 * AROUND + 1, characters=3, scenes=4, effects=False, look=look,
    )  # fmt: skip


def another_page(root: Path, colorizer: Colorizer, *, every: int) -> dict[str, Any]:
    """Return PSNR of pages without references, and by the next page of their story."""
    rows: list[dict[str, float]] = []
    for story in tracked(drawings.stories(root, "test"), "turning pages", unit="story"):
        read = (drawings.read_page(file) for file in drawings.pages(root, story))
        found = [page for page in read if is_colored(page)]
        for number in range(0, len(found), every):
            page, other = found[number], found[(number + 1) % len(found)]
            alone, _ = paint(colorizer, page[None])
            shown, _ = paint(colorizer, page[None], references=[other])
            values = [float(scoring.psnr_of_colors(each, page[None])[0]) for each in (alone, shown)]
            alike = is_alike(colorizer, page, other)
            rows.append(
                {"automatic": values[0], "shown": values[1], "chosen": values[alike],
                 "alike": float(alike), "helped": float(values[1] > values[0])}
            )  # fmt: skip
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} | {
        "pages": len(rows)
    }


def is_alike(colorizer: Colorizer, frame: np.ndarray, other: np.ndarray) -> bool:
    """Return whether ``colorize`` would colour a frame by another picture, h w 3 or h w 4."""
    alpha = np.ascontiguousarray(other[..., 3]) if other.shape[2] == 4 else None
    picture = Frame(0, "", np.ascontiguousarray(other[..., :3]), alpha)
    library = Library(colorizer, [ColoredPicture("other", lambda: picture)])
    score = library.likeness(rgb_to_luma(to_tensor(frame[None])), ["other"])[0]
    return score >= LEAST_LIKENESS


def hero_sheet(look: str, colorizer: Colorizer, *, every: int) -> dict[str, Any]:
    """Return how a character's sheet serves the shots that show it, against automatic."""
    series, large = cartoon(look), cartoon(look, scale=2)
    hero = series.characters[0]
    shows = [index for index in range(SHOTS) if series.segments_of(index, hero)]
    sheet, source = drawn_sheet(large, hero, shows)
    ways = {
        "automatic": (), "on white": [scoring.on_white(sheet)], "on transparency": [sheet],
    }  # fmt: skip
    parts: dict[str, list[np.ndarray]] = {"truth": [], "mask": [], **{name: [] for name in ways}}
    for index in shows:
        if index == source:
            continue
        shot = series.shot(index)
        mask = np.isin(shot.segments, sorted(series.segments_of(index, hero)))
        parts["truth"].append(shot.color[::every])
        parts["mask"].append(mask[::every])
        for name, references in ways.items():
            colored, _ = paint(colorizer, shot.color, references=references)
            parts[name].append(colored[::every])
    whole = {name: np.concatenate(each) for name, each in parts.items()}
    truth, mask = whole["truth"], whole["mask"]
    return {"hero": hero, "frames": len(truth), "pixels": int(mask.sum())} | {
        name: {
            "near": scoring.within(whole[name], truth, mask, distance=NEAR),
            "background": scoring.psnr_within(whole[name], truth, ~mask),
        }
        for name in ways
    }


def drawn_sheet(large: CartoonSeries, hero: str, shows: list[int]) -> tuple[np.ndarray, int]:
    """Return the frame that shows most of a character, cut out, and the shot that it is of."""
    best, cut, source = 0, None, -1
    for index in shows:
        shot = large.shot(index)
        masks = np.isin(shot.segments, sorted(large.segments_of(index, hero)))
        # Not where an edge of the frame cuts it off.
        inside = ~(masks[:, [0, -1]].any((1, 2)) | masks[..., [0, -1]].any((1, 2)))
        counts = masks.sum((1, 2)) * inside
        if counts.max() > best:
            best, place, source = int(counts.max()), int(counts.argmax()), index
            cut = scoring.cut_out(shot.color[place], masks[place])
    assert cut is not None, "some frame shows it whole"
    return cut, source


def markdown(found: dict[str, Any]) -> str:
    """Return the figures as Markdown tables."""
    lines: list[str] = []
    if found["worn"]:
        names = list(found["worn"])
        lines += ["| one reference a shot | " + " | ".join(names) + " |"]
        lines += ["| --- |" + " --: |" * len(names)]
        first = found["worn"][names[0]]
        for condition in first:
            cells = [found["worn"][name][condition] for name in names]
            shown = [
                f"{c['psnr']:.2f}" + ("" if condition == "clean" else f" ({-c['loss']:+.2f})")
                for c in cells
            ]
            lines.append(f"| {condition} | " + " | ".join(shown) + " |")
        lines.append("")
    if found["another page"]:
        page = found["another page"]
        lines += [
            "| another page | PSNR of colours (dB) |", "| --- | --: |",
            f"| automatic | {page['automatic']:.2f} |",
            f"| shown ({100 * page['helped']:.0f} % of {page['pages']} pages gain) "
            f"| {page['shown']:.2f} |",
            f"| as `colorize` chooses ({100 * page['alike']:.0f} % are alike enough) "
            f"| {page['chosen']:.2f} |",
            "",
        ]  # fmt: skip
    if found["hero's sheet"]:
        ways = ("automatic", "on white", "on transparency")
        lines += [
            f"| hero's sheet | {' | '.join(f'hero, {way}' for way in ways)} | "
            f"{' | '.join(f'all else (dB), {way}' for way in ways)} |",
            "| --- |" + " --: |" * 6,
        ]
        for look, each in found["hero's sheet"].items():
            near = [f"{100 * each[way]['near']:.0f} %" for way in ways]
            rest = [f"{each[way]['background']:.2f}" for way in ways]
            lines.append(f"| {look}, {each['hero']} | {' | '.join(near + rest)} |")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure what the command line gives data of."""
    options = _parse()
    with one_line_errors(), terminal():
        torch.manual_seed(SEED)
        colorizer = Colorizer.load(options.checkpoint, device=options.device)
        made = report.made(
            colorizer, data=f"{AROUND} frames either side of the middle of each shot, every "
            f"{options.every}. measured; every {options.every_page}. page", seed=SEED,
            saw=options.saw,
        )  # fmt: skip
        found = measured(options, colorizer)
        content = json.dumps({"provenance": made, **found}, indent=1, ensure_ascii=False) + "\n"
        write_atomically(options.output / "robustness.json", content.encode())
        text = markdown(found)
        write_atomically(options.output / "robustness.md", text.encode())
        print(text)


def measured(options: argparse.Namespace, colorizer: Colorizer) -> dict[str, Any]:
    """Return the figures of each part."""
    films: dict[str, list[Frames]] = {}
    if options.clips:
        films["Penny & Chip"] = list(clip_shots(options.clips))
    looks = LOOKS if options.procedural else ()
    for look in looks:
        series = cartoon(look)
        films[f"procedural, {look}"] = [series.color(index) for index in range(WORN_SHOTS)]
    return {
        "worn": {
            name: worn(shots, colorizer, every=options.every, title=name)
            for name, shots in films.items()
        },
        "another page": another_page(options.storybook, colorizer, every=options.every_page)
        if options.storybook
        else None,
        "hero's sheet": {look: hero_sheet(look, colorizer, every=options.every) for look in looks},
    }


def _parse() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument(
        "--procedural", action=argparse.BooleanOptionalAction, default=True,
        help="measure procedural series too (default)",
    )  # fmt: skip
    parser.add_argument("--every", type=int, default=4, help="frames measured (default 4)")
    parser.add_argument("--every-page", type=int, default=2, help="pages measured (default 2)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
