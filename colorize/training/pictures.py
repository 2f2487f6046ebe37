"""Pictures of validation frames, coloured as ``colorize`` colours."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from colorize.imaging.color import join
from colorize.imaging.contact_sheet import contact_sheet, save_sheet
from colorize.imaging.tensors import to_picture, to_tensor
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.networks.guided.references import References
from colorize.training.task import Batch, ColorizationTask


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
        """Return a sample's last frame gray, coloured as ``colorize`` does, and true."""
        main = [to_picture(image) for image in _colored(task, sample, refine=False)]
        if task.refiner is not None:
            main.append(to_picture(_colored(task, sample, refine=True)[0]))
        return [to_picture(sample["gray"][-1]), *main, to_picture(sample["color"][-1])]


def _colored(
    task: ColorizationTask, sample: Batch, *, refine: bool
) -> list[Float[Tensor, "3 h w"]]:
    """Return the K colourings of a sample's last frame by the shot engine."""
    gray = sample["gray"]
    networks = LoadedNetworks(
        task.model,
        task.refiner,
        short_side=min(gray.shape[-2:]),
        device=task.device,
        flow=task.flow,
    )
    library = None
    if "references" in sample:
        given: References = sample["references"]
        shown = join(given.luma[0], given.chroma[0]).clamp(0, 1)
        pictures = [ColoredPicture(str(n), partial(_frame, each)) for n, each in enumerate(shown)]
        library = Library(networks, pictures)
    free = task.model.luma == "free"
    settings = RenderSettings(refine=refine, stillness=0.0 if free else RenderSettings().stillness)
    engine = ShotEngine(networks, settings, library=library, own_luma=free)
    names = [] if library is None else list(library.pictures)
    colored = list(engine([_frame(each, n) for n, each in enumerate(gray)], names=names))
    return [to_tensor(frame.rgb[None])[0] for frame in colored[-1]]


def _frame(image: Float[Tensor, "_c h w"], number: int = 0) -> Frame:
    """Return an image in [0, 1] as a frame of 16 bits."""
    deep = (image.expand(3, -1, -1) * 65535).round().cpu().numpy().astype(np.uint16)
    return Frame(number, "", np.ascontiguousarray(deep.transpose(1, 2, 0)))
