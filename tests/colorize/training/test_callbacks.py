"""The table and the progress of a run, with a stand-in for Lightning's trainer."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch

from colorize.base.progress import Event, Progress, listening
from colorize.training import callbacks
from colorize.training.callbacks import EpochLog, RunProgress, TimeLimit, time_share
from tests.colorize.training.trainers import trainer

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


class Clock:
    """A clock that a test moves; as ``time`` of the callbacks it tells seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(callbacks, "time", moved)
    return moved


def limited(**changes: Any) -> Any:
    """A stand-in for the trainer of a single process that may be told to stop."""
    run = trainer(should_stop=False, **changes)
    run.strategy.broadcast = lambda value: value
    return run


def pass_epoch(limit: TimeLimit, run: Any, clock: Clock, *, seconds: float) -> None:
    limit.on_train_epoch_start(run, MODULE)
    clock.now += seconds
    limit.on_train_batch_end(run, MODULE)
    limit.on_train_epoch_end(run, MODULE)


def test_a_run_ends_with_the_epoch_after_which_half_a_one_does_not_fit(clock: Clock) -> None:
    limit, run = TimeLimit(minutes=1.0), limited()
    limit.on_train_start(run, MODULE)
    pass_epoch(limit, run, clock, seconds=20.0)
    assert limit.share == pytest.approx(1 / 3)
    pass_epoch(limit, run, clock, seconds=20.0)
    assert not run.should_stop  # 20 seconds are left for an epoch of 20
    pass_epoch(limit, run, clock, seconds=12.0)
    assert not run.should_stop  # 8 are left for one of 12, whose half fits
    pass_epoch(limit, run, clock, seconds=12.0)
    assert run.should_stop
    assert limit.share == 1  # not more


def test_a_run_that_goes_on_counts_the_minutes_before_it(clock: Clock) -> None:
    first, run = TimeLimit(minutes=1.0), limited()
    first.on_train_start(run, MODULE)
    pass_epoch(first, run, clock, seconds=30.0)
    second = TimeLimit(minutes=2.0)
    second.load_state_dict(first.state_dict())
    clock.now += 1000  # between the two
    second.on_train_start(run, MODULE)
    pass_epoch(second, run, clock, seconds=60.0)
    assert second.share == pytest.approx(0.75)
    assert second.state_dict() == {"seconds": pytest.approx(90)}


def test_every_process_follows_the_first_ones_clock(clock: Clock) -> None:
    limit, run = TimeLimit(minutes=1.0), limited()
    run.strategy.broadcast = lambda value: True if isinstance(value, bool) else 0.625
    limit.on_train_start(run, MODULE)
    pass_epoch(limit, run, clock, seconds=1.0)
    assert limit.share == 0.625
    assert run.should_stop


def test_the_share_of_a_run_without_limit_is_nothing() -> None:
    limit = TimeLimit(minutes=1.0)
    limit.share = 0.25
    assert time_share(trainer(callbacks=[EpochLog(Path("x")), limit])) == 0.25
    assert time_share(trainer(callbacks=[])) == 0
