"""Checkpoints: whole, described, and never executed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from classify.checkpoints import (
    COMPONENTS,
    Checkpoint,
    CheckpointError,
    build_network,
    export,
    load_checkpoint,
    transfer,
)
from classify.models import Mnist
from classify.task import ClassificationTask
from tests.classify.tiny import SIZE, description, red_or_blue, write_checkpoint
from tests.places import ROOT


def test_a_checkpoint_carries_classes_and_preprocessing(tmp_path: Path) -> None:
    loaded = load_checkpoint(write_checkpoint(tmp_path / "model.safetensors"))
    assert loaded.classes == ("cat", "dog")
    assert loaded.preprocessing().shape == (3, *SIZE)
    pictures = torch.rand(2, 3, *SIZE)
    expected = red_or_blue().eval()(pictures)
    torch.testing.assert_close(build_network(loaded)(pictures), expected)


def test_a_lightning_checkpoint_reads_the_same(tmp_path: Path) -> None:
    task = ClassificationTask(
        model=red_or_blue(), learning_rate=0.1, description=description(("cat", "dog"))
    )
    content = {"state_dict": task.state_dict(), "optimizer_states": [{"lr": 0.1}]}
    task.on_save_checkpoint(content)
    torch.save(content, tmp_path / "last.ckpt")
    loaded = load_checkpoint(tmp_path / "last.ckpt")
    export(loaded, tmp_path / "model.safetensors")
    again = load_checkpoint(tmp_path / "model.safetensors")
    assert again.description == loaded.description
    for name, tensor in red_or_blue().state_dict().items():
        torch.testing.assert_close(again.weights[name], tensor)


def test_every_target_of_the_configs_is_known() -> None:
    conf = ROOT / "conf" / "classifier"
    words = "".join(path.read_text() for path in conf.glob("*.yaml")).replace(",", " ").split()
    targets = {after for word, after in itertools.pairwise(words) if "_target_" in word}
    targets -= {"classify.augment.Augment"}  # only training varies pictures
    assert len(targets) > 10
    assert targets <= COMPONENTS.keys()


def test_transfer_takes_all_but_the_output_layer(tmp_path: Path) -> None:
    given = load_checkpoint(write_checkpoint(tmp_path / "model.safetensors"))
    torch.manual_seed(0)
    network = Mnist(classes=5, channels=3, size=SIZE)
    output = network.output.weight.detach().clone()
    transfer(given, network)
    torch.testing.assert_close(network.features[0][0].weight, given.weights["features.0.0.weight"])
    torch.testing.assert_close(network.output.weight, output)
    with pytest.raises(CheckpointError, match=r"its network is another .*same classifier"):
        transfer(given, Mnist(classes=5, channels=1, size=SIZE))


class Intruder:
    """Unpickling it would run a command."""

    def __reduce__(self):
        return (print, ("executed",))


def write_garbage(path: Path, kind: str) -> None:
    about = description()
    if kind == "text":
        path.write_text("no checkpoint")
    elif kind == "intruder":
        torch.save({"tooncolor_classifier": Intruder(), "state_dict": {}}, path)
    elif kind == "other":
        torch.save({"state_dict": {}}, path)
    elif kind == "no classes":
        export(Checkpoint(path, {"x": torch.zeros(1)}, about | {"classes": []}), path)
    elif kind == "unknown":
        about["config"]["preprocessing"] = {"_target_": "os.system", "command": "true"}
        export(Checkpoint(path, {"x": torch.zeros(1)}, about), path)


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("text", ".ckpt"),
        ("text", ".safetensors"),
        ("intruder", ".ckpt"),
        ("other", ".ckpt"),
        ("no classes", ".safetensors"),
        ("unknown", ".safetensors"),
        ("missing", ".safetensors"),
    ],
)
def test_anything_else_is_one_line_and_never_executed(tmp_path, kind, suffix, capsys) -> None:
    path = tmp_path / f"model{suffix}"
    write_garbage(path, kind)
    with pytest.raises(CheckpointError, match=r"model\.\w+: (no such|not a) checkpoint") as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)
    assert "executed" not in capsys.readouterr().out


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    export(Checkpoint(path, {"x": torch.zeros(1)}, description()), path)
    with pytest.raises(CheckpointError, match="does not fit this version of tooncolor"):
        build_network(load_checkpoint(path))
