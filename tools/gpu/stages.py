"""The stages of a call: what each runs, and what it leaves in the folder of results."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu.plan import Plan
from gpu.processes import Ended, last_lines, run_limited

Result = dict[str, Any]

_PROGRAMS = {  # module and function, as in pyproject.toml
    "colorize-prepare": "colorize.data.prepare.command",
    "colorize-train": "colorize.training.command",
    "colorize-table": "colorize.evaluation.table.command",
}
_SCRIPT = "import sys\n\nfrom {} import main\n\nif __name__ == '__main__':\n    sys.exit(main())\n"
_PART = 159 * 2**20 // 10  # bytes of a file of results at most: larger ones are cut
_FILES = 8  # results should be no more: beyond, logs go into an archive
_VERDICT = re.compile(r"^(?P<test>tests/\S+?::.+?) (?P<verdict>PASSED|FAILED|SKIPPED|ERROR)\b")
_RESUME = "resume.tar"


@dataclass(frozen=True, kw_only=True)
class Call:
    """What all stages of one call share: folders, device, limits, and the time it must end at."""

    root: Path
    work: Path
    results: Path
    device: str
    plan: Plan
    variables: Mapping[str, str]
    ends: float
    settings: Sequence[str] = ()

    def seconds(self, stage: str) -> float:
        """Return what is left for a stage: its limit, but not beyond the end of the call."""
        return min(self.plan.limits[stage], self.ends - time.monotonic())

    def run(
        self, stage: str, command: Sequence[str], *, seconds: float, folder: Path | None = None
    ) -> Ended:
        """Run a command of a stage with the stage's log."""
        return run_limited(
            command,
            seconds=seconds,
            log=self.results / f"{stage}.log",
            folder=folder or self.work,
            environment=self.variables,
        )

    def program(self, name: str, *words: str) -> list[str]:
        """Return the command line of a console script that need not be installed."""
        # A file, as whoever starts processes of its own runs it again.
        script = self.work / f"{name}.py"
        script.write_text(_SCRIPT.format(_PROGRAMS[name]))
        return [sys.executable, str(script), *words]


def run_tests(call: Call) -> Result:
    """Run the tests marked ``cuda``."""
    files = sorted(
        path.relative_to(call.root).as_posix()
        for path in (call.root / "tests").rglob("test_*.py")
        if "mark.cuda" in path.read_text(encoding="utf-8")
    )
    # Types of arguments are checked on every CPU; here that would only cost time.
    options = ["-o", "addopts=", "-v", "-m", "cuda", "-p", "no:cacheprovider", "--durations", "5"]
    # Warnings of other versions than those that the tests passed with are no failures.
    options += ["-W", "default", "--basetemp", str(call.work / "tests")]
    command = [sys.executable, "-m", "pytest", *options, *files]
    ended = call.run("tests", command, seconds=call.seconds("tests"), folder=call.root)
    return {**_told(ended), **verdicts(call.results / "tests.log")}


def verdicts(log: Path) -> Result:
    """Count what pytest said of each test, and name those that failed."""
    said: dict[str, str] = {}
    for line in log.read_text(errors="replace").splitlines():
        if found := _VERDICT.match(line):
            said[found["test"]] = found["verdict"]
    counts = {
        name: sum(each == word for each in said.values())
        for name, word in (("passed", "PASSED"), ("skipped", "SKIPPED"))
    }
    bad = sorted(test for test, verdict in said.items() if verdict in ("FAILED", "ERROR"))
    return {**counts, "failed": len(bad), "failures": bad}


def run_speed(call: Call) -> Result:
    """Take the figures of speed and memory."""
    seconds, path = call.seconds("speed"), call.results / "speed.json"
    command = [sys.executable, str(call.root / "tools/gpu/measure.py"), "--json", str(path)]
    command += ["--device", call.device, "--seconds", f"{max(1.0, seconds - 30):.0f}"]
    ended = call.run("speed", command + ["--tiny"] * call.plan.tiny, seconds=seconds)
    figures = json.loads(path.read_text()) if path.is_file() else []
    return {**_told(ended), "figures": figures}


def run_train(call: Call) -> Result:
    """Train the recipe for its minutes, from where an earlier call stopped if that is there."""
    start = time.monotonic()
    recipe, limit = call.plan.recipe, call.seconds("train")
    run = call.work / "runs" / recipe
    before = _minutes_before(run)
    batch: list[str] = []
    if not call.plan.tiny:
        prepared = _prepare(call, "train")
        if prepared is not None:
            return prepared
    result: Result = {"recipe": recipe, "resumed": (run / "checkpoints/last.ckpt").is_file()}
    while True:
        left = limit - (time.monotonic() - start)
        minutes = before + call.plan.minutes("train", left)
        command = call.program(
            "colorize-train",
            f"experiment={recipe}",
            *call.plan.training,
            *(() if call.plan.tiny else ("trainer.max_epochs=1000",)),
            f"name={recipe}",
            f"directory=runs/{recipe}",
            "trainer.devices=1",
            f"trainer.max_minutes={minutes:.3f}",
            *(() if call.device == "cpu" else (f"sampling.workers={max(1, _cores() - 2)}",)),
            *call.settings,
            *batch,
        )
        ended = call.run("train", command, seconds=left)
        smaller = _smaller_batch(call, ended, [*call.plan.training, *call.settings, *batch])
        if smaller is None or limit - (time.monotonic() - start) < limit / 3:
            break
        batch = [f"sampling.batch_size={smaller}"]
    result |= {**_told(ended), "minutes": round(minutes, 2), "settings": batch}
    return {**result, **_keep_run(call, run, minutes)}


def _smaller_batch(call: Call, ended: Ended, settings: Sequence[str]) -> int | None:
    """Return half the batch of a run that took too much memory, None if that is not what failed."""
    told = last_lines(call.results / "train.log", 60)
    if ended.status != "failed" or not re.search(r"OutOfMemoryError|CUDA out of memory", told):
        return None
    sizes = [each for each in settings if each.startswith("sampling.batch_size=")]
    size = int(sizes[-1].partition("=")[2]) if sizes else 8
    return size // 2 or None


def _minutes_before(run: Path) -> float:
    """Return the minutes that the run of an earlier call was to take, 0 if there is none."""
    path = run / "minutes.json"
    return float(json.loads(path.read_text())["minutes"]) if path.is_file() else 0.0


def _prepare(call: Call, stage: str) -> Result | None:
    """Make the dataset of the clips, once; return the result of a stage that it stopped."""
    data = call.work / "data"
    clips = data / "clips"
    if (data / "penny-and-chip/manifest.json").is_file():
        return None
    if not clips.is_dir():
        return {"status": "failed", "reason": "the pack holds no clips: make it for this stage"}
    command = call.program(
        "colorize-prepare",
        *("data/clips", "-o", "data/penny-and-chip", "--size", "108x192"),
        *("--splits", "data/clips/clips.csv"),
    )
    ended = call.run(stage, command, seconds=min(60, call.seconds(stage)))
    return None if ended.status == "done" else _told(ended)


def _keep_run(call: Call, run: Path, minutes: float) -> Result:
    """Copy the weights of a run, its history, and what an other call needs to go on."""
    kept: Result = {"files": []}
    history = run / "history.csv"
    if history.is_file():
        with history.open(newline="") as file:
            rows = list(csv.DictReader(file))
        kept |= {"epochs": len(rows), "history": rows[-1:] and [rows[0], rows[-1]]}
    exported = run / "model.safetensors"
    if exported.is_file():
        kept["files"] += cut(exported.read_bytes(), call.results / "model.safetensors")
    if (run / "checkpoints/last.ckpt").is_file():
        (run / "minutes.json").write_text(json.dumps({"minutes": minutes}))
        names = ("minutes.json", "config.json", "history.csv", "checkpoints/last.ckpt")
        content = _archive({f"runs/{run.name}/{name}": run / name for name in names})
        kept["files"] += cut(content, call.results / _RESUME)
    return kept


def _archive(files: Mapping[str, Path], *, mode: str = "w") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:  # type: ignore[call-overload]
        for name, path in files.items():
            if path.is_file():
                archive.add(path, name)
    return content.getvalue()


def cut(content: bytes, path: Path, *, size: int = _PART) -> list[str]:
    """Write a file, in numbered parts where it is longer than ``size``; return their names."""
    if len(content) <= size:
        path.write_bytes(content)
        return [path.name]
    parts = [content[first : first + size] for first in range(0, len(content), size)]
    names = [f"{path.name}.{number:02d}" for number in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        (path.parent / name).write_bytes(part)
    return names


def few(results: Path) -> None:
    """Put logs into an archive where results are more files than may come back."""
    logs = {path.name: path for path in sorted(results.glob("*.log"))}
    if len(list(results.iterdir())) <= _FILES or len(logs) < 2:
        return
    (results / "logs.tar.gz").write_bytes(_archive(logs, mode="w:gz"))
    for path in logs.values():
        path.unlink()


def run_table(call: Call) -> Result:
    """Train and measure the rows of the table, all at once."""
    if not call.plan.tiny and (stopped := _prepare(call, "table")) is not None:
        return stopped
    seconds, rows = call.seconds("table"), call.plan.rows
    minutes = call.plan.minutes("table", seconds)
    command = call.program(
        "colorize-table",
        *call.plan.table,
        f"rows=[{','.join(rows)}]",
        *("seed=0", "name=table", "directory=runs/table", f"trainer.max_minutes={minutes:.3f}"),
        *_together(len(rows)),
    )
    ended = call.run("table", command, seconds=seconds)
    folder = call.work / "runs/table"
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".json", ".md", ".csv", ".png")
    }
    kept = cut(_archive(files, mode="w:gz"), call.results / "table.tar.gz") if files else []
    page = folder / "table.md"
    return {
        **_told(ended),
        "minutes": round(minutes, 2),
        "epochs": {row: _epochs(folder, row) for row in rows},
        "table": page.read_text() if page.is_file() else None,
        "files": kept,
    }


def _together(count: int) -> list[str]:
    """Return the settings that train all rows at once, with the cores divided among loaders."""
    workers = max(1, _cores() // count - 1)
    return [
        *("hydra/launcher=joblib", f"hydra.launcher.n_jobs={count}"),
        f"sampling.workers={workers}",
    ]


def _cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _epochs(folder: Path, row: str) -> int | None:
    """Return the epochs that a row came to in its minutes."""
    for history in sorted(folder.rglob("history.csv")):
        if history.parent.parent.name.endswith(row):
            return len(history.read_text().splitlines()) - 1
    return None


def _told(ended: Ended) -> Result:
    return {"status": ended.status, "code": ended.code, "seconds": ended.seconds}


RUNS: dict[str, Callable[[Call], Result]] = {
    "tests": run_tests,
    "speed": run_speed,
    "train": run_train,
    "table": run_table,
}


def run_stages(call: Call, stages: Sequence[str], write: Callable[[str, Result], None]) -> None:
    """Run stages in turn; ``write`` takes the result of each at once.

    None stops the others, but an interruption of the whole call.
    """
    for stage in stages:
        print(f"{stage}: at most {max(0.0, call.seconds(stage)):.0f} s", flush=True)
        if call.seconds(stage) < 1:
            write(stage, {"status": "left out", "reason": "the time of the call was over"})
            continue
        start = time.monotonic()
        try:
            result = RUNS[stage](call)
        except Exception as error:  # noqa: BLE001 - the other stages count
            result = {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
        result.setdefault("seconds", round(time.monotonic() - start, 1))
        if result["status"] != "done":
            print(last_lines(call.results / f"{stage}.log"))
        write(stage, result)
        print(f"{stage}: {result['status']} after {result['seconds']} s", flush=True)
        if result["status"] == "interrupted":
            break
