"""Time runs against each other, and print how they compare with the first one, the baseline."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import torch

from colorize.pretrained.vgg19 import VGG19

Times = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all measurements share: ``size`` is (height, width) in pixels."""

    features: VGG19
    size: tuple[int, int]
    batch_size: int
    device: str
    repetitions: int
    seed: int

    def medians(self, runs: Mapping[str, Callable[[], object]]) -> Times:
        """Return each run's median time in seconds; repetitions interleave, the first warms up."""
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(self.repetitions + 1):
            for name, run in runs.items():
                self._wait()
                start = time.perf_counter()
                run()
                self._wait()
                times[name].append(time.perf_counter() - start)
        return {name: statistics.median(values[1:]) for name, values in times.items()}

    def _wait(self) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)


def print_speedups(title: str, times: Times) -> None:
    """Print each time, and how many times faster it is than the baseline."""
    baseline = next(iter(times.values()))
    _print(title, times, {name: f"{baseline / seconds:6.2f}x" for name, seconds in times.items()})


def print_shares(title: str, times: Times) -> None:
    """Print each time, and its share of the baseline."""
    baseline = next(iter(times.values()))
    _print(title, times, {name: f"{seconds / baseline:7.1%}" for name, seconds in times.items()})


def print_target(what: str, value: float, target: float, form: str) -> None:
    """Print a figure beside the largest value that it should have; ``form`` formats both."""
    verdict = "met" if value <= target else "missed"
    print(f"  {what}: {form.format(value)} (target {form.format(target)}: {verdict})")


@contextmanager
def one_core() -> Iterator[None]:
    """Let PyTorch and OpenCV use one core, as each worker of a loader does."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _print(title: str, times: Times, ratios: Mapping[str, str]) -> None:
    print(title)
    for name, seconds in times.items():
        print(f"  {name:<36} {seconds:8.4f} s  {ratios[name]}")
