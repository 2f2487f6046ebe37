"""Weights and metadata come back as they were; another format or a foreign file is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from colorize.base.errors import UserError
from colorize.base.tensor_files import (
    fill_network,
    in_short,
    read_lightning,
    read_safetensors,
    reading,
    under,
    write_safetensors,
)

TENSORS = {"a.weight": torch.arange(6.0).view(2, 3).t(), "b": torch.tensor([True, False])}


def test_metadata_and_tensors_come_back(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    metadata = {"model": {"channels": [4, 4], "name": "größe"}, "none": None}
    write_safetensors(path, form="form-1", metadata=metadata, tensors=TENSORS)
    decoded, tensors = read_safetensors(path, forms=["form-1"])
    assert decoded == metadata
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor)
    with pytest.raises(UserError, match="format is 'form-1', expected 'form-2'"):
        read_safetensors(path, forms=["form-2"])


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    metadata = {name: {"of": name} for name in ("config", "data", "classes", "step", "größe")}
    files = [tmp_path / f"{number}.safetensors" for number in range(10)]
    for file in files:
        write_safetensors(file, form="form-1", metadata=metadata, tensors=TENSORS)
    assert len({file.read_bytes() for file in files}) == 1
    start = 8 + int.from_bytes(files[0].read_bytes()[:8], "little")
    assert start % 8 == 0


def test_a_lightning_file_gives_what_the_key_says(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    torch.save({"ours": {"step": 3}, "state_dict": {"model.x": torch.ones(2)}}, path)
    description, tensors = read_lightning(path, key="ours")
    assert description == {"step": 3}
    assert torch.equal(under("model.", tensors)["x"], torch.ones(2))
    with pytest.raises(UserError, match="it holds no 'theirs' description"):
        read_lightning(path, key="theirs")


def test_what_goes_wrong_is_one_line_of_the_callers_error(tmp_path: Path) -> None:
    class Broken(ValueError):
        pass

    path = tmp_path / "file"
    with (
        pytest.raises(Broken, match=r"file: no such checkpoint; train one with my-train"),
        reading(path, program="my-train", error=Broken),
    ):
        pass
    path.write_text("text")
    with (
        pytest.raises(Broken, match=r"file: not a checkpoint of my-train, or damaged \(two lines"),
        reading(path, program="my-train", error=Broken),
    ):
        raise UserError("two\n  lines")
    for defect in (OSError("disk"), TypeError("of ours"), KeyError("ours too")):
        with pytest.raises(type(defect)), reading(path, program="my-train", error=Broken):
            raise defect  # no fault of the file


def test_names_without_their_prefix() -> None:
    assert under("a.", TENSORS).keys() == {"weight"}
    assert under("c.", TENSORS) == {}


def test_a_long_message_is_cut_and_a_key_error_loses_its_quotes() -> None:
    assert in_short(RuntimeError("x" * 300)) == "x" * 200
    assert in_short(KeyError("it holds nothing")) == "it holds nothing"
    assert in_short(EOFError()) == "EOFError"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": None}, "it lacks bias"),
        ({"more": torch.ones(1)}, "it holds an unknown more"),
        ({"weight": torch.ones(2, 3)}, r"weight is \(2, 3\), not \(2, 4\)"),
        ({"bias": None, "more": torch.ones(1)}, "it lacks bias, and 1 more"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message) -> None:
    network = torch.nn.Linear(4, 2)
    weights = {name: torch.full_like(each, 7) for name, each in network.state_dict().items()}
    fill_network(network, weights)
    assert (network.bias == 7).all()
    changed = {name: each for name, each in {**weights, **change}.items() if each is not None}
    with pytest.raises(UserError, match=message):
        fill_network(network, changed)
