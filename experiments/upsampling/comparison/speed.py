"""Time methods on one core, and measure the memory that they take."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import torch
from torch import Tensor

from colorize.imaging import color
from colorize.imaging.geometry import working_size
from comparison.methods import METHODS

BASELINE = "bilinear and join"


def seconds(size: tuple[int, int], *, short_side: int, repetitions: int) -> dict[str, float]:
    """Return the median seconds of processor time of each method, and of resizing and joining."""
    chroma, luma = _random_frame(size, short_side)
    resize = METHODS["bilinear"]
    runs: dict[str, Callable[[], Tensor]] = {
        BASELINE: lambda: color.join_in_gamut(luma, resize(chroma, luma))
    } | {name: partial(method, chroma, luma) for name, method in METHODS.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    with _one_core():
        for _ in range(repetitions + 1):
            for name, run in runs.items():
                start = time.process_time()
                run()
                times[name].append(time.process_time() - start)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def mebibytes(name: str, size: tuple[int, int], *, short_side: int) -> float:
    """Return by how many MiB the peak of a fresh process rises in one method, result included.

    Of Linux alone: it reads /proc.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_rise, name, size, short_side).result()


def _rise(name: str, size: tuple[int, int], short_side: int) -> float:
    with _one_core():
        METHODS[name](*_random_frame((2 * short_side, 2 * short_side), short_side))  # loads code
        chroma, luma = _random_frame(size, short_side)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is in use
        before = _peak()
        METHODS[name](chroma, luma)
        return _peak() - before


@contextmanager
def _one_core() -> Iterator[None]:
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _peak() -> float:
    # Not getrusage: its peak is also that of the process which started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _random_frame(size: tuple[int, int], short_side: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    chroma = torch.rand(1, 2, *working_size(size, short_side), generator=generator) - 0.5
    return chroma, torch.rand(1, 1, *size, generator=generator)
