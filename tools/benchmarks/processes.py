"""Measure commands as whole processes, of this tree and of an earlier revision, run in turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from benchmarks.timing import Setting, print_target
from colorize.base.errors import UserError
from colorize.cartoon import CartoonSeries

ROOT = Path(__file__).resolve().parents[2]
# A small process starts the measured one, whose peak would be at least ours: every process
# begins with the memory of its parent. Linux counts memory in KiB.
_MEASURE = """
import json, os, sys, time
begun = time.perf_counter()
told = [(os.POSIX_SPAWN_DUP2, 2, 1)]
process = os.posix_spawn(
    sys.executable, [sys.executable, *sys.argv[1:]], os.environ, file_actions=told
)
_, status, used = os.wait4(process, 0)
wall = time.perf_counter() - begun
cpu = used.ru_utime + used.ru_stime
print(json.dumps({"status": status, "wall": wall, "cpu": cpu, "memory": used.ru_maxrss / 1024}))
"""
_TARGET = 0.5  # of the wall time of one picture at commit 200089d


@dataclass(frozen=True)
class Case:
    """A command: its console script, its arguments, and what makes its inputs in a folder.

    It runs in that folder; ``made`` is what it writes there, removed before the next run.
    """

    name: str
    script: str
    arguments: Sequence[str]
    prepare: Callable[[Path], None] = lambda folder: None
    made: Sequence[str] = ()


@dataclass(frozen=True)
class Usage:
    """What a process took: seconds from start to end, seconds of all cores, peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


def start(setting: Setting, *, against: str) -> dict[str, Any]:
    """Compare how quickly ``colorize`` starts, and colours one gray picture of 640x480."""
    picture, output = "in.png", "out.png"
    series = CartoonSeries(seed=setting.seed, size=(480, 640), shots=1, frames_per_shot=1)

    def prepare(folder: Path) -> None:
        gray = cv2.cvtColor(series.color(0)[0], cv2.COLOR_RGB2GRAY)
        Image.fromarray(gray).save(folder / picture)

    colour = [picture, "-o", output, "--device", "cpu"]
    cases = (
        Case("one picture of 640x480", "colorize", colour, prepare, made=[output]),
        Case("--help", "colorize", ["--help"]),
    )
    report = compare(cases, against=against, repetitions=setting.repetitions)
    print_target(
        "wall time of one picture", report[cases[0].name]["ratio"]["wall"], _TARGET, "{:.2f}"
    )
    return report


def compare(
    cases: Sequence[Case], *, against: str, repetitions: int, repository: Path = ROOT
) -> dict[str, Any]:
    """Return, and print, the median usage of every case ``then`` and ``now``, and the ratios.

    Raises:
        UserError: There is no such revision, or a command fails.
    """
    with checked_out(against, repository) as earlier, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trees = {"then": earlier, "now": repository}
        report = {case.name: _compared(case, trees, folder, repetitions) for case in cases}
    print(f"whole processes, median of {repetitions} in turns; then: {against}")
    print(f"  {'':<36} {'wall, s':>10} {'CPU, s':>10} {'peak, MiB':>10}")
    for name, rows in report.items():
        for row, usage in rows.items():
            shown = " ".join(f"{value:10.2f}" for value in usage.values())
            print(f"  {name + ', ' + row:<36} {shown}")
    return report


@contextmanager
def checked_out(revision: str, repository: Path) -> Iterator[Path]:
    """Lend a working tree of a revision.

    Raises:
        UserError: There is no such revision.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git(repository, "worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            yield tree
        finally:
            _git(repository, "worktree", "remove", "--force", str(tree))


def _git(repository: Path, *words: str) -> None:
    done = subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git {' '.join(words)}: {done.stderr.strip()}")


def _compared(
    case: Case, trees: Mapping[str, Path], folder: Path, repetitions: int
) -> dict[str, dict[str, float]]:
    """Run a case by all trees in turns; the first turn, which compiles modules, does not count."""
    case.prepare(folder)
    runs: dict[str, list[Usage]] = {name: [] for name in trees}
    for _ in range(repetitions + 1):
        for name, tree in trees.items():
            for each in case.made:
                (folder / each).unlink(missing_ok=True)
            runs[name].append(_run(case, tree, folder))
    medians = {name: _median(usages[1:]) for name, usages in runs.items()}
    then, now = medians["then"], medians["now"]
    return {**medians, "ratio": {key: now[key] / then[key] for key in now}}


def _median(usages: Sequence[Usage]) -> dict[str, float]:
    rows = [asdict(usage) for usage in usages]
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def _run(case: Case, tree: Path, folder: Path) -> Usage:
    """Run a command as the tree's own ``pyproject.toml`` starts it."""
    scripts = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts[case.script].partition(":")
    program = f"import sys; from {module} import {function}; sys.exit({function}())"
    done = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, "-c", program, *case.arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=True,
    )
    measured = json.loads(done.stdout)
    if measured.pop("status"):
        last = done.stderr.strip().rpartition("\n")[2]
        raise UserError(f"{case.script} {' '.join(case.arguments)} of {tree}: {last}")
    return Usage(**measured)
