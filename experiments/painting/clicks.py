"""A simulated person paints a film by clicks, each where the result is worst.

  python experiments/painting/clicks.py --clips datasets/penny-and-chip -o painting/clicks

A click fills the region of a drawing that it is in (`find_regions`, the usual level) with the true
mean colour of that region. It goes to the frame and the region with the largest sum of squared
errors over the film, among every third frame, which are also those that are measured; the shot is
coloured anew by all that is painted in it, by the engine that `colorize` calls. Writes clicks.json,
clicks.md and clicks.png: the PSNR of the film over the number of clicks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from painting.drawn import Film, clips, procedural

from colorize.base.errors import one_line_errors
from colorize.base.progress import task
from colorize.base.provenance import provenance
from colorize.base.terminal import terminal
from colorize.films.painting.layer import painted
from colorize.films.painting.palette import Palette
from colorize.imaging.fills import Regions, find_regions
from colorize.inference.colorizer import Colorizer
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.shots import shot_starts

SEED, SHOTS, EVERY = 9601, 10, 3
TOLD = (0, 1, 2, 5, 10, 20, 50, 100, 150, 200)
LUMA = np.array([0.299, 0.587, 0.114])


class Person:
    """Who paints a film, and looks at every ``EVERY``-th frame of it."""

    def __init__(self, film: Film, networks: LoadedNetworks) -> None:
        self.truth = film.frames
        luma = np.rint(film.frames @ LUMA).astype(np.uint8)
        self.frames = [
            Frame(number, "", np.repeat(each[..., None], 3, axis=2))
            for number, each in enumerate(luma)
        ]
        starts = sorted(shot_starts(iter(luma)))
        self.shots = list(zip(starts, [*starts[1:], len(luma)], strict=True))
        self.looked = [n for start, stop in self.shots for n in range(start, stop)][::EVERY]
        self.regions: dict[int, Regions] = {}
        self.layers: dict[int, np.ndarray] = {}
        self.palette = Palette()
        self.networks = networks
        self.libraries = [Library(networks, []) for _ in self.shots]
        self.colored = [each.rgb for each in self.frames]
        self.pictures: dict[int, ColoredPicture] = {}
        for shot in range(len(self.shots)):
            self.render(shot)

    def render(self, shot: int) -> None:
        """Colour a shot by all that is painted in it."""
        start, stop = self.shots[shot]
        own = [self.pictures[n] for n in range(start, stop) if n in self.pictures]
        library = self.libraries[shot] = self.libraries[shot].renewed(own)
        engine = ShotEngine(self.networks, RenderSettings(), library=library if own else None)
        names = list(library.pictures)
        for colored in engine(self.frames[start:stop], names=names, variant=0):
            self.colored[colored[0].index] = colored[0].rgb

    def error(self, number: int) -> np.ndarray:
        """Return the squared error of the pixels of a frame, summed over channels."""
        return ((self.colored[number].astype(float) - self.truth[number]) ** 2).sum(axis=2)

    def psnr(self) -> float:
        """Return the mean PSNR (dB) of the frames that are looked at."""
        errors = [self.error(number).mean() / 3 for number in self.looked]
        return float(np.mean([10 * np.log10(255**2 / max(each, 1e-3)) for each in errors]))

    def of_gray(self) -> float:
        """Return the mean PSNR (dB) of the film in gray."""
        gray = [(self.frames[n].rgb.astype(float) - self.truth[n]) ** 2 for n in self.looked]
        return float(np.mean([10 * np.log10(255**2 / each.mean()) for each in gray]))

    def click(self) -> None:
        """Fill what is worst, and colour its shot anew."""
        number, label = max(self._worst(), key=lambda each: each[2])[:2]
        regions = self.regions[number]
        inside = regions.levels[regions.usual][regions.finest] == label
        mean = self.truth[number][inside].astype(float).mean(axis=0)
        color = "#" + np.rint(mean).astype(np.uint8).tobytes().hex()
        self.palette, swatch = self.palette.added(color)
        layer = self.layers.setdefault(number, np.zeros(inside.shape, np.uint16)).copy()
        layer[inside] = swatch.id
        self.layers[number] = layer
        frame = self.frames[number]
        read = partial(painted, frame, layer, self.palette)
        self.pictures[number] = ColoredPicture(str(number), read, number, lambda: frame)
        self.render(next(n for n, (start, stop) in enumerate(self.shots) if start <= number < stop))

    def _worst(self) -> Iterator[tuple[int, int, float]]:
        """Yield frame, label and summed error of the worst region of each frame."""
        for number in self.looked:
            if number not in self.regions:
                self.regions[number] = find_regions(self.frames[number].gray())
            regions = self.regions[number]
            labels = regions.levels[regions.usual][regions.finest]
            error = self.error(number)
            if number in self.layers:  # what is painted stays as it is
                error = np.where(self.layers[number] > 0, 0, error)
            sums = np.bincount(labels.ravel(), weights=error.ravel())
            yield number, int(sums.argmax()), float(sums.max())


def measure(film: Film, networks: LoadedNetworks, most: int) -> dict[str, Any]:
    """Return the PSNR of a film after every click."""
    person = Person(film, networks)
    curve = [person.psnr()]
    with task(f"painting {film.name}", total=most, unit="click") as bar:
        for _ in range(most):
            person.click()
            curve.append(person.psnr())
            bar.advance(detail=f"{curve[-1]:.2f} dB")
    return {
        "film": film.name,
        "frames": len(film.frames),
        "measured": len(person.looked),
        "shots": len(person.shots),
        "painted": len(person.layers),
        "gray": person.of_gray(),
        "psnr": curve,
    }


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """Plot the curves above gray."""
    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for each, color in zip(found, ("#c04d08", "#1f6fb2", "#2c7a4b"), strict=False):
        gain = np.array(each["psnr"]) - each["gray"]
        label = f"{each['film']}: {each['shots']} shots, gray {each['gray']:.1f} dB"
        axes.plot(np.arange(len(gain)), gain, color=color, label=label)
    axes.set(xlabel="clicks", ylabel="PSNR above gray (dB)", xlim=(0, None), ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=110)


def table(found: list[dict[str, Any]]) -> str:
    """Return the figures as a table."""
    told = [n for n in TOLD if all(n < len(each["psnr"]) for each in found)]
    lines = [
        "| clicks | " + " | ".join(each["film"] for each in found) + " |",
        "| --- |" + " --: |" * len(found),
        "| gray | " + " | ".join(f"{each['gray']:.2f}" for each in found) + " |",
    ]
    for number in told:
        cells = [
            f"{each['psnr'][number]:.2f} (+{each['psnr'][number] - each['gray']:.2f})"
            for each in found
        ]
        lines.append(f"| {number} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Paint the films, and write what comes out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--checkpoint", default="default", help="weights (default: shipped ones)")
    add("--clips", type=Path, help="prepared clips of Penny & Chip; their test split is painted")
    add("--seed", type=int, default=SEED, help="of the procedural series")
    add("--shots", type=int, default=SHOTS, help="of the procedural series; 0: none of it")
    add("--clicks", type=int, default=200)
    add("-o", "--output", type=Path, default=Path("clicks"))
    options = parser.parse_args()
    with one_line_errors(), terminal():
        networks = Colorizer.load(options.checkpoint)
        films = [procedural(options.seed, shots=options.shots)] if options.shots else []
        if options.clips:
            films.append(clips(options.clips, "test"))
        found = [measure(film, networks, options.clicks) for film in films]
        options.output.mkdir(parents=True, exist_ok=True)
        about = provenance(
            data=", ".join(each["film"] for each in found),
            checkpoint=options.checkpoint,
            seed=options.seed,
        )
        report = {"provenance": about, "films": found}
        (options.output / "clicks.json").write_text(json.dumps(report, indent=1) + "\n")
        (options.output / "clicks.md").write_text(table(found))
        draw(found, options.output / "clicks.png")
        print(table(found), end="")


if __name__ == "__main__":
    main()
