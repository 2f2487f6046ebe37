"""Time the reference-guided generator of the shipped weights against the prototype's generator."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.timing import Setting, print_speedups, print_target
from colorize.inference.colorizer import Colorizer
from colorize.inference.shipped import weights_path
from colorize.motion.propagation import Tracks
from colorize.networks.prototype.generator import Generator

_SIZE = (256, 456)
_PROTOTYPE_SIZE = (240, 320)
_COUNTS = (1, 2, 4)
_FRAMES = 4  # of a shot, since tracks go from frame to frame
_TARGETS = {"automatic": 0.3, "1 reference": 0.5, "automatic, --fast": 0.1}  # seconds, two cores


def guided(setting: Setting) -> dict[str, Any]:
    """Time a frame from memory and by references, tracks included; references are looked at once.

    The baseline is the prototype's generator at its own size, with random weights.
    """
    colorizer = Colorizer.load(weights_path("default"), device=setting.device)
    gray = torch.rand(_FRAMES, 1, *_SIZE, device=setting.device)
    pictures = [torch.rand(1, 3, *_SIZE) for _ in range(max(_COUNTS))]
    known = colorizer.look_at(pictures, size=_SIZE)
    prototype = Generator(features=setting.features).to(setting.device).eval()
    small = torch.rand(1, 1, *_PROTOTYPE_SIZE, device=setting.device)

    def track(count: int) -> Tracks:
        tracks = Tracks(gray.cpu())
        for row in range(count):
            tracks.follow(str(row), known.gray[row : row + 1].cpu())
        return tracks

    def run(count: int, *, fast: bool = False) -> None:
        references = known.picked(range(count)) if count else None
        stream = colorizer.stream(references=references, fast=fast)
        tracks, names = track(count) if count else None, [str(row) for row in range(count)]
        for row in range(_FRAMES):
            tracked = None if tracks is None else tracks.of(names, [row]).to(gray.device)
            stream.working(gray[row : row + 1], tracked=tracked)

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
                "tracks to 1 reference alone": lambda: track(1),
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
