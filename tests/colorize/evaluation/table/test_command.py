"""Whole tables on tiny cartoons: a row that fails, a second call, other launchers, and mistakes."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest

from colorize.evaluation.table import command, rows

TINY = (
    *("sweep=by_hand", "name=tiny", "debug=tiny", "model.channels=[4,4]", "validation.pictures=0"),
    *("metric@evaluation.metric=[psnr,colorfulness]", "evaluation.sheet_rows=0"),
    "trainer.max_epochs=1",
)
HEADS = ("model=prototype,prototype_chroma", "seed=0,1")


def call(*arguments: str) -> int:
    """Run colorize-table in this process; return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["colorize-table", *arguments])
        try:
            command.main()
        except SystemExit as stopped:
            return int(stopped.code or 0)
    return 0


def folder(root: Path, head: str, seed: int) -> Path:
    return root / "runs" / "tiny" / f"model-{head}" / f"seed-{seed}"


def written(root: Path) -> dict[Path, int]:
    """When every file of every run was written, but for the note of its last call."""
    files = (root / "runs" / "tiny").glob("model-*/**/*")
    return {
        path: path.stat().st_mtime_ns
        for path in files
        if path.is_file() and path.name != "state.json"
    }


def failing(row: str, seed: int) -> Any:
    """Return ``train``, which breaks down in one row with one seed."""
    train = rows.train

    def broken(config: Any) -> Any:
        if config.seed == seed and config.model.head == row:
            raise RuntimeError("the device\nran out of memory")
        return train(config)

    return broken


@pytest.fixture(scope="module")
def calls(tmp_path_factory) -> dict[str, Any]:
    """One table in two calls: the first loses a run, the second makes up for it."""
    root = tmp_path_factory.mktemp("table")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(rows, "train", failing("chroma", 1))
        first = call(*TINY, *HEADS)
        patch.undo()
        patch.chdir(root)
        content = json.loads((root / "runs/tiny/results.json").read_text())
        page = (root / "runs/tiny/table.md").read_text()
        before = written(root)
        second = call(*TINY, *HEADS)
    return {
        "root": root,
        "codes": (first, second),
        "incomplete": content,
        "incomplete page": page,
        "before": before,
    }


def test_a_run_that_fails_is_named_and_the_others_go_on(calls) -> None:
    assert calls["codes"][0] == 1
    reason = "RuntimeError: the device ran out of memory"
    assert calls["incomplete"]["missing"] == [
        {"row": "model=prototype_chroma", "seed": 1, "reason": reason}
    ]
    assert f"- model=prototype_chroma, seed 1: {reason}" in calls["incomplete page"]
    rows = calls["incomplete"]["rows"]
    assert rows["model=prototype"]["seeds"] == [0, 1]
    assert rows["model=prototype_chroma"]["seeds"] == [0]


def test_the_next_call_makes_only_what_is_missing(calls) -> None:
    assert calls["codes"][1] == 0
    after = written(calls["root"])
    lost = folder(calls["root"], "prototype_chroma", 1)
    assert {path: after[path] for path in calls["before"]} == calls["before"]
    assert {path for path in after if path not in calls["before"]} == {
        path for path in after if path.is_relative_to(lost)
    }
    assert (lost / "model.safetensors") in after


def test_the_table_holds_the_means_of_its_runs(calls) -> None:
    root = calls["root"]
    content = json.loads((root / "runs/tiny/results.json").read_text())
    assert content["missing"] == []
    assert list(content["rows"]) == ["model=prototype", "model=prototype_chroma"]
    for head in ("prototype", "prototype_chroma"):
        values, gains = [], []
        for seed in (0, 1):
            path = folder(root, head, seed) / "evaluation" / "results.json"
            total = json.loads(path.read_text())["total"]
            values.append(total["mean over K"]["psnr"]["mean"])
            gains.append(values[-1] - total["gray input"]["psnr"]["mean"])
        scores = content["rows"][f"model={head}"]["scores"]["psnr"]
        assert scores["mean"] == pytest.approx(statistics.fmean(values))
        assert scores["deviation"] == pytest.approx(statistics.stdev(values))
        assert scores["gain over gray"]["mean"] == pytest.approx(statistics.fmean(gains))
        assert content["rows"][f"model={head}"]["network"] == "none"
    names = {path.name for path in (root / "runs/tiny").iterdir()}
    assert {"table.md", "table.png", "curves.png"} <= names


def test_what_is_done_is_said_so_and_another_setting_is_refused(calls, monkeypatch, capsys) -> None:
    monkeypatch.chdir(calls["root"])
    before = written(calls["root"])
    assert call(*TINY, *HEADS, "evaluation.batch_size=2", "trainer.accelerator=auto") == 0
    assert capsys.readouterr().out.count("done before") == 4
    assert call(*TINY, *HEADS, "optimizer.learning_rate=0.5") == 2
    captured = capsys.readouterr()
    last = captured.err.splitlines()[-1]
    for head in ("prototype", "prototype_chroma"):
        lies = f"runs/tiny/model-{head}/seed-0 holds a run with optimizer.learning_rate=0.001, not"
        assert last.count(f"model={head}: {lies} 0.5: give the table another name=NAME") == 1
    # What nothing reads may differ: no loss looks at features, or compares flow.
    assert call(*TINY, *HEADS, "loss_weights=sources", "targets.flow.method=raft_small") == 0
    assert capsys.readouterr().out.count("trained before") == 0
    assert call(*TINY, *HEADS) == 0
    capsys.readouterr()
    after = {path: stamp for path, stamp in written(calls["root"]).items() if path in before}
    trained = {path for path in before if path.suffix in (".ckpt",)}
    assert trained
    assert {path: after[path] for path in trained} == {path: before[path] for path in trained}
    assert call(*TINY, *HEADS) == 0
    assert capsys.readouterr().out.count("done before") == 4


def test_another_evaluation_measures_again_without_training(calls, monkeypatch) -> None:
    monkeypatch.chdir(calls["root"])
    run = folder(calls["root"], "prototype", 0)
    weights = (run / "model.safetensors").read_bytes()
    history = (run / "history.csv").stat().st_mtime_ns
    assert call(*TINY, "model=prototype,prototype_chroma", "evaluation.every=2") == 0
    measured = json.loads((run / "evaluation" / "results.json").read_text())
    assert measured["total"]["mean over K"]["psnr"]["count"] == 2  # of a test shot of 4 frames
    assert (run / "model.safetensors").read_bytes() == weights
    assert (run / "history.csv").stat().st_mtime_ns == history


@pytest.mark.parametrize(
    ("launcher", "option"),
    [
        ("joblib", "hydra.launcher.n_jobs=2"),
        ("submitit_local", "hydra.launcher.timeout_min=5"),
    ],
)
def test_other_launchers_make_the_same_table(
    calls, launcher, option, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    options = {
        "joblib": "hydra.launcher.n_jobs=2",
        "submitit_local": "hydra.launcher.timeout_min=5",
    }
    launched = (f"hydra/launcher={launcher}", options[launcher])
    assert call(*TINY, "model=prototype,prototype_chroma", *launched) == 0
    content = json.loads((tmp_path / "runs/tiny/results.json").read_text())
    here = json.loads((calls["root"] / "runs/tiny/results.json").read_text())
    for row in ("model=prototype", "model=prototype_chroma"):
        values = content["rows"][row]["scores"]["colorfulness"]["values"]
        assert values.keys() == {"0"}
        assert here["rows"][row]["network"] == content["rows"][row]["network"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep=by_hand", "seed=0,1"], "a table needs rows: pass sweep=table1"),
        (["sweep=seeds"], "a table needs rows"),
        ([*TINY, *HEADS, "trainer.devices=2"], "trainer.devices is 2: every row"),
        ([*TINY, *HEADS, "protocol=short", "protocol.epochs=9"], "expected small_epochs + large_e"),
        ([*TINY, "model=prototype,prototype_chroma", "seed=0,a"], "seed is 'a': expected a whole"),
        ([*TINY, *HEADS, "evaluation.output=x"], "evaluation.output is evaluation in every row"),
        ([*TINY, *HEADS, "evaluation.evry=2"], "evry"),
        ([*TINY, "experiment=glob(table9/*)"], "matches no file"),
        ([*TINY, "model=prototype,generatr"], "generatr"),
        ([*TINY, "model=prototype,,"], "model=prototype,,"),
    ],
)
def test_a_mistake_is_one_line_before_anything_runs(
    arguments, message, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(*arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1, errors
    assert message in errors
    assert not list(tmp_path.rglob("model.safetensors"))
