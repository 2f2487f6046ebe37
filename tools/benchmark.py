"""Measure speed ratios against a baseline in the same run: ``python tools/benchmark.py --help``."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import torch
from torch import Tensor
from torch.nn import functional

from colorize.color import rgb_to_luma
from colorize.features import VGG19
from colorize.losses import RankDiversity, balanced_divisors
from colorize.models import Generator
from colorize.models.generator import HypercolumnProjection, resize_bilinear

_TOLERANCE = 1e-5


def main() -> int:
    """Run the chosen measurements; return 1 if the hypercolumn's shortcut is not exact."""
    options = _parse()
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    features = VGG19(weights=options.weights, convention=options.convention, taps=options.taps).to(
        options.device
    )
    report = {"setting": _setting(options, features)}
    print("\n".join(f"{name}: {value}" for name, value in report["setting"].items()))
    measurements = {"hypercolumn": _hypercolumn, "step": _step, "divisors": _divisors}
    for name in options.only:
        report[name] = measurements[name](options, features)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    difference = report.get("hypercolumn", {}).get("largest_difference", 0.0)
    if not difference <= _TOLERANCE:
        print(f"error: shortcut and naive path differ by {difference:.1e}", file=sys.stderr)
        return 1
    return 0


def naive_hypercolumn(projection: HypercolumnProjection, gray: Tensor) -> Tensor:
    """Resize every tap to full size, concatenate, and project: the baseline of the shortcut."""
    repeated = gray.expand(-1, 3, -1, -1)
    taps = projection.features(repeated).values()
    resized = [resize_bilinear(tap / projection.scale, gray.shape[-2:]) for tap in taps]
    return projection.projection(torch.cat([repeated, *resized], dim=1))


def _hypercolumn(options: argparse.Namespace, features: VGG19) -> dict[str, Any]:
    projection = HypercolumnProjection(features=features, out_channels=32).to(options.device)
    gray = torch.rand(options.batch_size, 1, *options.size, device=options.device)
    with torch.inference_mode():
        difference = float((projection(gray) - naive_hypercolumn(projection, gray)).abs().max())
        times = _medians(
            {
                "naive: resize, concatenate, project": lambda: naive_hypercolumn(projection, gray),
                "shortcut: project, resize": lambda: projection(gray),
            },
            options,
        )
    _print("hypercolumn, forward, VGG-19 included", times)
    print(f"  largest difference {difference:.1e} (allowed {_TOLERANCE:.0e})")
    return {"seconds": times, "largest_difference": difference}


def _step(options: argparse.Namespace, features: VGG19) -> dict[str, Any]:
    """Time forward and backward of the generator with an L1 loss, and with RankDiv in its place."""
    generator = Generator(features=features).to(options.device)
    plain = Generator(features=None).to(options.device)
    loss = RankDiversity(features=features)
    color = torch.rand(options.batch_size, 1, 3, *options.size, device=options.device)
    gray = rgb_to_luma(color)[:, 0]

    def step(model: Generator, objective: Callable[[Tensor], Tensor]) -> None:
        model.zero_grad(set_to_none=True)
        objective(model(gray).unsqueeze(1)).backward()

    def difference(outputs: Tensor) -> Tensor:
        return (outputs - color.unsqueeze(2)).abs().mean()

    times = _medians(
        {
            "generator, L1": lambda: step(generator, difference),
            "generator, RankDiv": lambda: step(generator, lambda o: loss(o, color, {})),
            "U-Net on gray alone, L1": lambda: step(plain, difference),
        },
        options,
    )
    _print("step (forward and backward)", times)
    return {"seconds": times}


def _divisors(options: argparse.Namespace, features: VGG19) -> dict[str, Any]:
    if not options.frames:
        raise SystemExit("error: --only divisors needs --frames FILE...: colour videos or pictures")
    color = torch.cat([f for path in options.frames for f in _read(path, options)])
    chunks = [balanced_divisors(features, frame[None].to(options.device)) for frame in color]
    means = {tap: statistics.fmean(chunk[tap] for chunk in chunks) for tap in features.taps}
    text = ",".join(f"{tap}:{value:.3g}" for tap, value in means.items())
    print(f"divisors by which each tap weighs as much as the input, mean of {len(chunks)} frames:")
    print(f"  loss.rank_diversity.divisors={{{text}}}")
    return {"divisors": means, "frames": len(chunks)}


def _read(path: Path, options: argparse.Namespace) -> Iterator[Tensor]:
    """Yield every n-th frame of a video or picture that has colour, at the chosen size."""
    with av.open(path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index >= options.first and (index - options.first) % options.every == 0:
                picture = torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1)
                color = functional.interpolate(
                    picture[None] / 255, size=options.size, mode="bilinear", antialias=True
                )
                # A frame without colour says nothing about the change that colour makes.
                if (color - rgb_to_luma(color)).abs().mean() > 1 / 255:
                    yield color


def _medians(
    runs: Mapping[str, Callable[[], object]], options: argparse.Namespace
) -> dict[str, float]:
    """Return each run's median time in seconds; repetitions interleave, the first is warm-up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.repetitions + 1):
        for name, run in runs.items():
            _wait(options.device)
            start = time.perf_counter()
            run()
            _wait(options.device)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def _print(title: str, times: Mapping[str, float]) -> None:
    """Print each time, and how many times faster it is than the first one, the baseline."""
    baseline = next(iter(times.values()))
    print(title)
    for name, seconds in times.items():
        print(f"  {name:<36} {seconds:8.4f} s   {baseline / seconds:5.2f}x")


def _setting(options: argparse.Namespace, features: VGG19) -> dict[str, Any]:
    cuda = options.device.startswith("cuda")
    cpu = f"CPU {_processor()}"
    return {
        "hardware": torch.cuda.get_device_name(options.device) if cuda else cpu,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "seed": options.seed,
        "features": f"{features.label}, taps {', '.join(features.taps)}",
        "frames": f"{options.batch_size} of {options.size[0]}x{options.size[1]}, float32",
        "repetitions": f"median of {options.repetitions}, interleaved",
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
        choices=("hypercolumn", "step", "divisors"),
        default=("hypercolumn", "step"),
        help="hypercolumn: shortcut against naive path; step: training step and RankDiv; "
        "divisors: RankDiv's constants for other weights, from --frames",
    )
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    parser.add_argument("--size", type=int, nargs=2, default=(240, 320), metavar=("H", "W"))
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
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
