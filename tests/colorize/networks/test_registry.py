"""Names of networks in checkpoints: today's, and those of every earlier version."""

from __future__ import annotations

import json

import pytest
import safetensors
import torch

from colorize.inference.checkpoints import FORMAT, build_networks, export, load_checkpoint
from colorize.inference.shipped import weights_path
from colorize.networks import registry
from colorize.networks.prototype.generator import Generator

EARLIER = {
    "_target_": "colorize.models.ReferenceGenerator",
    "features": {"_target_": "colorize.squeezenet.SqueezeNet", "weights": "file"},
    "judge_width": 24,
    "memory": True,
    "learns": "memory",
}


def test_a_description_by_import_paths_is_understood():
    assert registry.named(EARLIER) == {
        "name": "guided",
        "features": {"name": "squeezenet", "weights": "file"},
        "fusion_width": 24,
        "unguided": "unet",
        "learns": "unguided",
    }


@pytest.mark.parametrize("name", registry.COMPONENTS)
def test_every_name_leads_to_its_class_and_back(name):
    found = registry.component(name)
    path = f"{found.__module__}.{found.__qualname__}"
    assert registry.named({"_target_": path}) == {"name": name} == registry.named({"name": name})


def test_a_name_that_there_is_not_says_the_nearest():
    with pytest.raises(ValueError, match="no network 'guidet'; did you mean 'guided'"):
        registry.named({"name": "guidet"})
    with pytest.raises(ValueError, match=r"no network 'os\.system'"):
        registry.named({"_target_": "os.system"})


def test_a_description_is_built_with_what_it_holds():
    made = registry.build({"name": "prototype", "features": None, "channels": [4, 4, 4, 4, 4]})
    assert isinstance(made, Generator)
    assert made.outputs == 4


def test_parts_are_called_as_they_are_today():
    tensors = {"judge.score.bias": torch.ones(1), "memory.unet.a": torch.zeros(1)}
    assert list(registry.current_names("guided", tensors)) == [
        "fusion.score.bias",
        "unguided.unet.a",
    ]
    assert list(registry.current_names("prototype", tensors)) == list(tensors)


def test_the_shipped_file_of_an_earlier_version_loads_and_is_written_anew_by_names(tmp_path):
    path = weights_path("default")
    checkpoint = load_checkpoint(path)
    assert checkpoint.takes == {"references"}
    model, _ = build_networks(checkpoint)
    export(checkpoint, tmp_path / "again.safetensors")
    with safetensors.safe_open(tmp_path / "again.safetensors", "pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == FORMAT
    assert json.loads(metadata["model"])["name"] == "guided"
    again = load_checkpoint(tmp_path / "again.safetensors")
    assert again.model == checkpoint.model
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.weights[name], tensor)
