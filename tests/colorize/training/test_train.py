"""Whole runs of colorize-train on tiny cartoons: finished, resumed, on two processes."""

import csv
import json

import pytest
import torch

from colorize.inference.checkpoints import load_checkpoint
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import RenderSettings
from tests.forked import Command

LOSSES = "loss=[rank_diversity,bilateral,temporal,segment]"
REFINED = (
    "refiner=refiner",
    "refiner.channels=[4,4]",
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
TINY = (
    *("debug=tiny", "model.channels=[4,4,4]", "optimizer.learning_rate=0.01"),
    "validation.pictures=0",
)
WHOLE = (LOSSES, "trainer.max_epochs=3", "validation.pictures=2")


def start(folder, *overrides):
    """Start colorize-train on the tiny setting; flags such as -m stand first in ``overrides``."""
    flags = [word for word in overrides if word.startswith("-")]
    settings = [word for word in overrides if word not in flags]
    return Command("colorize-train", *flags, *TINY, f"directory={folder}", *settings)


def run(folder, *overrides):
    process = start(folder, *overrides)
    output, errors = process.ended()
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
    run(folder, *WHOLE)
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
    process.kill_when((folder / "checkpoints" / "last.ckpt").is_file)
    output, _ = run(folder, *overrides)
    assert f"continuing {folder}" in output
    assert len((folder / "history.csv").read_text().splitlines()) == 4


def test_a_finished_run_is_not_trained_again(uninterrupted):
    before = weights(uninterrupted)
    run(uninterrupted, *WHOLE)
    assert_same(weights(uninterrupted), before)


def test_the_same_directory_refuses_other_settings(uninterrupted):
    process = start(uninterrupted, *WHOLE, "model.outputs=2")
    _, errors = process.ended()
    assert process.returncode == 2
    assert "holds a run with model.outputs=4, not 2" in errors
    assert json.loads((uninterrupted / "config.json").read_text())["model"]["outputs"] == 4


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


def test_the_main_network_is_the_same_with_and_without_a_refiner(refined, uninterrupted):
    alone, both = weights(uninterrupted), weights(refined)
    assert_same(alone, {name: both[name] for name in alone})


def test_two_processes_equal_one_for_both_networks(tmp_path):
    # Batch normalisation sees the batch of its own process, so it is left out here.
    settings = (*REFINED, "model.normalization=none", "trainer.max_epochs=1")
    run(tmp_path / "one", *settings)
    run(tmp_path / "two", *settings, "trainer.devices=2", "trainer.strategy=ddp")
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert any(name.startswith("refiner.") for name in first)
    for name in first:  # the sum over two processes rounds in another order
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
    assert description["weights"] == {"model.matcher.features": "random SqueezeNet 1.1"}
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
    again = (*REFERENCE, "model.unguided=unet", "trainer.max_epochs=1")
    run(tmp_path / "second", *again, f"init={tmp_path / 'first' / 'model.safetensors'}")
    moved = weights(tmp_path / "second")
    assert {"fusion", "matcher", "unguided", "unet"} == {
        name.split(".")[0] for name in moved if not torch.equal(moved[name], after[name])
    }
    process = start(tmp_path / "third", *again, init)
    assert "does not fit these settings" in process.ended()[1]
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


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swept") / "sweep"
    run(folder, "-m", "model.inputs=gray_pair", "seed=0,1", "trainer.max_epochs=1")
    return folder


def test_every_job_of_a_sweep_has_a_directory_of_its_own_and_another_seed_other_weights(swept):
    runs = sorted(path.parent for path in swept.glob("*/model.safetensors"))
    assert ["seed-0" in path.name for path in runs] == [True, False]
    first, second = (weights(path) for path in runs)
    assert any(not torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("inputs", ["gray_pair", "gray_segments", "gray_previous"])
def test_a_run_with_more_inputs_can_be_used_on_a_shot(tmp_path, swept, inputs):
    folder = min(swept.glob("*seed-0*")) if inputs == "gray_pair" else tmp_path / "run"
    if inputs != "gray_pair":
        run(folder, f"model.inputs={inputs}", "trainer.max_epochs=1")
    colorizer = Colorizer.load(folder / "model.safetensors", device="cpu")
    gray = torch.rand(3, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    flat = RenderSettings(stillness=0.0)
    together = colorizer(gray, settings=flat)
    torch.testing.assert_close(colorizer(gray[:1], settings=flat), together[:1], atol=1e-4, rtol=0)
    apart = torch.cat([colorizer(frame[None], settings=flat) for frame in gray])
    assert torch.allclose(apart, together, atol=1e-4) is (inputs == "gray_segments")


def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path):
    process = start(tmp_path / "bad", "loss.rank_diversity.weight=nan", "trainer.max_epochs=1")
    _, errors = process.ended()
    assert process.returncode == 2
    assert "loss is not finite at step 0" in errors
    assert not list(tmp_path.rglob("*.ckpt"))


def test_a_batch_that_no_loss_can_learn_from_is_a_step_of_zero(tmp_path):
    settings = (*REFERENCE[:-1], "loss=[proposals]", "references.none=1.0", "trainer.max_epochs=1")
    run(tmp_path / "run", *settings)
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_a_run_ends_when_its_minutes_are_over_and_goes_on_with_more(tmp_path):
    folder = tmp_path / "run"
    many = (LOSSES, "trainer.max_epochs=500", "optimizer.schedule=cosine")
    run(folder, *many, "trainer.max_minutes=0.001")
    assert epochs(folder) == [1]  # the epoch in which they are over is finished
    assert (folder / "model.safetensors").is_file()
    output, _ = run(folder, *many, "trainer.max_minutes=0.001")
    assert f"continuing {folder}" in output
    assert epochs(folder)[:2] == [1, 2]


def epochs(folder):
    with (folder / "history.csv").open() as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def test_minutes_that_are_none_are_refused(tmp_path):
    process = start(tmp_path / "run", LOSSES, "trainer.max_minutes=0")
    _, errors = process.ended()
    assert process.returncode == 2
    assert "trainer.max_minutes is 0" in errors
