"""Weights and metadata come back as they were; another format or a foreign file is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from colorize.base.tensor_files import (
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
    with pytest.raises(KeyError, match="format is 'form-1', expected 'form-2'"):
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
    with pytest.raises(KeyError, match="it holds no 'theirs' description"):
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
        raise RuntimeError("two\n  lines")
    with pytest.raises(OSError, match="disk"), reading(path, program="my-train", error=Broken):
        raise OSError("disk")  # no fault of the file


def test_names_without_their_prefix() -> None:
    assert under("a.", TENSORS).keys() == {"weight"}
    assert under("c.", TENSORS) == {}


def test_a_long_message_is_cut_and_a_key_error_loses_its_quotes() -> None:
    assert in_short(RuntimeError("x" * 300)) == "x" * 200
    assert in_short(KeyError("it holds nothing")) == "it holds nothing"
    assert in_short(EOFError()) == "EOFError"
