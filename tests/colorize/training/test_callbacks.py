"""The table, the pictures and the progress of a run, with a stand-in for Lightning's trainer."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image

from colorize.base.progress import Event, Progress, listening
from colorize.training.callbacks import EpochLog, RunProgress
from colorize.training.pictures import ValidationPictures
from tests.colorize.tiny import task


def trainer(**changes: Any) -> Any:
    """A stand-in with as much of Lightning's trainer as the callbacks ask for."""
    state = {
        "current_epoch": 0,
        "max_epochs": 5,
        "global_step": 0,
        "log_every_n_steps": 1,
        "estimated_stepping_batches": 10,
        "is_global_zero": True,
        "sanity_checking": False,
        "callback_metrics": {},
        "loggers": [],
    }
    return Mock(spec=lightning.Trainer, **(state | changes))


MODULE = lightning.LightningModule()


def log_epoch(log: EpochLog, epoch: int, **metrics: float) -> None:
    """Let ``log`` see one epoch, counted from 0, of 4 steps."""
    values = {name.replace("_", "/"): torch.tensor(value) for name, value in metrics.items()}
    run = trainer(current_epoch=epoch, global_step=4 * (epoch + 1), callback_metrics=values)
    log.on_train_epoch_start(run, MODULE)
    log.on_train_epoch_end(run, MODULE)


def started(path: Path, epoch: int = 0) -> EpochLog:
    log = EpochLog(path)
    log.on_train_start(trainer(current_epoch=epoch), MODULE)
    return log


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_row_per_epoch(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    log = started(path)
    log_epoch(log, 0, train_total=2.5)
    log_epoch(log, 1, train_total=1.25, val_psnr=20.123456789)
    first, second = read(path)
    assert (first["epoch"], first["step"], first["train/total"]) == ("1", "4", "2.5")
    assert first["val/psnr"] == ""
    assert (second["epoch"], second["step"], second["val/psnr"]) == ("2", "8", "20.1235")
    assert float(second["seconds"]) >= 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_resumed_table_keeps_earlier_epochs_and_drops_repeated_ones(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    log = started(path)
    for epoch in range(3):
        log_epoch(log, epoch, train_total=float(epoch), val_psnr=10.0 + epoch)
    log = started(path, epoch=2)  # the third epoch was killed after its row, before its checkpoint
    log_epoch(log, 2, train_total=7.0)
    log_epoch(log, 3, train_total=8.0)
    rows = read(path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["train/total"] for row in rows] == ["0", "1", "7", "8"]
    assert [row["val/psnr"] for row in rows] == ["10", "11", "", ""]


def test_a_new_run_starts_a_new_table(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    log_epoch(started(path), 0, train_total=1.0)
    log_epoch(started(path), 0, train_total=2.0)
    assert [row["train/total"] for row in read(path)] == ["2"]


def test_only_the_first_process_writes_the_table(tmp_path: Path) -> None:
    log = EpochLog(tmp_path / "history.csv")
    run = trainer(is_global_zero=False)
    log.on_train_epoch_start(run, MODULE)
    log.on_train_epoch_end(run, MODULE)
    assert not list(tmp_path.iterdir())


class Frames:
    """Validation frames of one flat colour each, from red to blue; it is its own loader."""

    def __init__(self, count: int) -> None:
        self.dataset = self
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        share = index / (self.count - 1)
        color = torch.tensor([1 - share, 0.2, share]).view(1, 3, 1, 1).expand(1, 3, 32, 48)
        weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        return {"gray": (color * weights).sum(1, keepdim=True), "color": color}


def test_a_validation_leaves_one_sheet_of_all_colourings(tmp_path: Path) -> None:
    pictures = ValidationPictures(folder=tmp_path / "pictures", count=3)
    run = trainer(current_epoch=6, val_dataloaders=Frames(9))
    pictures.on_validation_epoch_end(run, task(outputs=3))
    (path,) = (tmp_path / "pictures").iterdir()
    assert path.name == "epoch-0007.png"
    with Image.open(path) as image:
        sheet = np.array(image)
    # Margins of 24, five columns 320 wide with gaps of 10; a title row, three rows 213 high.
    assert sheet.shape == (24 + 29 + 3 * 213 + 2 * 10 + 24, 2 * 24 + 5 * 320 + 4 * 10, 3)
    centres = [24 + 330 * column + 160 for column in range(5)]
    rows = [24 + 29 + 223 * row + 106 for row in range(3)]
    cells = sheet[np.ix_(rows, centres)].astype(int)
    truth = [[255, 51, 0], [128, 51, 128], [0, 51, 255]]  # the first, middle and last frame
    np.testing.assert_allclose(cells[:, -1], truth, atol=1)
    gray = np.array(truth) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(cells[:, 0], gray[:, None].repeat(3, axis=1), atol=1)
    assert np.ptp(cells[:, 1:4], axis=2).max(axis=0).min() > 3  # every colouring has colour
    assert np.abs(cells[:, 1] - cells[:, 2]).max() > 3


def test_the_sheet_goes_to_tensorboard_as_well(tmp_path: Path) -> None:
    seen = []

    class Logger(TensorBoardLogger):
        @property
        def experiment(self) -> Any:
            return self

        def add_image(self, name: str, sheet: np.ndarray, step: int, *, dataformats: str) -> None:
            seen.append((name, sheet.shape, step, dataformats))

    run = trainer(
        global_step=40, val_dataloaders=Frames(2), loggers=[Logger(tmp_path / "log"), object()]
    )
    pictures = ValidationPictures(folder=tmp_path, count=1)
    pictures.on_validation_epoch_end(run, task(outputs=1))
    assert seen == [("validation", (24 + 29 + 213 + 24, 48 + 3 * 320 + 20, 3), 40, "HWC")]


@pytest.mark.parametrize(
    ("count", "changes"),
    [(0, {}), (2, {"sanity_checking": True}), (2, {"is_global_zero": False})],
)
def test_no_sheet_is_drawn_where_none_is_wanted(tmp_path: Path, count: int, changes) -> None:
    run = trainer(val_dataloaders=Frames(2), **changes)
    ValidationPictures(folder=tmp_path, count=count).on_validation_epoch_end(run, task())
    assert not list(tmp_path.iterdir())


def test_progress_continues_at_the_step_of_a_resumed_run() -> None:
    progress = RunProgress(monitor="val/psnr/mean")
    run = trainer(global_step=6, current_epoch=3)
    heard: list[Event] = []
    with listening(heard.append):
        progress.on_train_start(run, MODULE)
        run.global_step = 8
        run.callback_metrics = {"train/total": torch.tensor(0.125)}
        progress.on_train_batch_end(run, MODULE, None, None, 0)
        run.callback_metrics["val/psnr/mean"] = torch.tensor(23.456)
        progress.on_validation_end(run, MODULE)
        progress.on_train_end(run, MODULE)
    score = "epoch=4/5, loss=0.125, val/psnr/mean=23.46"
    assert isinstance(heard[0], Progress)
    assert heard[0].before == 6, "what an earlier run did is no part of the speed"
    assert heard == [
        Progress("training", 6, 10, "step"),
        Progress("training", 8, 10, "step", "epoch=4/5, loss=0.125"),
        Progress("training", 8, 10, "step", score),
        Progress("training", 8, 10, "step", score, finished=True),
    ]


def test_the_loss_is_read_only_when_it_is_logged() -> None:
    progress = RunProgress(monitor="val/psnr/mean")
    run = trainer(log_every_n_steps=50, callback_metrics={"train/total": torch.tensor(3.0)})
    heard: list[Event] = []
    with listening(heard.append):
        progress.on_train_start(run, MODULE)
        run.global_step = 1
        progress.on_train_batch_end(run, MODULE, None, None, 0)
        progress.on_exception(run, MODULE, KeyboardInterrupt())
    assert heard[1:] == [
        Progress("training", 1, 10, "step"),
        Progress("training", 1, 10, "step", finished=True),
    ]


def test_other_processes_tell_nothing() -> None:
    progress = RunProgress(monitor="val/psnr/mean")
    run = trainer(is_global_zero=False, global_step=1)
    heard: list[Event] = []
    with listening(heard.append):
        progress.on_train_start(run, MODULE)
        run.global_step = 2
        progress.on_train_batch_end(run, MODULE, None, None, 0)
        progress.on_train_end(run, MODULE)
    assert not heard
