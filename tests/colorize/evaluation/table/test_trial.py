"""What is wrong with all rows is found once; what is wrong with one row lets the others go on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from colorize.base.config import ConfigError
from colorize.base.errors import UserError
from colorize.evaluation.table.trial import refuse_what_fits_no_row, try_metrics
from tests.colorize.evaluation.table.test_command import call


def failing(reasons: dict[str, str], tried: list[str]) -> Callable[[str], None]:
    """Return a trial that fails in some rows, and keeps which rows were tried."""

    def trial(row: str) -> None:
        tried.append(row)
        if row in reasons:
            raise UserError(reasons[row])

    return trial


def test_one_row_that_fits_is_enough() -> None:
    tried: list[str] = []
    refuse_what_fits_no_row(["a", "b", "c"], failing({"a": "no weights"}, tried))
    assert tried == ["a", "b"]


def test_a_reason_that_all_rows_share_is_told_once() -> None:
    with pytest.raises(ConfigError) as error:
        refuse_what_fits_no_row("ab", failing(dict.fromkeys("ab", "no weights"), []))
    assert str(error.value) == "no row can be trained: no weights"
    with pytest.raises(ConfigError) as error:
        refuse_what_fits_no_row("ab", failing({"a": "one", "b": "other"}, []))
    assert str(error.value) == "no row can be trained: a: one; b: other"


def test_weights_of_a_metric_are_named_as_a_table_names_them(tmp_path: Path) -> None:
    lpips = {"_target_": "colorize.metrics.lpips.Lpips", "weights": str(tmp_path / "gone.pth")}
    psnr, lab = ({"_target_": f"colorize.metrics.{name}"} for name in ("psnr.Psnr", "lab.MseLab"))
    # mse_lab is of the file lab.yaml, by which it is chosen.
    nodes = OmegaConf.create({"psnr": psnr, "mse_lab": lab, "lpips": lpips})
    with pytest.raises(ConfigError) as error:
        try_metrics(nodes)
    assert "set evaluation.metric.lpips.weights to a file" in str(error.value)
    assert "or leave the metric lpips out: metric@evaluation.metric=[lab,psnr]" in str(error.value)
    assert " metric.lpips" not in str(error.value)


def test_a_table_says_once_that_it_cannot_have_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """No network, no cache: five rows share one reason, and nothing is begun."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    table = ("data=cartoon_tiny", "metric@evaluation.metric=[psnr]", "debug=tiny")
    assert call(*table) == 2
    shown = capsys.readouterr()
    last = shown.err.splitlines()[-1]
    assert last.startswith("error: no row can be trained: features.weights=torchvision: cannot")
    assert last.count("cannot download") == 1
    assert shown.err.count("Downloading") <= 1
    assert "choose features=none" in last
    assert "failed" not in shown.out
    assert not list(tmp_path.glob("runs/table1/*/seed-*"))


def test_a_setting_that_some_rows_have_is_set_for_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("data.root=nowhere", "protocol=tiny", "loss.segment.weight=2") == 2
    assert "not chosen in every row; ask for one row that has it" in capsys.readouterr().err


def test_a_setting_of_the_one_row_that_was_asked_for_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    one = ("rows=[rank_diversity_segment]", "loss.segment.weight=2.5")
    assert call("data.root=nowhere", "protocol=tiny", *one) == 2
    assert "nowhere/manifest.json: no prepared dataset" in capsys.readouterr().err


def test_a_split_that_is_not_there_is_told_once_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("data.root=nowhere", "protocol=tiny", "seed=0,1") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: no row can be trained: nowhere/manifest.json: no prepared data")
    assert last.count("nowhere/manifest.json") == 1
    assert not list(tmp_path.glob("runs/table1/*/seed-*"))
