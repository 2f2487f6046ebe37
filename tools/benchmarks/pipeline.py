"""Time a film job from file to file: each stage alone, one after another, and the whole job."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from colorize.films.render.coloring import Coloring
from colorize.films.render.effort import Effort
from colorize.films.render.joining import Joining

from benchmarks.timing import Setting, one_core
from colorize.cartoon import CartoonSeries
from colorize.films.plan.analysis import look_through
from colorize.films.plan.manifest import Settings
from colorize.films.run import run_job
from colorize.inference.checkpoints import Checkpoint
from colorize.inference.colorizer import Colorizer
from colorize.media import Frame, PartSink, concatenate_parts, open_source, write_video
from colorize.motion.smoothing import DEFAULT_STRENGTH
from colorize.networks.prototype.generator import Generator

_WORKING, _SHOTS, _FRAMES = (108, 192), 8, 24
_CHANNELS = [32, 64, 128, 256, 512]  # of the network
_TARGET = 1.4  # times faster than its stages one after another
_SERIAL, _WHOLE = "all, one after another", "the job, overlapping"


def pipeline(setting: Setting, *, size: tuple[int, int]) -> dict[str, Any]:
    """Colour 8 shots of 24 frames with the default recipe's network, random weights, K = 4."""
    colorizer = Colorizer(_checkpoint(setting.seed), device=setting.device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / "film.mp4"
        write_video(film, _pictures(setting.seed, size), rate=Fraction(24))
        stages = _stages(film, folder, colorizer)
        whole = _seconds(lambda: _run(film, folder / "out.mp4", colorizer))
    return _report(stages, whole, size)


def _stages(film: Path, folder: Path, colorizer: Colorizer) -> dict[str, float]:
    """Return the seconds of each stage on all frames, one after another, part by part."""
    names = ("find shots", "decode", "network and stillness", "join", "encode", "join parts")
    times = dict.fromkeys(names, 0.0)
    effort = Effort(4, colorizer.short_side, print)
    coloring = Coloring(colorizer, effort=effort, refine=False, stillness=DEFAULT_STRENGTH)
    joining = Joining(device=colorizer.device, saturation=1.0, hold=True)
    with open_source(film) as source:
        with _added(times, "find shots"):
            look_through(source)
        decoded = source.frames()
        for number in range(_SHOTS):
            with _added(times, "decode"):
                frames = [next(decoded) for _ in range(_FRAMES)]
            with _added(times, "network and stillness"):
                chroma, _ = coloring(frames, variant=0, before={})
            with _added(times, "join"), one_core():  # as the job does it
                joined = list(joining(frames, chroma, before={}))
            with _added(times, "encode"):
                _encode(joined, folder / f"{number}.part-film", film, source)
        parts = [folder / f"{number}.part-film" for number in range(_SHOTS)]
        with _added(times, "join parts"):
            concatenate_parts(parts, folder / "serial.mp4", like=source)
    return times


def _encode(frames: list[Frame], path: Path, film: Path, source: Any) -> None:
    with PartSink(path, like=source, output=film, quality=90) as sink:
        for frame in frames:
            sink.write(frame)


@contextmanager
def _added(times: dict[str, float], name: str) -> Iterator[None]:
    """Add the seconds of a block to an entry."""
    start = time.perf_counter()
    yield
    times[name] += time.perf_counter() - start


def _run(film: Path, output: Path, colorizer: Colorizer) -> None:
    settings = Settings(
        checkpoint="random weights",
        weights="",
        short_side=colorizer.short_side,
        refine=False,
        variant=0,
        stillness=DEFAULT_STRENGTH,
        saturation=1.0,
        quality=90,
        recolor=True,
    )
    run_job(film, output, colorizer=colorizer, settings=settings)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _report(stages: dict[str, float], whole: float, size: tuple[int, int]) -> dict[str, Any]:
    count = _SHOTS * _FRAMES
    times = stages | {_SERIAL: sum(stages.values()), _WHOLE: whole}
    policy = os.environ.get("OMP_WAIT_POLICY", "as OpenMP chooses")
    print(
        f"colouring a film of {count} frames of {size[0]}x{size[1]}, network at "
        f"{_WORKING[0]}x{_WORKING[1]}; threads that wait: {policy}"
    )
    for name, seconds in times.items():
        share = seconds / times[_SERIAL]
        print(f"  {name:<36} {1000 * seconds / count:8.1f} ms a frame  {share:7.1%}")
    gain = times[_SERIAL] / whole
    verdict = "met" if gain >= _TARGET else "missed"
    print(
        f"  {count / whole:.2f} frames per second, {gain:.2f} times (target {_TARGET}: {verdict})"
    )
    return {"seconds": times, "gain": gain, "frames_per_second": count / whole}


def _pictures(seed: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    series = CartoonSeries(
        seed=seed, size=size, shots=_SHOTS, frames_per_shot=_FRAMES, effects=False
    )
    for index in range(_SHOTS):
        for picture in series.color(index):
            yield np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _checkpoint(seed: int) -> Checkpoint:
    """The default recipe's network with random weights."""
    model = {
        "name": "prototype",
        "features": None,
        "outputs": 4,
        "head": "chroma",
        "luma": "keep",
        "channels": _CHANNELS,
        "normalization": "batch",
    }
    torch.manual_seed(seed)
    weights = Generator(**{k: v for k, v in model.items() if k != "name"}).state_dict()
    description = {"config": {"model": model}, "size": list(_WORKING), "data": {"name": "none"}}
    return Checkpoint(Path("random weights"), model, weights, description)
