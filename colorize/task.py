"""The one place where model, objective and metrics meet: a LightningModule for colorization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import lightning
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from colorize.color import displayable
from colorize.metrics import BEST, COLORIZED, FIRST, GRAY, MEAN, Metric, measure_variants
from colorize.models import Generator
from colorize.objective import Objective

Batch = Mapping[str, Tensor]

# How the rows of a table are called in logs; a single output is its own mean.
_ROWS = {GRAY: "gray", MEAN: "mean", COLORIZED: "mean", FIRST: "first", BEST: "best"}


class ColorizationTask(lightning.LightningModule):
    """Train a generator on stills and pairs, and measure it on validation frames.

    A training batch holds ``gray`` (b t 1 h w) and ``color`` (b t 3 h w); t is 1 for stills and 2
    for consecutive pairs. A validation batch has t = 1.
    """

    def __init__(
        self,
        *,
        model: Generator,
        objective: Objective,
        metrics: Mapping[str, Metric],
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        schedule: str = "constant",
        warmup_steps: int = 0,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if schedule not in ("constant", "cosine"):
            raise ValueError(f"optimizer.schedule is {schedule!r}: expected 'constant' or 'cosine'")
        # cuDNN and oneDNN convolve twice as fast with channels last.
        self.model = model.to(memory_format=torch.channels_last)
        self.objective = objective
        self.metrics = dict(metrics)
        self.learning_rate = learning_rate
        self.betas = betas
        self.schedule = schedule
        self.warmup_steps = warmup_steps
        self.description = dict(description or {})

    def forward(self, gray: Float[Tensor, "b t 1 h w"]) -> Float[Tensor, "b t k 3 h w"]:
        """Return K colourings of every frame of a batch of clips, not clipped."""
        outputs = self.model(rearrange(gray, "b t c h w -> (b t) c h w"))
        return rearrange(outputs, "(b t) k c h w -> b t k c h w", b=gray.shape[0])

    def training_step(self, batch: Batch, batch_idx: int) -> Float[Tensor, ""]:
        """Return the objective of one batch; refuse a value that is not finite."""
        terms = self.objective(self(batch["gray"]), batch["color"], batch)
        terms.raise_if_not_finite(step=self.global_step)
        kind = "still" if batch["gray"].shape[1] == 1 else "pair"
        for name, value in terms.by_name.items():
            self.log(f"train/{name}/{kind}", value.detach())
        self.log("train/total", terms.total.detach())
        return terms.total

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log every metric as ``val/METRIC/ROW``; rows are gray, mean (over K), first and best."""
        gray, truth = batch["gray"][:, 0], batch["color"][:, 0]
        outputs = displayable(self.model(gray).float(), gray, luma=self.model.luma)
        rows = measure_variants(self.metrics, gray=gray, outputs=outputs, truth=truth)
        for row, name in _ROWS.items():
            for metric, values in rows.get(row, {}).items():
                # Every process measures all frames, so its own mean is the mean.
                self.log(f"val/{metric}/{name}", values.mean().float(), batch_size=len(values))

    def configure_optimizers(self) -> Any:
        """Return Adam over what is trained, with its schedule over all steps of the run."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=self.learning_rate, betas=self.betas)
        steps = int(self.trainer.estimated_stepping_batches)
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: self._rate(step, steps)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the checkpoint describe itself: config, commit, data and weights by name."""
        checkpoint["tooncolor"] = {**self.description, "step": self.global_step}

    def _rate(self, step: int, steps: int) -> float:
        """Return the factor of the learning rate at ``step`` of ``steps``."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        if self.schedule == "constant":
            return 1.0
        done = (step - self.warmup_steps) / max(1, steps - self.warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
