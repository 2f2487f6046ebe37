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

from benchmarks.timing import Setting, one_core
from colorize.cartoon import CartoonSeries
from colorize.films.plan.analysis import look_through
from colorize.films.plan.manifest import Settings
from colorize.films.run import run_job
from colorize.inference.checkpoints import Checkpoint, build_networks
from colorize.inference.engine import ShotEngine
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, PartSink, concatenate_parts, open_source, write_video
from colorize.networks.prototype.generator import Generator

_WORKING, _SHOTS, _FRAMES = (108, 192), 8, 24
_CHANNELS = [32, 64, 128, 256, 512]  # of the network
_TARGET = 1.4  # times faster than its stages one after another
_SERIAL, _WHOLE = "all, one after another", "the job, overlapping"


def pipeline(setting: Setting, *, size: tuple[int, int]) -> dict[str, Any]:
    """Colour 8 shots of 24 frames with the default recipe's network, random weights, K = 4."""
    checkpoint = _checkpoint(setting.seed)
    model, _ = build_networks(checkpoint)
    networks = LoadedNetworks(model, short_side=min(_WORKING), device=setting.device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / "film.mp4"
        write_video(film, _pictures(setting.seed, size), rate=Fraction(24))
        stages = _stages(film, folder, networks)
        whole = _seconds(lambda: _run(film, folder / "out.mp4", networks))
    return _report(stages, whole, size)


def _stages(film: Path, folder: Path, networks: LoadedNetworks) -> dict[str, float]:
    """Return the seconds of each stage on all frames, one after another, part by part."""
    names = ("find shots", "decode", "network and stillness", "join", "encode", "concatenate parts")
    times = dict.fromkeys(names, 0.0)
    engine = ShotEngine(networks, RenderSettings())
    joining = engine.joining()
    with open_source(film) as source:
        with _added(times, "find shots"):
            look_through(source)
        decoded = source.frames()
        for number in range(_SHOTS):
            with _added(times, "decode"):
                frames = [next(decoded) for _ in range(_FRAMES)]
            with _added(times, "network and stillness"):
                chroma, _ = engine.coloring(frames, variant=0, before={})
            with _added(times, "join"), one_core():  # as the job does it
                joined = list(joining(frames, chroma[:, 0], before={}))
            with _added(times, "encode"):
                _encode(joined, folder / f"{number}.part-film", film, source)
        parts = [folder / f"{number}.part-film" for number in range(_SHOTS)]
        with _added(times, "concatenate parts"):
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


def _run(film: Path, output: Path, networks: LoadedNetworks) -> None:
    looks = RenderSettings(short_side=networks.short_side, refine=False, variant=0, recolor=True)
    settings = Settings(**looks.values(), checkpoint="random weights", weights="")
    run_job(film, output, colorizer=networks, settings=settings)


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
