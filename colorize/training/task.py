"""The one place where models, objectives and metrics meet: a LightningModule for colorization."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import lightning
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import require_choice
from colorize.imaging.color import displayable, rgb_to_luma
from colorize.metrics import BEST, COLORIZED, FIRST, GRAY, MEAN, Metric, measure_variants
from colorize.motion.estimators import FlowEstimator
from colorize.networks.base import Network, Painted
from colorize.networks.guided.references import References
from colorize.networks.prototype.inputs import previous_planes
from colorize.networks.prototype.recurrence import State, color_frames
from colorize.networks.prototype.refiner import Refiner, refinement_evidence
from colorize.training.callbacks import time_share
from colorize.training.objective import Objective, Terms
from colorize.training.schedules import Schedule, scheduled

Batch = Mapping[str, Any]

# How the rows of a table are called in logs; a single output is its own mean.
_ROWS = {GRAY: "gray", MEAN: "mean", COLORIZED: "mean", FIRST: "first", BEST: "best"}


class ColorizationTask(lightning.LightningModule):
    """Train a generator f on stills and clips, a refiner g on clips, and measure both.

    A training batch holds ``gray`` (b t 1 h w) and ``color`` (b t 3 h w), t = 1 for stills, and
    what the losses and the generator's ``inputs`` need besides
    (:mod:`colorize.data.targets.compute`, ``previous_color``, ``has_previous``). A validation batch
    is the same without the targets of losses; its last frames are measured.

    f and g share no gradient: g is trained on detached colourings of f by the losses of
    ``refiner_objective``, so one optimizer serves both.
    """

    def __init__(
        self,
        *,
        model: Network,
        objective: Objective,
        metrics: Mapping[str, Metric],
        learning_rate: float,
        refiner: Refiner | None = None,
        refiner_objective: Objective | None = None,
        flow: FlowEstimator | None = None,
        betas: tuple[float, float] = (0.9, 0.999),
        schedule: str = "constant",
        warmup_steps: int = 0,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        require_choice("optimizer.schedule", schedule, Schedule)
        # cuDNN and oneDNN convolve twice as fast with channels last.
        self.model = model.to(memory_format=torch.channels_last)
        self.refiner = refiner and refiner.to(memory_format=torch.channels_last)
        self.objective = objective
        self.refiner_objective = refiner_objective
        self._unsaved = (flow,)  # inside a tuple, so that no checkpoint holds RAFT
        self.metrics = dict(metrics)
        self.learning_rate = learning_rate
        self.betas = betas
        self.schedule = schedule
        self.warmup_steps = warmup_steps
        self.description = dict(description or {})

    @property
    def flow(self) -> FlowEstimator | None:
        """The flow between gray frames that g is used with; it follows the task to its device."""
        return self._unsaved[0]

    def forward(self, batch: Batch) -> Painted:
        """Return K colourings by f of every frame of a training batch, not clipped."""
        extra = self._extra(batch)
        return self.model(
            batch["gray"].flatten(0, 1),
            batch.get("references"),
            extra=None if extra is None else extra.flatten(0, 1),
        )

    def training_step(self, batch: Batch, batch_idx: int) -> Float[Tensor, ""]:
        """Return the objectives of one batch; refuse a value that is not finite."""
        painted = self(batch)
        outputs = painted.colors.unflatten(0, batch["gray"].shape[:2])
        terms = self.objective(outputs, batch["color"], {**batch, **painted.provided})
        if self.refiner is not None and batch["gray"].shape[1] > 1:
            terms = terms + self._refine(self.refiner, outputs.detach().float(), batch)
        terms.raise_if_not_finite(step=self.global_step)
        kind = "still" if batch["gray"].shape[1] == 1 else "pair"
        for name, value in terms.by_name.items():
            self.log(f"train/{name}/{kind}", value.detach())
        self.log("train/total", terms.total.detach())
        if terms.total.requires_grad:
            return terms.total
        # Nothing here can learn, as from proposals where no frame has a reference: a step of zero.
        trained = (each for each in self.parameters() if each.requires_grad)
        return terms.total + torch.stack([0 * each.sum() for each in trained]).sum()

    def _extra(self, batch: Batch) -> Float[Tensor, "b t e h w"] | None:
        """Return the planes that f sees beside the gray frames of a training batch."""
        match self.model.inputs:
            case "gray":
                return None
            case "gray_segments":
                return batch["segment_planes"]
            case "gray_pair":
                return rgb_to_luma(batch["previous_color"])
        color, known = batch["previous_color"], batch["has_previous"]
        planes = previous_planes(color.flatten(0, 1), known.flatten())
        return planes.unflatten(0, color.shape[:2])

    def _refine(
        self, refiner: Refiner, outputs: Float[Tensor, "b t k 3 h w"], batch: Batch
    ) -> Terms:
        """Return the refiner's objective on every frame that has a frame before it.

        As in [L] the frame before is f's, while in use it is the refined one.
        """
        assert self.refiner_objective is not None
        gray, truth = batch["gray"], batch["color"]
        if refiner.trained_outputs == "one":
            chosen = self.global_step % outputs.shape[2]
            outputs = outputs[:, :, chosen : chosen + 1]
        count = outputs.shape[2]
        flat_gray = rearrange(gray, "b t c h w -> (b t) c h w")
        flat = rearrange(outputs, "b t k c h w -> (b t) k c h w")
        shown = displayable(flat, flat_gray, luma=self.model.luma).unflatten(0, gray.shape[:2])
        wide_gray = gray.unsqueeze(2).expand(-1, -1, count, -1, -1, -1)
        wide_flow = batch["refiner_flow"].unsqueeze(2).expand(-1, -1, count, -1, -1, -1)
        now, before = slice(1, None), slice(None, -1)
        parts = (shown[:, now], shown[:, before], wide_gray[:, now], wide_gray[:, before])
        evidence = refinement_evidence(
            *(part.flatten(0, 2) for part in (*parts, wide_flow[:, now])),
            threshold=refiner.threshold,
        )
        refined = refiner(evidence.planes, parts[2].flatten(0, 2))
        shape = parts[0].shape[:3]
        targets = {
            "warped": evidence.warped.unflatten(0, shape),
            "unrefined": parts[0],
            "flicker": evidence.flicker.unflatten(0, shape),
        }
        return self.refiner_objective(refined.unflatten(0, shape), truth[:, now], targets)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log every metric as ``val/METRIC/ROW``.

        Rows are gray, mean (over K), first and best; refined: the mean over K after g; automatic:
        without the references that the other rows have.
        """
        truth = batch["color"][:, -1]
        last = self.last_frames(batch["gray"], batch.get("references"))
        rows = measure_variants(self.metrics, gray=last.gray, outputs=last.outputs, truth=truth)
        named = {name: rows[row] for row, name in _ROWS.items() if row in rows}
        if self.refiner is not None:
            rows = measure_variants(self.metrics, gray=last.gray, outputs=last.shown, truth=truth)
            named["refined"] = rows[MEAN if MEAN in rows else COLORIZED]
        if "references" in self.model.takes:
            alone = self.last_frames(batch["gray"]).outputs
            rows = measure_variants(self.metrics, gray=last.gray, outputs=alone, truth=truth)
            named["automatic"] = rows[COLORIZED]
        for name, row in named.items():
            for metric, values in row.items():
                # Every process measures all frames, so its own mean is the mean.
                self.log(f"val/{metric}/{name}", values.mean().float(), batch_size=len(values))

    def last_frames(
        self, gray: Float[Tensor, "b t 1 h w"], references: References | None = None
    ) -> State:
        """Colour the starts of b shots; return their last frames: gray, by f, and as shown."""
        return color_frames(
            self.model, gray, references=references, refiner=self.refiner, flow=self.flow
        ).state

    def configure_optimizers(self) -> Any:
        """Return Adam over what is trained, with its schedule over all steps of the run."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=self.learning_rate, betas=self.betas)
        return scheduled(
            optimizer,
            steps=int(self.trainer.estimated_stepping_batches),
            schedule=self.schedule,
            warmup_steps=self.warmup_steps,
            time_share=lambda: time_share(self.trainer),
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradient norms of f and g apart, so that neither changes the other's step."""
        if gradient_clip_val is None:
            return
        for network in (self.model, self.refiner):
            if network is not None:
                nn.utils.clip_grad_norm_(network.parameters(), gradient_clip_val)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the checkpoint describe itself: config, commit, data and weights by name."""
        checkpoint["tooncolor"] = {**self.description, "step": self.global_step}

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> ColorizationTask:
        """Move the unsaved network together with this module."""
        if isinstance(self.flow, nn.Module):
            self.flow._apply(fn, recurse)
        return super()._apply(fn, recurse)
