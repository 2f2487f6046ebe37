"""Measure which frames are worth colouring: suggested ones, beside evenly spaced and random ones.

With n frames of a gray film in their true colours as references, the film is coloured as colorize
does it, and the mean PSNR of all other frames is taken. Films: two procedural series that nothing
was tuned on, and the test clips of Penny & Chip joined to one (prepared at 108x192).

  python experiments/painting/suggested.py --clips datasets/penny-and-chip \\
      -o experiments/painting/suggested

Writes results.json (with the frames that were taken), results.md and curves.png. A film that was
measured with the same weights and commit is not measured again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from painting.drawn import NEAREST, Film, Measured, clips, procedural

from colorize.base.errors import one_line_errors
from colorize.base.files import write_atomically
from colorize.base.pieces import middles
from colorize.base.progress import tracked
from colorize.base.provenance import provenance
from colorize.base.terminal import terminal
from colorize.films.suggest import suggest
from colorize.inference.loaded import LoadedNetworks
from colorize.media import fingerprint

COUNTS = (1, 2, 4, 8, 12)
SEEDS = (9501, 9502)  # of procedural series
RANDOM = (0, 1, 2)
METHODS = ("suggested", "evenly spaced", "random")


def main() -> None:
    """Measure the films that the command line gives, and write what was found."""
    options = _parse()
    with one_line_errors(), terminal():
        networks = LoadedNetworks.load(options.checkpoint, device=options.device)
        assert networks.checkpoint is not None
        made = provenance(
            checkpoint=options.checkpoint, data="procedural series, Penny & Chip", seed=0
        )
        key = [fingerprint(networks.checkpoint.path), made["commit"]]
        films = [procedural(seed, shots=options.shots) for seed in options.seeds]
        if options.clips:
            films.append(clips(options.clips, "test"))
        found = {film.name: measured(film, networks, options, key) for film in films}
    content = json.dumps({"provenance": made, "films": found}, indent=1) + "\n"
    write_atomically(options.output / "results.json", content.encode())
    text = table(found)
    write_atomically(options.output / "results.md", text.encode())
    print(text)
    draw(found, options.output / "curves.png")


def measured(
    film: Film, networks: LoadedNetworks, options: argparse.Namespace, key: list[str]
) -> dict[str, Any]:
    """Return the curves of a film, as an earlier run wrote them or measured now."""
    file = options.output / "rows" / f"{film.name}.json"
    if file.is_file():
        earlier = json.loads(file.read_text(encoding="utf-8"))
        if earlier["key"] == key and "local changes" not in key[1]:
            return earlier["found"]
    found = measure(film, networks, options.counts)
    write_atomically(file, (json.dumps({"key": key, "found": found}) + "\n").encode())
    return found


def measure(film: Film, networks: LoadedNetworks, counts: Sequence[int]) -> dict[str, Any]:
    """Return by method and count which frames were coloured, and the mean PSNR of the others."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Measured(film, Path(folder), networks)
        spans = [(shot.start, shot.stop) for shot in whole.plan(()).shots]
        with whole.source as source:
            best = [each.frame for each in suggest(source, spans, networks, count=max(counts))]
        total = len(film.frames)
        shuffled = [np.random.default_rng(seed).permutation(total) for seed in RANDOM]
        rows: dict[str, Any] = {name: {} for name in METHODS}
        for count in tracked(counts, film.name, unit="count"):
            taken = {
                "suggested": [best[:count]],
                "evenly spaced": [middles(total, count)],
                "random": [sorted(order[:count].tolist()) for order in shuffled],
            }
            for method, choices in taken.items():
                figures = [_others(whole.figures(frames), frames) for frames in choices]
                rows[method][str(count)] = {"frames": choices, "psnr": figures}
        none = float(whole.figures(()).mean())
    return {"frames": total, "shots": len(spans), "without": none, "rows": rows}


def _others(figures: np.ndarray, frames: Sequence[int]) -> float:
    """Return the mean PSNR of all frames but some."""
    return float(np.delete(figures, list(frames)).mean())


def means(rows: Mapping[str, Any], method: str) -> list[float]:
    """Return the mean PSNR of a method by count, over its choices."""
    return [float(np.mean(each["psnr"])) for each in rows[method].values()]


def table(found: Mapping[str, Any]) -> str:
    """Return the curves as Markdown, and what the suggested frames gain over evenly spaced ones."""
    counts = list(next(iter(found.values()))["rows"]["suggested"])
    lines = [
        "| film | frames taken | none | " + " | ".join(counts) + " | mean |",
        "| --- | --- |" + " --: |" * (len(counts) + 2),
    ]
    for name, film in found.items():
        curves = {method: means(film["rows"], method) for method in METHODS}
        for method, curve in curves.items():
            cells = [*curve, float(np.mean(curve))]
            label = f"{name}, {film['frames']} frames, {film['shots']} shots"
            lines.append(
                f"| {label if method == METHODS[0] else ''} | {method} | {film['without']:.2f} | "
                + " | ".join(f"{each:.2f}" for each in cells)
                + " |"
            )
        gains = np.subtract(curves["suggested"], curves["evenly spaced"])
        cells = [*gains, float(gains.mean())]
        lines.append(
            "| | *suggested less evenly spaced* | | "
            + " | ".join(f"{each:+.2f}" for each in cells)
            + " |"
        )
    return "\n".join(lines) + "\n"


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Draw the curves of every film, random frames with their range."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        1, len(found), figsize=(4.2 * len(found), 3.6), squeeze=False, layout="constrained"
    )
    for ax, (name, film) in zip(axes[0], found.items(), strict=True):
        counts = [int(each) for each in film["rows"]["suggested"]]
        for method, color in zip(METHODS, ("#c8500a", "#1f6fb2", "#8a8a86"), strict=True):
            values = [each["psnr"] for each in film["rows"][method].values()]
            ax.plot(counts, [np.mean(each) for each in values], "o-", color=color, label=method)
            if method == "random":
                low, high = ([edge(each) for each in values] for edge in (min, max))
                ax.fill_between(counts, low, high, color=color, alpha=0.2, lw=0)
        ax.axhline(film["without"], color="#202020", lw=0.8, ls=":")
        ax.set(title=name, xlabel="frames in colour", xticks=counts)
        ax.grid(alpha=0.25)
    axes[0][0].set_ylabel("PSNR of all other frames (dB)")
    axes[0][0].legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\nPSNR of a frame counts up to {NEAREST:.1f} dB.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkpoint", default="default", help="default: the shipped weights")
    parser.add_argument("--clips", type=Path, help="Penny & Chip, made by colorize-prepare")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS, help="procedural series")
    parser.add_argument("--shots", type=int, default=8, help="of each series (default 8)")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="frames in colour")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default auto)")
    parser.add_argument("-o", "--output", type=Path, default=Path("suggested"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
