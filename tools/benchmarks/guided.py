"""Time the reference-guided generator of the shipped weights against the prototype's generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.timing import Setting, print_speedups, print_target
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.motion.propagation import Propagation
from colorize.networks.prototype.generator import Generator

_SIZE = (256, 456)
_PROTOTYPE_SIZE = (240, 320)
_COUNTS = (1, 2, 4)
_FRAMES = 4  # of a shot, since flow is propagated along it
_TARGETS = {"automatic": 0.3, "1 reference": 0.5, "automatic, --fast": 0.1}  # seconds, two cores


def guided(setting: Setting) -> dict[str, Any]:
    """Time a frame from memory and by references, with their flow; they are looked at once.

    The baseline is the prototype's generator at its own size, with random weights.
    """
    networks = LoadedNetworks.load(device=setting.device, short_side=min(_SIZE))
    frames = [_noise(number) for number in range(_FRAMES)]
    pictures = {str(n): _noise(_FRAMES + n) for n in range(max(_COUNTS))}
    library = Library(
        networks, [ColoredPicture(n, lambda each=each: each) for n, each in pictures.items()]
    )
    known = library.of(list(pictures), size=_SIZE)
    prototype = Generator(features=setting.features).to(setting.device).eval()
    small = torch.rand(1, 1, *_PROTOTYPE_SIZE, device=setting.device)

    def follow() -> None:
        gray = torch.stack([torch.from_numpy(each.gray())[None] for each in frames])
        Propagation(gray).follow("0", known.luma[0, :1].cpu())

    def run(count: int, *, fast: bool = False) -> None:
        settings = RenderSettings(stillness=0.0, fast=fast)
        engine = ShotEngine(networks, settings, library=library, batch_size=1)
        engine.coloring(frames, variant=0, before={}, names=list(pictures)[:count])

    def prototypes() -> None:
        for _ in range(_FRAMES):
            prototype(small)

    with torch.inference_mode():
        shots = setting.medians(
            {
                "prototype f at 320x240": prototypes,
                "automatic": lambda: run(0),
                **{
                    f"{count} reference{'s' * (count > 1)}": lambda count=count: run(count)
                    for count in _COUNTS
                },
                "automatic, --fast": lambda: run(0, fast=True),
                "1 reference, --fast": lambda: run(1, fast=True),
                "flow to 1 reference alone": follow,
            }
        )
    times = {name: seconds / _FRAMES for name, seconds in shots.items()}
    print_speedups(f"shipped weights at {_SIZE[1]}x{_SIZE[0]}, a frame", times)
    for name, target in _TARGETS.items():
        print_target(f"{name}, s", times[name], target, "{:.2f}")
    grown = (times["4 references"] - times["automatic"]) / (
        times["1 reference"] - times["automatic"]
    )
    print_target("four references cost, times one", grown, 4.0, "{:.1f}")
    return {"seconds": times, "four_to_one": grown}


def _noise(seed: int) -> Frame:
    rgb = np.random.default_rng(seed).integers(0, 256, (*_SIZE, 3), dtype=np.uint8)
    return Frame(seed, "", rgb)
