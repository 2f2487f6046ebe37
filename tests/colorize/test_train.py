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
    """Start colorize-train on the tiny setting; flags such as -m stand first in ``overrides``."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    flags = [word for word in overrides if word.startswith("-")]
    settings = [word for word in overrides if word not in flags]
    return subprocess.Popen(
        [PROGRAM, *flags, *TINY, f"directory={folder}", *settings],
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
    assert torch.__version__.startswith(description["provenance"]["packages"]["torch"])


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


def test_two_processes_equal_one(tmp_path):
    # Batch normalisation sees the batch of its own process, so it is left out here.
    settings = ("trainer.max_epochs=1", "model.normalization=none")
    run(tmp_path / "one", *settings)
    run(tmp_path / "two", *settings, "trainer.devices=2", "trainer.strategy=ddp")
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in first:  # the sum over two processes rounds in another order
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4)


def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path):
    process = start(tmp_path / "bad", "loss.rank_diversity.weight=nan", "trainer.max_epochs=1")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "loss is not finite at step 0" in errors
    assert not list(tmp_path.rglob("*.ckpt"))


def test_every_job_of_a_sweep_has_a_directory_of_its_own(tmp_path):
    run(tmp_path / "sweep", "-m", "trainer.max_epochs=1", "seed=0,1")
    runs = {path.parent.name: path for path in (tmp_path / "sweep").glob("*/model.safetensors")}
    assert len(runs) == 2
    assert all(any(f"seed={seed}" in name for name in runs) for seed in (0, 1))


def test_all_losses_of_the_paper_train_together(tmp_path):
    run(tmp_path / "all", "loss=[rank_diversity,bilateral,temporal,segment]")
    header = (tmp_path / "all" / "history.csv").read_text().splitlines()[0]
    for name in ("rank_diversity", "bilateral", "temporal", "segment"):
        assert f"train/{name}/pair" in header
