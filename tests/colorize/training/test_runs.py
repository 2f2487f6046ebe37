"""Whose a run directory is: the same settings go on, others are refused, some may change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from colorize.base.config import ConfigError
from colorize.training.runs import (
    OtherRunError,
    best_checkpoint,
    claim,
    last_checkpoint,
    run_directory,
)

SETTINGS = {"seed": 0, "trainer": {"max_epochs": 3}, "loss": {"segment": {"weight": 1.0}}}


def begun(folder: Path) -> Path:
    """A run that has a checkpoint."""
    claim(folder, SETTINGS, may_change=())
    last_checkpoint(folder).parent.mkdir()
    last_checkpoint(folder).write_bytes(b"weights")
    return folder


def test_a_claim_writes_the_settings(tmp_path: Path) -> None:
    claim(tmp_path / "new" / "run", SETTINGS, may_change=())
    assert json.loads((tmp_path / "new" / "run" / "config.json").read_text()) == SETTINGS


def test_the_same_settings_go_on_and_others_are_named(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run")
    claim(folder, SETTINGS, may_change=("trainer",))
    other = SETTINGS | {"loss": {"segment": {"weight": 2.0}}}
    with pytest.raises(ConfigError, match=r"holds a run with loss\.segment\.weight=1\.0, not 2\.0"):
        claim(folder, other, may_change=("trainer",))
    with pytest.raises(ConfigError, match=r"holds a run with seed=0, not None"):
        claim(folder, {key: SETTINGS[key] for key in ("trainer", "loss")}, may_change=())
    assert json.loads((folder / "config.json").read_text()) == SETTINGS


def test_another_setting_is_told_how_to_go_on(tmp_path: Path) -> None:
    folder = begun(tmp_path / "a run")
    other = SETTINGS | {"loss": {"segment": {"weight": 2.0}}}
    going_on = (
        rf"add name=NAME \"init='{folder}/checkpoints/last\.ckpt'\" to go on from its weights"
    )
    with pytest.raises(OtherRunError, match=going_on) as refused:
        claim(folder, other, may_change=())
    assert refused.value.fact == f"{folder} holds a run with loss.segment.weight=1.0, not 2.0"
    (folder / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(OtherRunError, match=r"init='.*/a run/model\.safetensors'"):
        claim(folder, other, may_change=())


def test_settings_that_nothing_reads_are_not_compared(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run")
    other = SETTINGS | {"targets": {"cache": "x"}, "seed": 0}
    claim(folder, other, may_change=(), unused=lambda key: key.startswith("targets."))
    with pytest.raises(OtherRunError, match=r"targets\.cache=x, not None"):
        claim(folder, SETTINGS, may_change=(), unused=lambda key: key == "seed")


def test_what_may_change_is_written_anew(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run")
    longer = SETTINGS | {"trainer": {"max_epochs": 5}}
    claim(folder, longer, may_change=("trainer",))
    assert json.loads((folder / "config.json").read_text()) == longer


def test_a_directory_without_weights_is_free(tmp_path: Path) -> None:
    claim(tmp_path, SETTINGS, may_change=())
    claim(tmp_path, SETTINGS | {"seed": 1}, may_change=())
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == 1


def test_where_things_lie(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoints" / "last.ckpt"
    assert best_checkpoint(tmp_path) == tmp_path / "checkpoints" / "best.ckpt"
    assert run_directory("runs/x") == Path("runs/x")
