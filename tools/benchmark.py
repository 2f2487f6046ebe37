"""Measure speed ratios against a baseline in the same run: ``python tools/benchmark.py --help``."""

from __future__ import annotations

import argparse
import functools
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from benchmarks.divisors import divisors
from benchmarks.guided import guided
from benchmarks.live import live
from benchmarks.losses import losses, segment
from benchmarks.networks import TOLERANCE, hypercolumn, step
from benchmarks.pipeline import pipeline
from benchmarks.processes import start
from benchmarks.screening import screening
from benchmarks.targets import targets
from benchmarks.timing import Setting

from colorize.base.errors import one_line_errors
from colorize.pretrained.vgg19 import VGG19

_MEASUREMENTS = (
    *("hypercolumn", "step", "segment", "losses", "targets", "screening", "pipeline"),
    *("guided", "live"),
)


def main() -> int:
    """Run the chosen measurements; return 1 if the hypercolumn's shortcut is not exact."""
    options = _parse()
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    setting = _setting(options)
    report: dict[str, Any] = {"setting": _described(setting)}
    print("\n".join(f"{name}: {value}" for name, value in report["setting"].items()))
    measurements = _measurements(options)
    for name in options.only:
        report[name] = measurements[name](setting)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    difference = report.get("hypercolumn", {}).get("largest_difference", 0.0)
    if not difference <= TOLERANCE:
        print(f"error: shortcut and naive path differ by {difference:.1e}", file=sys.stderr)
        return 1
    return 0


def _measurements(options: argparse.Namespace) -> dict[str, Callable[[Setting], dict[str, Any]]]:
    of_frames = functools.partial(
        divisors, frames=options.frames, first=options.first, every=options.every
    )
    return {
        "hypercolumn": hypercolumn,
        "step": step,
        "segment": segment,
        "losses": losses,
        "targets": targets,
        "screening": screening,
        "pipeline": functools.partial(pipeline, size=tuple(options.film)),
        "guided": guided,
        "live": live,
        "divisors": of_frames,
        "start": functools.partial(start, against=options.against),
    }


def _setting(options: argparse.Namespace) -> Setting:
    features = VGG19(weights=options.weights, convention=options.convention, taps=options.taps)
    return Setting(
        features=features.to(options.device),
        size=tuple(options.size),
        batch_size=options.batch_size,
        device=options.device,
        repetitions=options.repetitions,
        seed=options.seed,
    )


def _described(setting: Setting) -> dict[str, Any]:
    cuda = setting.device.startswith("cuda")
    cpu = f"CPU {_processor()}"
    height, width = setting.size
    return {
        "hardware": torch.cuda.get_device_name(setting.device) if cuda else cpu,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "seed": setting.seed,
        "features": f"{setting.features.label}, taps {', '.join(setting.features.taps)}",
        "frames": f"{setting.batch_size} of {height}x{width}, float32",
        "repetitions": f"median of {setting.repetitions}, interleaved",
    }


def _processor() -> str:
    """Return the processor's own name where the system tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure what the documentation states. Ratios are against the first line of "
        "each block, measured in the same run. Exit code 1: the shortcut is not exact.",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*_MEASUREMENTS, "divisors", "start"),
        default=_MEASUREMENTS,
        metavar="WHAT",
        help="hypercolumn: shortcut against naive path; step: training step and RankDiv; segment: "
        "the Segment loss of a frame as a share of that step; losses: each loss of a pair "
        "likewise; targets: segments, neighbours and flow of a frame on one core; screening: "
        "MonaCNN on JPEG files; pipeline: a film job by stage and as a whole; divisors "
        "(not among the defaults): RankDiv's constants for other weights, from --frames; start "
        "(likewise): colorize as a whole process, in turns with that of --against",
    )
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    parser.add_argument("--size", type=int, nargs=2, default=(240, 320), metavar=("H", "W"))
    parser.add_argument(
        "--film", type=int, nargs=2, default=(720, 1280), metavar=("H", "W"), help="of pipeline"
    )
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 (default): as PyTorch chooses")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--weights", default="random", help="random (default), torchvision, or a file"
    )
    parser.add_argument("--convention", choices=("caffe", "normalised", "torchvision"))
    parser.add_argument(
        "--taps", nargs="+", default=["conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2"]
    )
    parser.add_argument("--frames", type=Path, nargs="+", help="colour videos or pictures")
    parser.add_argument("--first", type=int, default=0, help="frames to skip in each of --frames")
    parser.add_argument("--every", type=int, default=24, help="use every n-th frame (default 24)")
    parser.add_argument("--against", metavar="REV", help="the earlier commit of start")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    if "divisors" in options.only and not options.frames:
        parser.error("--only divisors needs --frames FILE...: colour videos or pictures")
    if "start" in options.only and not options.against:
        parser.error("--only start needs --against REV: the commit to compare with")
    return options


if __name__ == "__main__":
    with one_line_errors():
        raise SystemExit(main())
