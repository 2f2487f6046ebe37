"""Whole runs of classify-train on tiny pictures: finished, resumed, refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from classify import task as task_module
from classify.checkpoints import load_checkpoint
from classify.predict import Classifier
from classify.train import assemble, train
from colorize.base.config import ConfigError, check
from tests import forked
from tests.classify.samples import class_folders
from tests.classify.tiny import train_config

TINY = (
    "preprocessing.size=[12,12]",
    "model.classes=2",
    "split.test_fraction=0.25",
    "batch_size=4",
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "optimizer.learning_rate=0.01",
)


@pytest.fixture(scope="module")
def pets(tmp_path_factory) -> Path:
    root = class_folders(tmp_path_factory.mktemp("data") / "pets", count=12)
    (root / "cat" / "broken.png").write_bytes(b"x")
    return root


def run(folder: Path, root: Path, *overrides: str, classifier: str = "cifar"):
    words = (*TINY, f"data.root={root}", f"directory={folder}", *overrides)
    config = train_config(f"classifier={classifier}", *words)
    check(config)
    return train(config)


@pytest.fixture(scope="module")
def whole(pets: Path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "whole"
    return folder, run(folder, pets, "target=cat")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(folder / "checkpoints" / "last.ckpt").weights)


def assert_same(first: Path, second: Path) -> None:
    for name, tensor in weights(first).items():
        torch.testing.assert_close(tensor, weights(second)[name], rtol=0, atol=0)


def test_a_run_learns_and_leaves_everything(whole, pets: Path) -> None:
    folder, results = whole
    names = {path.name for path in folder.iterdir()}
    assert {
        "model.safetensors",
        "config.json",
        "history.csv",
        "curves.png",
        "confusion.png",
        "histogram.png",
        "examples.png",
        "predictions.png",
        "predictions.csv",
        "results.md",
        "results.json",
    } <= names
    assert results.accuracy == 1.0  # red and blue pictures
    with (folder / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for column in ("seconds", "train/loss", "train/accuracy", "val/loss", "val/accuracy"):
        assert all(float(row[column]) >= 0 for row in rows)
    text = (folder / "results.md").read_text()
    assert "cat/broken.png is not a picture" in text
    assert "| total number of images | 6 |" in text
    assert json.loads((folder / "results.json").read_text())["accuracy"] == 1.0


def test_the_checkpoint_alone_predicts(whole, pets: Path) -> None:
    classifier = Classifier.load(whole[0] / "model.safetensors", device="cpu")
    (prediction,) = classifier.files([pets / "dog" / "003.png"])
    assert classifier.classes[int(prediction.probabilities.argmax())] == "dog"
    assert classifier.checkpoint.config["target"] == "cat"
    assert classifier.checkpoint.description["data"]["name"] == "pets: 24 pictures of 2 classes"


# Dropout and augmentation, which draw random numbers, batch normalisation, a schedule.
RANDOM = (
    "preprocessing.channels=3",
    "data.classes=null",
    "balance=null",
    "model.widths=[4,8]",
)


@pytest.mark.parametrize("classifier", ["cifar", "emotion_compact"])
def test_a_stopped_run_continues_and_ends_with_the_same_weights(
    whole, pets: Path, tmp_path: Path, monkeypatch, classifier: str, capsys
) -> None:
    settings, reference = ["target=cat"], whole[0]
    if classifier != "cifar":
        settings, reference = [*RANDOM], tmp_path / "reference"
        run(reference, pets, *settings, classifier=classifier)
    original = task_module.ClassificationTask.training_step

    def stopping(self, batch, batch_idx):
        if self.current_epoch == 1 and batch_idx == 2:
            raise RuntimeError("stopped by the test")
        return original(self, batch, batch_idx)

    monkeypatch.setattr(task_module.ClassificationTask, "training_step", stopping)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        run(tmp_path / "stopped", pets, *settings, classifier=classifier)
    monkeypatch.undo()
    run(tmp_path / "stopped", pets, *settings, classifier=classifier)
    assert "continuing" in capsys.readouterr().out
    assert_same(tmp_path / "stopped", reference)
    assert len((tmp_path / "stopped" / "history.csv").read_text().splitlines()) == 4


def test_the_same_directory_refuses_other_settings(whole, pets: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"holds a run with batch_size=4, not 8: add name=NAME init="
    ):
        run(whole[0], pets, "target=cat", "batch_size=8")


def test_settings_that_do_not_fit_the_data(pets: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.classes is 3, but the data has 2: cat, dog"):
        run(tmp_path / "a", pets, "model.classes=3")
    with pytest.raises(ValueError, match="target is 'cart'; did you mean 'cat'"):
        run(tmp_path / "b", pets, "target=cart")


def test_a_run_may_start_from_another(whole, pets: Path) -> None:
    settings = (
        "classifier=cifar",
        *TINY,
        f"data.root={pets}",
        f"init={whole[0] / 'model.safetensors'}",
    )
    _, _, task, _ = assemble(train_config(*settings))
    given = load_checkpoint(whole[0] / "model.safetensors").weights
    own = task.model.state_dict()
    torch.testing.assert_close(own["features.0.0.weight"], given["features.0.0.weight"])
    assert not torch.equal(own["output.weight"], given["output.weight"])


def test_the_leaking_protocol_is_named_in_every_report(pets: Path, tmp_path: Path, capsys) -> None:
    results = run(tmp_path / "leak", pets, "split.protocol=leaking", "trainer.max_epochs=1")
    assert results.warning.startswith("Leaking protocol")
    assert "**Leaking protocol" in (tmp_path / "leak" / "results.md").read_text()
    assert "Leaking protocol" in capsys.readouterr().out


def test_drawings_train_without_any_files(tmp_path: Path) -> None:
    config = train_config(
        "classifier=expressions",
        f"directory={tmp_path / 'run'}",
        "data.people=2",
        "data.per_person=16",
        "data.strangers=1",
        "preprocessing.size=[32,32]",
        "trainer.max_epochs=1",
        "trainer.accelerator=cpu",
    )
    results = train(config)
    assert len(results.examples) == 16
    assert 0 <= results.accuracy <= 1


def test_two_processes_equal_one(pets: Path, tmp_path: Path) -> None:
    words = ["classifier=cifar", *TINY, f"data.root={pets}", "trainer.max_epochs=1"]
    words += [f"directory={tmp_path / 'two'}", "trainer.devices=2", "trainer.strategy=ddp"]
    forked.run("classify-train", *words)
    run(tmp_path / "one", pets, "trainer.max_epochs=1")
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in first:  # the sum over two processes rounds in another order
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4)
    assert (tmp_path / "two" / "model.safetensors").is_file()
