"""Three-stage transfer: each stage starts from the one before, and a stopped run resumes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from classify import train as train_module
from classify.checkpoints import load_checkpoint
from classify.train import train
from colorize.base.config import ConfigError, check
from tests.classify.samples import class_folders
from tests.classify.tiny import train_config

CLASSES = {
    "gender": ("female", "male"),
    "looks": ("other", "similar"),
    "target": ("mona", "others"),
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("data")
    return {
        name: class_folders(folder / name, classes=classes, count=10, start=10 * number)
        for number, (name, classes) in enumerate(CLASSES.items())
    }


def config(folder: Path, roots: dict[str, Path], *overrides: str):
    chosen = train_config(
        "classifier=mona_transfer",
        *(f"stages.{name}.root={root}" for name, root in roots.items()),
        *(f"stages.{name}.epochs=1" for name in roots),
        "preprocessing.size=[46,46]",
        "model.widths=[3,8,8]",
        "model.hidden_widths=[16,8]",
        "batch_size=4",
        "target=mona",
        "trainer.accelerator=cpu",
        f"directory={folder}",
        *overrides,
    )
    check(chosen)
    return chosen


@pytest.fixture(scope="module")
def whole(roots, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "whole"
    results = train(config(folder, roots))
    assert results.examples.classes == ("mona", "others")
    assert results.screened() is not None
    return folder


def test_every_stage_has_its_classes_and_starts_from_the_one_before(whole: Path) -> None:
    for number, (name, classes) in enumerate(CLASSES.items(), start=1):
        checkpoint = load_checkpoint(whole / f"{number}-{name}" / "model.safetensors")
        assert checkpoint.classes == classes
        assert checkpoint.config["target"] == ("mona" if name == "target" else None)
        before = whole / f"{number - 1}-{list(CLASSES)[number - 2]}" / "model.safetensors"
        assert checkpoint.config["init"] == (str(before) if number > 1 else None)


def test_a_stopped_run_resumes_at_the_stage_it_reached(
    whole: Path, roots, tmp_path: Path, monkeypatch, capsys
) -> None:
    trained = []
    original = train_module.train_once

    def stopping(stage, folder):
        if folder.name == "2-looks" and not trained.count("stopped"):
            trained.append("stopped")
            raise RuntimeError("stopped by the test")
        trained.append(folder.name)
        return original(stage, folder)

    monkeypatch.setattr(train_module, "train_once", stopping)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        train(config(tmp_path / "stopped", roots))
    train(config(tmp_path / "stopped", roots))
    assert trained == ["1-gender", "stopped", "2-looks", "3-target"]
    assert "finished before" in capsys.readouterr().out
    first, second = (
        load_checkpoint(folder / "3-target" / "checkpoints" / "last.ckpt").weights
        for folder in (whole, tmp_path / "stopped")
    )
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)


def test_a_finished_stage_refuses_other_settings(whole: Path, roots) -> None:
    with pytest.raises(ConfigError, match=r"1-gender holds a run with batch_size=4, not 2"):
        train(config(whole, roots, "batch_size=2"))


def test_stages_train_on_one_device(tmp_path: Path, roots) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.devices is 2: stages train on one device"):
        train(config(tmp_path, roots, "trainer.devices=2"))
