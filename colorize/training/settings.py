"""The schema of a run of training, as far as it is not that of components."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from colorize.base.arguments import MISSING


@dataclass
class StageConfig:
    """Train for ``epochs`` epochs at ``size`` (height, width); the last stage has no end."""

    epochs: int = MISSING
    size: list[int] = MISSING


@dataclass
class SamplingConfig:
    """What an epoch is made of; every batch holds either stills or consecutive pairs.

    ``length`` is how many consecutive frames a "pair" holds: 2, or 3 for losses that compare frames
    two apart. ``workers`` are loader processes; null is none on a CPU, whose cores the network
    needs, and one per core, at most 8, beside a GPU.
    """

    stills: int = 5000
    pairs: int = 1000
    length: int = 2
    batch_size: int = 1
    workers: int | None = None
    stages: list[StageConfig] = MISSING


@dataclass
class ProtocolConfig:
    """How long and how large a comparison trains; schedules of one or two sizes are made of it.

    ``epochs`` is ``small_epochs`` + ``large_epochs``; sizes are (height, width).
    """

    epochs: int = MISSING
    small_epochs: int = MISSING
    large_epochs: int = MISSING
    small: list[int] = MISSING
    large: list[int] = MISSING


@dataclass
class OptimizerConfig:
    """Adam; ``schedule`` is ``constant`` or ``cosine`` (to zero at the last step)."""

    learning_rate: float = 1e-4
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    schedule: str = "constant"
    warmup_steps: int = 0


@dataclass
class TrainerConfig:
    """What is handed to Lightning's Trainer; ``precision: auto`` is bf16 on CUDA, else float32.

    ``max_minutes`` ends training after the epoch in which so many minutes are over, those of runs
    that it goes on from included, or before one most of which would come after them; a cosine
    then reaches zero with the minutes, if the epochs do not end first.
    """

    max_epochs: int = MISSING
    accelerator: str = "auto"
    devices: Any = "auto"
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "auto"
    gradient_clip_val: float | None = None
    accumulate_grad_batches: int = 1
    check_val_every_n_epoch: int = 1
    log_every_n_steps: int = 10
    deterministic: bool = False
    early_stop_patience: int | None = None
    max_minutes: float | None = None


@dataclass
class ValidationConfig:
    """Frames per clip measured in validation (evenly spaced), and pictures drawn of them."""

    frames_per_clip: int = 8
    pictures: int = 4
    monitor: str = "val/psnr/mean"


@dataclass
class TrainConfig:
    """Everything ``colorize-train`` reads."""

    RENAMED: ClassVar[dict[str, str]] = {"guides": "targets", "weights": "loss_weights"}

    name: str = MISSING
    directory: str = "runs/${name}"
    seed: int = 0
    init: str | None = None
    features: Any = None
    model: Any = MISSING
    refiner: Any = None
    protocol: ProtocolConfig | None = None
    loss: dict[str, Any] = MISSING
    loss_weights: dict[str, float] = MISSING
    data: Any = MISSING
    augment: Any = None
    corruption: Any = None
    references: Any = None
    targets: Any = None
    metric: dict[str, Any] = MISSING
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
