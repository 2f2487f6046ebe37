"""Kill a film job at random moments, let it go on, and compare the film with an uninterrupted one.

    python tools/kill_and_resume.py --checkpoint demo/run/model.safetensors

Draws a procedural film with sound, colours it once in one go and once with SIGKILL at random
moments, and prints whether frames, times and sound of the two are the same, and the peak of the
memory. Exit code 1: they are not, or a run came to its end before it was killed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from colorize.base.errors import one_line_errors
from colorize.base.progress import tracked
from colorize.base.terminal import terminal
from colorize.cartoon import CartoonSeries
from colorize.films.plan.manifest import read_manifest

_RATE, _SOUND_RATE = 24, 48000


def main() -> int:
    """Run the comparison; return 1 if the two films differ or a kill came too late."""
    options = _parse()
    with one_line_errors(), terminal():
        options.folder.mkdir(parents=True, exist_ok=True)
        source = options.folder / "source.mp4"
        _write_film(source, options)
        seconds = _colour(source, options.folder / "whole.mp4", options)
        kills = _colour_killed(source, options.folder / "killed.mp4", options, seconds)
        report = _compare(source, options.folder, options)
    report |= {
        "uninterrupted_seconds": round(seconds, 1),
        "killed_after_seconds": kills,
        # Of the largest process that coloured; Linux counts in KiB.
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    print(json.dumps(report, indent=2))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    same = all(report[name] for name in ("frames_identical", "times_identical", "sound_identical"))
    return 0 if same and len(kills) == options.kills else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--checkpoint", type=Path, required=True, help="the model that colours")
    add("--folder", type=Path, default=Path("scratch/kill-and-resume"), help="where films go")
    add("--size", type=int, nargs=2, default=(720, 1280), metavar=("HEIGHT", "WIDTH"))
    add("--shots", type=int, default=12)
    add("--frames", type=int, default=25, help="frames a shot (default 25)")
    add("--kills", type=int, default=5, help="times that the job is killed (default 5)")
    add("--seed", type=int, default=0, help="of the film and of the moments")
    add("--json", type=Path, help="write the report to this file as well")
    return parser.parse_args()


def _gray_frames(options: argparse.Namespace) -> Iterator[np.ndarray]:
    series = CartoonSeries(
        seed=options.seed,
        size=tuple(options.size),
        shots=options.shots,
        frames_per_shot=options.frames,
        effects=False,
    )
    for index in tracked(range(len(series)), "drawing", unit="shot"):
        for picture in series.color(index):
            yield cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def _write_film(path: Path, options: argparse.Namespace) -> None:
    """Write the gray film with a tone that rises."""
    height, width = options.size
    count = options.shots * options.frames
    with av.open(str(path), "w") as film:
        video: Any = film.add_stream("libx264", rate=_RATE, options={"crf": "12"})
        video.height, video.width, video.pix_fmt = height, width, "yuv420p"
        sound: Any = film.add_stream("aac", rate=_SOUND_RATE)
        sound.codec_context.layout = "mono"
        film.start_encoding()
        for gray in _gray_frames(options):
            film.mux(video.encode(av.VideoFrame.from_ndarray(gray, format="gray")))
        film.mux(video.encode())
        times = np.arange(_SOUND_RATE * count // _RATE) / _SOUND_RATE
        wave = 0.3 * np.sin(2 * np.pi * (220 + 20 * times) * times).astype(np.float32)[None]
        for first in range(0, wave.shape[1], 1024):
            chunk = np.ascontiguousarray(wave[:, first : first + 1024])
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = _SOUND_RATE, first
            film.mux(sound.encode(frame))
        film.mux(sound.encode())


def _command(source: Path, output: Path, options: argparse.Namespace) -> list[str]:
    program = "from colorize.films.command import main; main()"
    arguments = [str(source), "-o", str(output), "--checkpoint", str(options.checkpoint)]
    return [sys.executable, "-c", program, *arguments]


def _colour(source: Path, output: Path, options: argparse.Namespace) -> float:
    """Colour to the end and return the seconds it took."""
    start = time.perf_counter()
    subprocess.run(_command(source, output, options), check=True)
    return time.perf_counter() - start


def _colour_killed(
    source: Path, output: Path, options: argparse.Namespace, seconds: float
) -> list[float]:
    """Colour with kills in between, then to the end; return after how many seconds each came."""
    chance = random.Random(options.seed)
    # Short enough that no run comes to the end before it is killed.
    longest = seconds / (options.kills + 1)
    moments = [round(chance.uniform(0.3, 1.0) * longest, 2) for _ in range(options.kills)]
    kills = []
    for moment in moments:
        process = subprocess.Popen(_command(source, output, options))
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills.append(moment)
    _colour(source, output, options)
    return kills


def _compare(source: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    whole, killed = folder / "whole.mp4", folder / "killed.mp4"
    shots = read_manifest(folder / ".killed.mp4.job" / "manifest.json").shots
    lengths = [_duration(path) for path in (source, killed)]
    return {
        "size": "{}x{}".format(*options.size),
        "frames": [len(_frames(path)) for path in (source, whole, killed)],
        "shots": len(shots),
        "frames_identical": _frames(whole) == _frames(killed),
        "times_identical": _times(source) == _times(killed),
        "sound_identical": _sound(source) == _sound(whole) == _sound(killed),
        "duration_differs_by_frames": float(abs(lengths[0] - lengths[1]) * _RATE),
        "seed": options.seed,
    }


def _frames(path: Path) -> list[str]:
    with av.open(str(path)) as film:
        return [
            hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()
            for frame in film.decode(video=0)
        ]


def _times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as film:
        return [frame.pts * frame.time_base for frame in film.decode(video=0)]


def _sound(path: Path) -> list[str]:
    with av.open(str(path)) as film:
        track = film.streams.audio[0]
        return [hashlib.sha256(bytes(each)).hexdigest() for each in film.demux(track) if each.size]


def _duration(path: Path) -> Fraction:
    with av.open(str(path)) as film:
        return Fraction(film.duration or 0, av.time_base)


if __name__ == "__main__":
    sys.exit(main())
