"""Checkpoint files: exported, whole and broken, with and without a refiner."""

from __future__ import annotations

import dataclasses
import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch

from colorize.inference.checkpoints import (
    CheckpointError,
    build_networks,
    export,
    fill,
    load_checkpoint,
    start_from,
)
from tests.colorize.tiny import (
    description,
    generator,
    reference_generator,
    write_lightning,
    write_reference_safetensors,
    write_safetensors,
)


class Bomb:
    """Makes a folder when unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_an_exported_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    first = load_checkpoint(write_lightning(tmp_path / "run.ckpt"))
    export(first, tmp_path / "model.safetensors")
    again = load_checkpoint(tmp_path / "model.safetensors")
    assert again.model == first.model == description()["config"]["model"]
    assert again.description == first.description == description() | {"step": 0}
    assert again.size == (32, 48)
    assert again.weights.keys() == first.weights.keys() == generator().state_dict().keys()
    for name, tensor in generator().state_dict().items():
        assert torch.equal(again.weights[name], tensor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "run.ckpt"]


def test_a_failed_export_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = write_safetensors(tmp_path / "model.safetensors")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        export(load_checkpoint(path), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def broken_text(path: Path) -> Path:
    path.write_text("these are not weights\n")
    return path


def broken_cut(path: Path) -> Path:
    whole = write_safetensors(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def broken_zip(path: Path) -> Path:
    whole = write_lightning(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def broken_foreign(path: Path) -> Path:
    safetensors.torch.save_file({"weight": torch.ones(2)}, path, {"format": "pt"})
    return path


def broken_bare(path: Path) -> Path:
    torch.save(torch.ones(3), path)
    return path


def broken_other_task(path: Path) -> Path:
    torch.save({"state_dict": {"layer.weight": torch.ones(3)}}, path)
    return path


def broken_empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def missing(path: Path) -> Path:
    return path


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("absent.ckpt", missing, "no such checkpoint; train one with colorize-train"),
        ("text.ckpt", broken_text, "not a checkpoint of colorize-train, or damaged"),
        ("text.safetensors", broken_text, "not a checkpoint of colorize-train, or damaged"),
        ("empty.ckpt", broken_empty, "not a checkpoint of colorize-train, or damaged"),
        ("empty.safetensors", broken_empty, "not a checkpoint of colorize-train, or damaged"),
        ("cut.safetensors", broken_cut, "not a checkpoint of colorize-train, or damaged"),
        ("cut.ckpt", broken_zip, "not a checkpoint of colorize-train, or damaged"),
        ("other.safetensors", broken_foreign, r"format is 'pt', expected 'tooncolor-model-2'"),
        ("tensor.ckpt", broken_bare, "not a checkpoint of colorize-train, or damaged"),
        ("classifier.ckpt", broken_other_task, "not a checkpoint of colorize-train.*tooncolor"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_one_line(tmp_path: Path, name, make, message) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        load_checkpoint(make(tmp_path / name))
    assert str(error.value).startswith(str(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("save", [torch.save, lambda content, path: pickle.dump(content, path)])
def test_code_in_a_pickle_is_not_executed(tmp_path: Path, save) -> None:
    folder, path = tmp_path / "executed", tmp_path / "evil.ckpt"
    with path.open("wb") as file:
        save({"tooncolor": Bomb(folder), "state_dict": {}}, file)
    pickle.loads(pickle.dumps(Bomb(folder)))
    assert folder.is_dir()  # the charge is live
    folder.rmdir()
    with pytest.raises(CheckpointError, match="not a checkpoint") as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)
    assert not folder.exists()


def test_weights_that_do_not_fit_the_description_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint = load_checkpoint(write_safetensors(path))
    weights = dict(checkpoint.weights)
    weights.pop("unet.second.weight")
    with pytest.raises(CheckpointError, match=r"does not fit.*unet\.second\.weight") as error:
        build_networks(dataclasses.replace(checkpoint, weights=weights))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "os.system"}, r"os\.system"),
        ({"head": "sepia"}, "does not fit"),
        ({"later_option": 1}, "later_option"),
        ({"channels": [4, 4, 4]}, "does not fit"),
    ],
)
def test_a_description_of_another_version_is_one_line(tmp_path: Path, change, message) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint = load_checkpoint(write_safetensors(path))
    model = {**checkpoint.model, **change}
    with pytest.raises(CheckpointError, match=message) as error:
        build_networks(dataclasses.replace(checkpoint, model=model))
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_description_without_a_size_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint = load_checkpoint(write_safetensors(path))
    about = {key: value for key, value in checkpoint.description.items() if key != "size"}
    export(dataclasses.replace(checkpoint, description=about), path)
    with pytest.raises(CheckpointError, match="size"):
        load_checkpoint(path)


@pytest.mark.parametrize("write", [write_safetensors, write_lightning])
def test_both_networks_come_back_from_one_file(tmp_path: Path, write) -> None:
    path = tmp_path / ("model.safetensors" if write is write_safetensors else "run.ckpt")
    checkpoint = load_checkpoint(write(path, seed=3, refiner={"channels": [4, 4]}))
    model, refiner = build_networks(checkpoint)
    assert refiner is not None
    assert model.state_dict().keys() == generator().state_dict().keys()
    assert torch.equal(refiner.unet.first.weight, checkpoint.refiner_weights["unet.first.weight"])
    assert not refiner.training
    assert not any(parameter.requires_grad for parameter in refiner.parameters())
    again = tmp_path / "again.safetensors"
    export(checkpoint, again)
    copy = load_checkpoint(again)
    assert copy.refiner == checkpoint.refiner
    assert copy.refiner_weights.keys() == checkpoint.refiner_weights.keys() > {"unet.first.bias"}


def test_weights_of_other_settings_cannot_be_a_start(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write_safetensors(tmp_path / "model.safetensors"))
    with pytest.raises(CheckpointError, match="does not fit these settings") as error:
        fill(checkpoint, generator(channels=[4, 8]), None)
    assert "\n" not in str(error.value)


def test_a_network_that_tells_more_starts_from_one_that_tells_less(tmp_path):
    """The further outputs of its last layer stay as they were drawn; all else is the file's."""
    small = reference_generator(0)
    wide = reference_generator(1, tells_spread=True)
    drawn = wide.unet.output.weight[3:].clone()
    path = write_reference_safetensors(tmp_path / "model.safetensors")
    start_from(load_checkpoint(path), wide, None)
    assert torch.equal(wide.unet.output.weight[:3], small.unet.output.weight)
    assert torch.equal(wide.unet.output.weight[3:], drawn)
    assert torch.equal(wide.fusion.score.weight, small.fusion.score.weight)
    with pytest.raises(CheckpointError, match="does not fit these settings"):
        fill(load_checkpoint(path), reference_generator(1, tells_spread=True), None)


def test_what_is_to_be_learnt_may_be_of_another_form(tmp_path):
    """A committee in place of a U-Net starts afresh; a finished network must have its own."""
    path = tmp_path / "model.safetensors"
    made = reference_generator(0, unguided="unet")
    write_reference_safetensors(path, unguided="unet")
    learning = reference_generator(1, unguided="committee", learns="unguided")
    fresh = {n: w.clone() for n, w in learning.state_dict().items() if n.startswith("unguided.")}
    start_from(load_checkpoint(path), learning, None)
    for name, weight in learning.state_dict().items():
        expected = fresh[name] if name in fresh else made.state_dict()[name]
        assert torch.equal(weight, expected), name
    with pytest.raises(CheckpointError, match="unguided"):
        start_from(load_checkpoint(path), reference_generator(1, unguided="committee"), None)
