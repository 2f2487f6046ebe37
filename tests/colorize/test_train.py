"""Whole runs of colorize-train on tiny cartoons: finished, resumed, on two processes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from colorize.predict import load_checkpoint

PROGRAM = str(Path(sys.executable).parent / "colorize-train")
TINY = ("debug=tiny", "model.channels=[4,4,4]", "optimizer.learning_rate=0.01")


def start(folder, *overrides):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [PROGRAM, *TINY, f"directory={folder}", *overrides],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, *overrides):
    process = start(folder, *overrides)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return output, errors


def weights(folder, name="last.ckpt"):
    return load_checkpoint(folder / "checkpoints" / name).weights


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "whole"
    run(folder, "trainer.max_epochs=3")
    return folder


def test_a_run_leaves_weights_curves_pictures_and_a_table(uninterrupted):
    names = {path.name for path in uninterrupted.iterdir()}
    assert {"model.safetensors", "curves.png", "history.csv", "config.json", "pictures"} <= names
    with (uninterrupted / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["val/psnr/gray"]) > 0 for row in rows)
    assert len(list((uninterrupted / "pictures").glob("*.png"))) == 3


def test_the_checkpoint_describes_itself(uninterrupted):
    checkpoint = load_checkpoint(uninterrupted / "model.safetensors")
    assert checkpoint.model["_target_"] == "colorize.models.Generator"
    assert checkpoint.size == (32, 48)
    description = checkpoint.description
    assert description["config"]["seed"] == 0
    assert "procedural cartoon, seed 0" in description["data"]["name"]
    assert len(description["data"]["train"]) == 64
    assert description["provenance"]["packages"]["torch"] == torch.__version__


def test_a_killed_run_continues_and_ends_with_the_same_weights(uninterrupted, tmp_path):
    folder = tmp_path / "killed"
    process = start(folder, "trainer.max_epochs=3")
    last = folder / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 120
    while not last.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    output, _ = run(folder, "trainer.max_epochs=3")
    assert f"continuing {folder}" in output
    assert_same(weights(folder), weights(uninterrupted))
    assert len((folder / "history.csv").read_text().splitlines()) == 4


def test_a_finished_run_is_not_trained_again(uninterrupted):
    before = weights(uninterrupted)
    run(uninterrupted, "trainer.max_epochs=3")
    assert_same(weights(uninterrupted), before)


def test_the_same_directory_refuses_other_settings(uninterrupted):
    process = start(uninterrupted, "trainer.max_epochs=3", "model.outputs=2")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "holds a run with model.outputs=4, not 2" in errors
    assert json.loads((uninterrupted / "config.json").read_text())["model"]["outputs"] == 4


def test_another_seed_gives_other_weights(uninterrupted, tmp_path):
    run(tmp_path / "other", "trainer.max_epochs=1", "seed=1")
    first, second = weights(uninterrupted), weights(tmp_path / "other")
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_two_processes_equal_one(uninterrupted, tmp_path):
    run(tmp_path / "two", "trainer.max_epochs=3", "trainer.devices=2", "trainer.strategy=ddp")
    first, second = weights(uninterrupted), weights(tmp_path / "two")
    for name in first:  # the sum over two processes rounds in another order
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4)


def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path):
    process = start(tmp_path / "bad", "loss.rank_diversity.weight=.nan", "trainer.max_epochs=1")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "loss is not finite at step 0" in errors
    assert not list(tmp_path.rglob("*.ckpt"))
