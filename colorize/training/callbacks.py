"""What a run shows and keeps: its progress and a table of epochs."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import lightning

from colorize.base.files import write_atomically
from colorize.base.progress import Task, task


class RunProgress(lightning.Callback):
    """Show steps done, time left for the whole run, the loss and the watched validation score."""

    def __init__(self, *, monitor: str) -> None:
        self.monitor = monitor
        self._task: Task | None = None

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Begin at the step a resumed run continues from."""
        if trainer.is_global_zero:
            total = int(trainer.estimated_stepping_batches)
            self._task = task("training", total=total, unit="step", done=trainer.global_step)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Tell of the step; read the loss only when it is logged anyway."""
        if self._task is None:
            return
        logged = trainer.global_step % trainer.log_every_n_steps == 0  # type: ignore[attr-defined]
        self._task.advance(
            trainer.global_step - self._task.done, detail=self._detail(trainer) if logged else None
        )

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Tell the new score."""
        if self._task is not None:
            self._task.advance(0, detail=self._detail(trainer))

    def on_train_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """End the task."""
        if self._task is not None:
            self._task.close()
            self._task = None

    def on_exception(self, trainer: lightning.Trainer, *_: Any) -> None:
        """End the task before the error is told."""
        self.on_train_end(trainer)

    def _detail(self, trainer: lightning.Trainer) -> str:
        shown = {"epoch": f"{trainer.current_epoch + 1}/{trainer.max_epochs}"}
        for key, label in (("train/total", "loss"), (self.monitor, self.monitor)):
            if key in trainer.callback_metrics:
                shown[label] = f"{float(trainer.callback_metrics[key]):.4g}"
        return ", ".join(f"{label}={value}" for label, value in shown.items())


class TimeLimit(lightning.Callback):
    """End a run after ``minutes``, with the end of an epoch; a resumed run counts those before it.

    The run ends with the first epoch after which less time is left than half an epoch takes, so
    that every checkpoint is that of a whole epoch. All processes follow the clock of the first.
    """

    def __init__(self, *, minutes: float) -> None:
        self.minutes = minutes
        self.share = 0.0
        self._before = self._spent = self._started = 0.0
        self._epoch_started = 0.0

    def on_train_start(self, *_: Any) -> None:
        """Start the clock where the run that goes on stopped."""
        self._before, self._started = self._spent, time.monotonic()

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start the clock of the epoch."""
        self._epoch_started = time.monotonic()

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Take the share of the minutes that is over, which a cosine follows."""
        self._take(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """End the run if the next epoch would end later than half of it after the last minute."""
        self._take(trainer)
        took = time.monotonic() - self._epoch_started
        late = self._spent + took / 2 > 60 * self.minutes
        if trainer.strategy.broadcast(late):
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds that the run took."""
        return {"seconds": self._spent}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the seconds of the run that goes on."""
        self._spent = state_dict["seconds"]

    def _take(self, trainer: lightning.Trainer) -> None:
        self._spent = self._before + time.monotonic() - self._started
        share = min(1.0, self._spent / (60 * self.minutes))
        self.share = trainer.strategy.broadcast(share)


def time_share(trainer: Any) -> float:
    """Return the share of the minutes of a run that is over; 0 where it has no limit."""
    callbacks = getattr(trainer, "callbacks", ())  # tests have trainers of a few fields
    return next((each.share for each in callbacks if isinstance(each, TimeLimit)), 0.0)


class EpochLog(lightning.Callback):
    """Keep one CSV row per epoch with every logged value and the seconds it took.

    A resumed run keeps the rows of the epochs it does not repeat.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []
        self._started = 0.0

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Read the rows of the epochs before the one that starts."""
        if self.path.is_file():
            with self.path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            self._rows = [dict(row) for row in rows if int(row["epoch"]) <= trainer.current_epoch]

    def on_train_epoch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Start the clock of the epoch."""
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Write the table anew, atomically."""
        if not trainer.is_global_zero:
            return
        row = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step}
        row["seconds"] = round(time.monotonic() - self._started, 2)  # type: ignore[assignment]
        row |= {name: f"{float(v):.6g}" for name, v in sorted(trainer.callback_metrics.items())}  # type: ignore[misc]
        self._rows.append(row)
        columns = list(dict.fromkeys(key for row in self._rows for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_atomically(self.path, text.getvalue().encode())
