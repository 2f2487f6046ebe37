"""Weights by name: where they lie, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

import colorize
from colorize.inference import shipped
from colorize.inference.shipped import resolve, shipped_names, weights_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path / "weights")
    return tmp_path / "weights"


@pytest.fixture
def filled(folder: Path) -> Path:
    folder.mkdir()
    for name in ("small.safetensors", "default.safetensors", "README.md"):
        (folder / name).write_bytes(b"")
    return folder


def test_weights_lie_inside_the_package() -> None:
    assert Path(colorize.__file__).resolve().parent / "inference" / "weights" == shipped._FOLDER


def test_names_are_those_of_the_files(filled: Path) -> None:
    assert shipped_names() == ["default", "small"]
    assert weights_path("default") == filled / "default.safetensors"


def test_a_name_that_there_is_not_lists_those_that_there_are(filled: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^there are no weights called 'big'; known are default, small$"
    ):
        weights_path("big")


def test_an_installation_without_weights_says_so(folder: Path) -> None:
    assert not folder.exists()
    assert shipped_names() == []
    with pytest.raises(ValueError, match="known are none in this installation"):
        weights_path("default")


@pytest.mark.parametrize("kind", [str, Path])
def test_a_checkpoint_is_a_name_or_a_path(filled: Path, kind: type) -> None:
    assert resolve(kind("default")) == filled / "default.safetensors"
    assert resolve(kind("runs/default/model.safetensors")) == Path("runs/default/model.safetensors")
    assert resolve(kind("big")) == Path("big")
