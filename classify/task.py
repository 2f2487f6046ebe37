"""The one place where a network, its data and its measures meet: a LightningModule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional

from classify.augment import Augment
from classify.preprocessing import to_unit
from colorize.base.errors import UserError, require_choice
from colorize.training.callbacks import time_share
from colorize.training.schedules import Schedule, scheduled


class LossError(UserError):
    """The loss is not finite; one line for the user."""


class ClassificationTask(lightning.LightningModule):
    """Train a network by cross-entropy and measure its accuracy.

    A batch holds ``pictures`` (b c h w, 8 bits), ``labels`` (b) and ``seed``, from which
    augmentation and dropout draw, so that a resumed run equals an uninterrupted one. ``l2`` is
    Keras' ``kernel_regularizer``: its square sum of every kernel is added to the loss, here as the
    gradient that it has.

    Source: every source trains with Adam and (sparse) categorical cross-entropy.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        schedule: str = "constant",
        warmup_steps: int = 0,
        l2: float = 0.0,
        label_smoothing: float = 0.0,
        augment: Augment | None = None,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        require_choice("optimizer.schedule", schedule, Schedule)
        if min(learning_rate, l2, label_smoothing) < 0 or label_smoothing >= 1:
            raise UserError(
                f"optimizer: learning_rate, l2 and label_smoothing are {learning_rate}, {l2}, "
                f"{label_smoothing}: expected 0 or more, and smoothing below 1"
            )
        self.model = model.to(memory_format=torch.channels_last)
        self.learning_rate, self.betas = learning_rate, betas
        self.schedule, self.warmup_steps = schedule, warmup_steps
        self.l2, self.label_smoothing = l2, label_smoothing
        self.augment = augment
        self.description = dict(description or {})

    def forward(self, pictures: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Return logits of 8-bit pictures."""
        return self.model(to_unit(pictures))

    def training_step(self, batch: Mapping[str, Any], batch_idx: int) -> Float[Tensor, ""]:
        """Return the loss of one batch; refuse a value that is not finite."""
        torch.manual_seed(int(batch["seed"]))
        pictures = to_unit(batch["pictures"])
        if self.augment is not None:
            pictures = self.augment(pictures, int(batch["seed"]))
        logits = self.model(pictures)
        loss = functional.cross_entropy(
            logits, batch["labels"], label_smoothing=self.label_smoothing
        )
        if not torch.isfinite(loss):
            raise LossError(
                f"loss is not finite at step {self.global_step}: cross_entropy is {loss.item()}; "
                "lower optimizer.learning_rate, or set trainer.gradient_clip_val=1"
            )
        count = len(batch["labels"])
        self.log("train/total", loss.detach(), on_step=True, on_epoch=False, batch_size=count)
        self._log("train", loss.detach(), logits.detach(), batch["labels"])
        return loss

    def validation_step(self, batch: Mapping[str, Any], batch_idx: int) -> None:
        """Log loss and accuracy."""
        logits = self(batch["pictures"])
        loss = functional.cross_entropy(logits, batch["labels"])
        self._log("val", loss, logits, batch["labels"])

    def _log(
        self,
        part: str,
        loss: Float[Tensor, ""],
        logits: Float[Tensor, "b k"],
        labels: Int64[Tensor, " b"],
    ) -> None:
        """Log means over the pictures of an epoch."""
        correct = (logits.argmax(1) == labels).float().mean()
        for name, value in (("loss", loss), ("accuracy", correct)):
            self.log(f"{part}/{name}", value, on_step=False, on_epoch=True, batch_size=len(labels))

    def configure_optimizers(self) -> Any:
        """Return Adam, with L2 on kernels only, and its schedule over all steps of the run."""
        kernels: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for parameter in self.model.parameters():
            (kernels if parameter.ndim > 1 else others).append(parameter)
        # The gradient of l2 * w**2 is 2 * l2 * w, while Adam's weight_decay adds decay * w.
        groups = [
            {"params": kernels, "weight_decay": 2 * self.l2},
            {"params": others, "weight_decay": 0.0},
        ]
        # 1e-7 is Keras' epsilon.
        optimizer = torch.optim.Adam(groups, lr=self.learning_rate, betas=self.betas, eps=1e-7)
        return scheduled(
            optimizer,
            steps=int(self.trainer.estimated_stepping_batches),
            schedule=self.schedule,
            warmup_steps=self.warmup_steps,
            time_share=lambda: time_share(self.trainer),
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the checkpoint describe itself."""
        checkpoint["tooncolor_classifier"] = {**self.description, "step": self.global_step}
