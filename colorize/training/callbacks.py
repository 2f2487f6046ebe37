"""What a run shows and keeps: a progress bar, a table of epochs, pictures of validation."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import lightning
import torch
from tqdm import tqdm

from colorize.base.files import write_atomically
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.tensors import to_picture
from colorize.training.task import Batch, ColorizationTask


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


class ValidationPictures(lightning.Callback):
    """Draw gray, the K colourings and the truth of the first validation frames after each epoch.

    One PNG per validation goes to ``folder``, and the same picture to TensorBoard.
    """

    def __init__(self, *, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count

    @torch.no_grad()
    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Draw the sheet of this epoch."""
        if trainer.sanity_checking or not trainer.is_global_zero or self.count == 0:
            return
        assert isinstance(pl_module, ColorizationTask)
        rows = [self._row(pl_module, sample) for sample in self._samples(trainer)]
        outputs = [f"output {k}" for k in range(pl_module.model.outputs)]
        refined = ["0 refined"] if pl_module.refiner is not None else []
        titles = ["input", *outputs, *refined, "truth"]
        sheet = contact_sheet(rows, column_titles=titles)
        self.folder.mkdir(parents=True, exist_ok=True)
        save_sheet(self.folder / f"epoch-{trainer.current_epoch + 1:04d}.png", sheet)
        for logger in trainer.loggers:
            if isinstance(logger, lightning.pytorch.loggers.TensorBoardLogger):
                logger.experiment.add_image(
                    "validation", sheet, trainer.global_step, dataformats="HWC"
                )

    def _samples(self, trainer: lightning.Trainer) -> list[Batch]:
        """Return evenly spaced validation frames, the same ones every time."""
        dataset: Any = trainer.val_dataloaders.dataset  # type: ignore[union-attr]
        chosen = torch.linspace(0, len(dataset) - 1, min(self.count, len(dataset))).long().tolist()
        return [dataset[index] for index in chosen]

    def _row(self, task: ColorizationTask, sample: Batch) -> list[Any]:
        last = task.last_frames(sample["gray"][None].to(task.device))
        pictures = [last.gray[0], *last.outputs[0], sample["color"][-1]]
        if task.refiner is not None:
            pictures.insert(-1, last.shown[0, 0])
        return [to_picture(picture) for picture in pictures]
