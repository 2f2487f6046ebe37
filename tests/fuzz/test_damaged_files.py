"""Hundreds of damaged files through the command: coloured whole, or refused in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.colorize.tiny import write_safetensors
from tests.fuzz.damage import CHANGES, damaged
from tests.places import ROOT

FILES = 600
WORKERS = 2


def start(checkpoint: Path, folder: Path, first: int) -> subprocess.Popen[str]:
    numbers = [str(first), str(WORKERS), str(FILES)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.worker", str(checkpoint), str(folder), *numbers],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(checkpoint: Path, folder: Path, first: int) -> Iterator[dict[str, Any]]:
    """Yield what became of each file; a worker that dies is followed by one for the rest."""
    worker = start(checkpoint, folder, first)
    while True:
        output, errors = worker.communicate(timeout=300)
        begun: dict[str, Any] = {}
        for line in output.splitlines():
            report = json.loads(line)
            if "code" in report:
                yield begun | report
            begun = {} if "code" in report else report
        if worker.returncode == 0:
            return
        assert begun, f"the worker died before its first file:\n{errors[-3000:]}"
        end = f"the process ended with {worker.returncode}: {errors[-1500:]}"
        yield begun | {"code": None, "faults": [end]}
        worker = start(checkpoint, folder / str(begun["number"]), begun["number"] + WORKERS)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("fuzz")
    checkpoint = write_safetensors(folder / "model.safetensors")

    def all_of(first: int) -> list[dict[str, Any]]:
        return list(finished(checkpoint, folder / f"{first}", first))

    with ThreadPoolExecutor(WORKERS) as pool:
        return [report for share in pool.map(all_of, range(WORKERS)) for report in share]


def test_every_file_ends_well(reports: list[dict[str, Any]]) -> None:
    assert sorted(report["number"] for report in reports) == list(range(FILES))
    assert [report for report in reports if report["faults"]] == []


def test_both_ends_are_reached(reports: list[dict[str, Any]]) -> None:
    """Damage that is never noticed, or always, would prove nothing."""
    codes = [report["code"] for report in reports]
    assert codes.count(0) > FILES // 5
    assert codes.count(2) > FILES // 3
    assert set(codes) == {0, 2}


def test_damage_is_of_every_kind_and_the_same_in_every_run() -> None:
    files = {"a.png": bytes(range(200)), "b.mkv": bytes(range(56, 256))}
    first = [damaged(files, number) for number in range(64)]
    assert [damaged(files, number) for number in range(64)] == first
    kinds = {damage.how.split(": ")[-1] for damage in first}
    assert {change.__name__ for change in CHANGES} <= kinds
    assert any(" as " in kind for kind in kinds)
    assert "joined" in kinds
    assert np.mean([damage.content not in files.values() for damage in first]) > 0.8
