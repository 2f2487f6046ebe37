"""What a run shows and keeps: its progress and a table of epochs."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import lightning
from tqdm import tqdm

from colorize.base.files import write_atomically


class RunProgress(lightning.Callback):
    """Show steps done, time left for the whole run, the loss and the watched validation score."""

    def __init__(self, *, monitor: str) -> None:
        self.monitor = monitor
        self._bar: tqdm | None = None

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Open the bar at the step a resumed run continues from."""
        self._bar = tqdm(
            total=int(trainer.estimated_stepping_batches),
            initial=trainer.global_step,
            unit="step",
            desc="training",
            disable=not trainer.is_global_zero,
            dynamic_ncols=True,
            mininterval=0.5,
        )

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Move the bar; read the loss only when it is logged anyway."""
        if self._bar is None:
            return
        self._bar.update(trainer.global_step - self._bar.n)
        if trainer.global_step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self._show(trainer)

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Show the new score."""
        if self._bar is not None:
            self._show(trainer)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Leave the finished bar on the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        """Close the bar so that the error stands on a line of its own."""
        self.on_train_end(trainer, pl_module)

    def _show(self, trainer: lightning.Trainer) -> None:
        assert self._bar is not None
        shown = {"epoch": f"{trainer.current_epoch + 1}/{trainer.max_epochs}"}
        for key, label in (("train/total", "loss"), (self.monitor, self.monitor)):
            if key in trainer.callback_metrics:
                shown[label] = f"{float(trainer.callback_metrics[key]):.4g}"
        self._bar.set_postfix(shown, refresh=False)


class EpochLog(lightning.Callback):
    """Keep one CSV row per epoch with every logged value and the seconds it took.

    A resumed run keeps the rows of the epochs it does not repeat.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []
        self._started = 0.0

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Read the rows of the epochs before the one that starts."""
        if self.path.is_file():
            with self.path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            self._rows = [dict(row) for row in rows if int(row["epoch"]) <= trainer.current_epoch]

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start the clock of the epoch."""
        self._started = time.monotonic()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
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
