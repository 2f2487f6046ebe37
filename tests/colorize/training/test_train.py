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

from colorize.inference.checkpoints import load_checkpoint
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import RenderSettings

PROGRAM = str(Path(sys.executable).parent / "colorize-train")
# Batch normalisation sees the batch of its own process, so it is left out here.
REFINED = (
    "refiner=refiner",
    "refiner.channels=[4,4]",
    "model.normalization=none",
    "loss=[rank_diversity,bilateral,temporal,segment,refinement]",
)
REFERENCE = (
    "model=guided",
    "model.features.weights=random",
    "model.match_width=8",
    "model.fusion_width=4",
    "model.normalization=none",
    "references=sampled",
    "loss=[color,proposals]",
)
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
    """The weights of both networks, g's under ``refiner.``."""
    checkpoint = load_checkpoint(folder / "checkpoints" / name)
    second = {f"refiner.{name}": each for name, each in checkpoint.refiner_weights.items()}
    return {**checkpoint.weights, **second}


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
    assert checkpoint.model["name"] == "prototype"
    assert checkpoint.size == (32, 48)
    description = checkpoint.description
    assert description["config"]["seed"] == 0
    assert "procedural cartoon, seed 0" in description["data"]["name"]
    assert len(description["data"]["train"]) == 64
    assert torch.__version__.startswith(description["provenance"]["packages"]["torch"])


def kill_and_continue(folder, *overrides):
    """Kill a run after its first checkpoint, run it again, and return what that one printed."""
    process = start(folder, *overrides)
    last = folder / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 120
    while not last.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    output, _ = run(folder, *overrides)
    assert f"continuing {folder}" in output
    assert len((folder / "history.csv").read_text().splitlines()) == 4


def test_a_killed_run_continues_and_ends_with_the_same_weights(uninterrupted, tmp_path):
    kill_and_continue(tmp_path / "killed", "trainer.max_epochs=3")
    assert_same(weights(tmp_path / "killed"), weights(uninterrupted))


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


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refined") / "whole"
    run(folder, *REFINED, "trainer.max_epochs=3")
    return folder


def test_both_networks_train_on_all_losses_of_the_paper(refined):
    header = (refined / "history.csv").read_text().splitlines()[0]
    for name in ("rank_diversity", "bilateral", "temporal", "segment", "refinement"):
        assert f"train/{name}/pair" in header
    assert "val/psnr/refined" in header
    assert any(name.startswith("refiner.") for name in weights(refined))
    colorizer = Colorizer.load(refined / "model.safetensors", device="cpu")
    assert colorizer.sequential


def test_a_killed_run_of_both_networks_continues_with_the_same_weights(refined, tmp_path):
    kill_and_continue(tmp_path / "killed", *REFINED, "trainer.max_epochs=3")
    assert_same(weights(tmp_path / "killed"), weights(refined))


def test_the_main_network_is_the_same_with_and_without_a_refiner(refined, tmp_path):
    losses = "loss=[rank_diversity,bilateral,temporal,segment]"
    run(tmp_path / "alone", losses, "model.normalization=none", "trainer.max_epochs=3")
    alone, both = weights(tmp_path / "alone"), weights(refined)
    assert_same(alone, {name: both[name] for name in alone})


def test_two_processes_equal_one_for_both_networks(tmp_path):
    run(tmp_path / "one", *REFINED, "trainer.max_epochs=1")
    two = ("trainer.max_epochs=1", "trainer.devices=2", "trainer.strategy=ddp")
    run(tmp_path / "two", *REFINED, *two)
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert any(name.startswith("refiner.") for name in first)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def guided(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guided") / "whole"
    run(folder, *REFERENCE, "trainer.max_epochs=3")
    return folder


def test_the_reference_guided_model_trains_and_is_measured_with_references_and_without(guided):
    header = (guided / "history.csv").read_text().splitlines()[0]
    for name in ("train/color/still", "train/proposals/pair", "val/psnr/automatic"):
        assert name in header
    colorizer = Colorizer.load(guided / "model.safetensors", device="cpu")
    assert colorizer.takes_references
    description = load_checkpoint(guided / "model.safetensors").description
    assert description["weights"] == {"model.matcher.features": "random SqueezeNet"}
    gray = torch.rand(2, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    shown = colorizer(gray, references=[torch.rand(3, 32, 48)])
    assert not torch.allclose(shown, colorizer(gray), atol=1e-3)


def test_a_killed_run_with_references_continues_with_the_same_weights(guided, tmp_path):
    kill_and_continue(tmp_path / "killed", *REFERENCE, "trainer.max_epochs=3")
    assert_same(weights(tmp_path / "killed"), weights(guided))


def test_a_memory_is_learnt_beside_what_is_there(guided, tmp_path):
    settings = ("experiment=reference_memory", "data=cartoon", *REFERENCE, "loss=[color]")
    settings += ("sampling.stages=[{epochs: 1, size: [32, 48]}]", "trainer.max_epochs=1")
    init = f"init={guided / 'model.safetensors'}"
    run(tmp_path / "first", *settings, init)
    before, after = weights(guided), weights(tmp_path / "first")
    assert {name for name in after if name not in before} == {
        name for name in after if name.startswith("unguided.")
    }
    assert all(torch.equal(after[name], before[name]) for name in before)
    Colorizer.load(tmp_path / "first" / "model.safetensors", device="cpu")

    # All of it goes on learning together, but not a memory that there never was.
    again = (*REFERENCE, "model.unguided=true", "trainer.max_epochs=1")
    run(tmp_path / "second", *again, f"init={tmp_path / 'first' / 'model.safetensors'}")
    moved = weights(tmp_path / "second")
    assert {"fusion", "matcher", "unguided", "unet"} == {
        name.split(".")[0] for name in moved if not torch.equal(moved[name], after[name])
    }
    process = start(tmp_path / "third", *again, init)
    assert "does not fit these settings" in process.communicate(timeout=120)[1]
    assert process.returncode == 2


def test_two_processes_train_with_references_as_one(tmp_path):
    # The fusion's batch normalisation sees the proposals of its own process, so runs that have any
    # are only like each other; without any, and through every step, they are the same.
    two = ("trainer.max_epochs=1", "trainer.devices=2", "trainer.strategy=ddp")
    alone = ("references.none=1.0",)
    run(tmp_path / "one", *REFERENCE, *alone, "trainer.max_epochs=1")
    run(tmp_path / "two", *REFERENCE, *alone, *two)
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4)
    # Some of these steps have references in one process alone.
    run(tmp_path / "guided", *REFERENCE, "references.none=0.5", *two)
    third = weights(tmp_path / "guided")
    assert all(torch.isfinite(each).all() for each in third.values())
    moved = {name.split(".")[0] for name in third if not torch.equal(third[name], first[name])}
    assert moved == {"fusion", "matcher", "unet"}


@pytest.mark.parametrize("inputs", ["gray_pair", "gray_segments", "gray_previous"])
def test_a_run_with_more_inputs_can_be_used_on_a_shot(tmp_path, inputs):
    run(tmp_path / "run", f"model.inputs={inputs}", "trainer.max_epochs=1")
    colorizer = Colorizer.load(tmp_path / "run" / "model.safetensors", device="cpu")
    gray = torch.rand(3, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    flat = RenderSettings(stillness=0.0)
    together = colorizer(gray, settings=flat)
    torch.testing.assert_close(colorizer(gray[:1], settings=flat), together[:1], atol=1e-4, rtol=0)
    apart = torch.cat([colorizer(frame[None], settings=flat) for frame in gray])
    assert torch.allclose(apart, together, atol=1e-4) is (inputs == "gray_segments")


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
