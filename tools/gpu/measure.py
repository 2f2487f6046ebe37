"""Measure how fast everything runs on a device, and how much memory it takes.

    python tools/gpu/measure.py --device cuda --json speed.json

Films and drawings are noise or procedural cartoons, and feature networks have random weights: they
cost alike. The stage ``speed`` of tools/on_cuda.py runs this.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from benchmarks.losses import cartoon, loss_run
from benchmarks.networks import generator_steps, naive_hypercolumn
from benchmarks.timing import Setting
from torch import Tensor, nn

from colorize import losses
from colorize.cartoon import CartoonSeries
from colorize.films import command as films
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, write_video
from colorize.networks.prototype.generator import Generator
from colorize.networks.prototype.refiner import Refiner
from colorize.pretrained.vgg19 import VGG19
from gpu.figures import Figures
from gpu.training_speed import training

# (height, width) and frames of the films.
_FILMS = {(360, 640): 96, (1080, 1920): 48, (2160, 3840): 24}
_TINY_FILMS = {(48, 64): 4}
_COUNTS = (0, 1, 4)  # of references
_SHOT = 8  # frames of the shot that is coloured by references
_TINY_SHOT = 2


def main() -> None:
    """Take all figures."""
    options = _parse()
    repeated = 1 if options.tiny else 5
    figures = Figures(
        options.json, device=options.device, seconds=options.seconds, repeated=repeated
    )
    torch.manual_seed(0)
    setting = _setting(options)
    figures.section("prototype", lambda: prototype(figures, setting))
    figures.section("losses", lambda: terms(figures, setting))
    size, count = ((32, 48), _TINY_SHOT) if options.tiny else ((256, 456), _SHOT)
    figures.section("guided network", lambda: guided(figures, size=size, count=count))
    figures.section("training", lambda: training(figures, tiny=options.tiny))
    sizes = _TINY_FILMS if options.tiny else _FILMS
    with tempfile.TemporaryDirectory() as folder:
        figures.section("films", lambda: whole_films(figures, Path(folder), sizes))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="cuda (default) or cpu")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--seconds", type=float, default=150, help="begin none after so long")
    parser.add_argument("--tiny", action="store_true", help="sizes that take a CPU no time")
    return parser.parse_args()


def _setting(options: argparse.Namespace) -> Setting:
    taps = ["conv1_2", "conv2_1"] if options.tiny else [f"conv{n}_2" for n in range(1, 6)]
    return Setting(
        features=VGG19(weights="random", convention=None, taps=taps).to(options.device),
        size=(32, 32) if options.tiny else (240, 320),
        batch_size=1 if options.tiny else 8,
        device=options.device,
        repetitions=5,
        seed=0,
    )


class _Naive(nn.Module):
    """A hypercolumn without the shortcut, in the place of one with it."""

    def __init__(self, projection: Any) -> None:
        super().__init__()
        self.projection = projection

    def forward(self, gray: Tensor) -> Tensor:
        return naive_hypercolumn(self.projection, gray)


def prototype(figures: Figures, setting: Setting) -> None:
    """Time f with the shortcut and without it, g, and training steps of f."""
    batch, device = setting.batch_size, setting.device
    gray = torch.rand(batch, 1, *setting.size, device=device)
    where = f"{batch} x {setting.size[0]}x{setting.size[1]}"

    def forward(*, shortcut: bool, bfloat16: bool) -> Callable[[], object]:
        model = Generator(features=setting.features).to(device).eval()
        if not shortcut:
            model.unet.first = _Naive(model.unet.first)

        def run() -> None:
            with (
                torch.inference_mode(),
                torch.autocast(device, dtype=torch.bfloat16, enabled=bfloat16),
            ):
                model(gray)

        return run

    def refine() -> Callable[[], object]:
        refiner = Refiner().to(device).eval()
        evidence = torch.rand(batch, 18, *setting.size, device=device)

        def run() -> None:
            with torch.inference_mode():
                refiner(evidence, gray)

        return run

    for shortcut in (True, False):
        for bfloat16 in (False, True):
            name = f"f {'with' if shortcut else 'without'} the shortcut"
            figures.time(
                f"{name}, {'bf16' if bfloat16 else 'fp32'}, {where}",
                lambda s=shortcut, b=bfloat16: forward(shortcut=s, bfloat16=b),
                frames=batch,
            )
    figures.time(f"g, fp32, {where}", refine, frames=batch)
    color = torch.rand(batch, 1, 3, *setting.size, device=device)
    for name in generator_steps(setting, color):
        figures.time(
            f"training step, {name}, fp32, {where}",
            lambda n=name: generator_steps(setting, color)[n],
            frames=batch,
        )


def terms(figures: Figures, setting: Setting) -> None:
    """Time each loss on pairs, forward and backward, for four outputs."""
    color, targets = cartoon(setting, frames=2)
    chosen: dict[str, Callable[[], nn.Module]] = {
        "RankDiversity": lambda: losses.RankDiversity(features=setting.features),
        **{
            name: getattr(losses, name)
            for name in (
                *("Color", "Segment", "SegmentUniformity"),
                *("Bilateral", "Temporal", "Refinement"),
            )
        },
    }
    height, width = setting.size
    for name, build in chosen.items():
        figures.time(
            f"loss {name}, {setting.batch_size} pairs of {height}x{width}, four outputs",
            lambda make=build: loss_run(make().to(setting.device), color, targets),
            frames=2 * setting.batch_size,
        )


def guided(figures: Figures, *, size: tuple[int, int], count: int) -> None:
    """Time the shipped network with 0, 1 and 4 references: alone, and in a shot of ``count``."""
    networks = LoadedNetworks.load(device=figures.device, short_side=min(size))
    frames = [_noise(number, size) for number in range(count)]
    pictures = {str(n): _noise(count + n, size) for n in range(max(_COUNTS))}
    names = list(pictures)
    library = Library(
        networks, [ColoredPicture(name, partial(pictures.__getitem__, name)) for name in names]
    )
    gray = torch.from_numpy(frames[0].gray())[None, None].to(networks.device)

    def alone(references: int) -> Callable[[], object]:
        looked = (
            networks.look_at(list(pictures.values())[:references], size=size)
            if references
            else None
        )

        def run() -> None:
            with torch.inference_mode():
                networks.model(gray, looked)

        return run

    def shot(references: int) -> Callable[[], object]:
        engine = ShotEngine(networks, RenderSettings(stillness=0.0), library=library, batch_size=4)
        return lambda: engine.coloring(frames, variant=0, before={}, names=names[:references])

    for given in _COUNTS:
        told = f"{given} reference{'s' * (given != 1)}, {size[0]}x{size[1]}"
        figures.time(f"guided network, {told}", lambda c=given: alone(c), frames=1)
        figures.time(
            f"shot of {count} with its flow, {told}",
            lambda c=given: shot(c),
            frames=count,
        )


def whole_films(figures: Figures, folder: Path, films_of: dict[tuple[int, int], int]) -> None:
    """Time the command ``colorize`` on films of each size, from file to file."""
    for index, ((height, width), count) in enumerate(films_of.items()):
        source = folder / f"{height}.mp4"
        write_video(source, _film((height, width), count), rate=Fraction(24), quality=60)
        if index == 0:  # what a process does once
            _color(source, folder / "warm.mp4", figures.device)

        def measure(source: Path = source, count: int = count) -> dict[str, Any]:
            start = time.perf_counter()
            _color(source, source.with_name(f"out-{source.name}"), figures.device)
            seconds = time.perf_counter() - start
            return {"seconds": seconds, "frames_per_second": count / seconds}

        figures.take(f"film of {count} frames of {width}x{height}, end to end", measure)


def _color(source: Path, output: Path, device: str) -> None:
    films.main([str(source), "-o", str(output), "--device", device, "--quiet"])


def _film(size: tuple[int, int], count: int) -> Any:
    """Yield the gray frames of two shots of a cartoon, drawn small and enlarged."""
    small = (min(180, size[0]), min(320, size[1]))
    series = CartoonSeries(seed=0, size=small, shots=2, frames_per_shot=count // 2, effects=False)
    for index in range(len(series)):
        for picture in series.color(index):
            gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
            large = cv2.resize(gray, size[::-1], interpolation=cv2.INTER_CUBIC)
            yield np.repeat(large[..., None], 3, axis=2)


def _noise(seed: int, size: tuple[int, int]) -> Frame:
    rgb = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return Frame(seed, "", rgb)


if __name__ == "__main__":
    main()
