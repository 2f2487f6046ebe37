"""The schema of the commands that take Hydra settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from colorize.base.arguments import MISSING
from colorize.training.settings import TrainerConfig


@dataclass
class OptimizerConfig:
    """Adam; ``schedule`` is ``constant`` or ``cosine`` (to zero at the last step).

    ``l2`` is Keras' ``kernel_regularizer`` of that strength on every kernel.
    """

    learning_rate: float = 1e-3
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    schedule: str = "constant"
    warmup_steps: int = 0
    l2: float = 0.0
    label_smoothing: float = 0.0


@dataclass
class StageConfig:
    """One stage of a transfer: class folders at ``root``, trained for ``epochs``."""

    root: str = MISSING
    epochs: int = MISSING


@dataclass
class TrainConfig:
    """Everything ``classify-train`` reads.

    ``target`` is the class that is looked for, if there is one: reports then hold the rows of a
    screening that keeps it from probability ``threshold`` on. ``init`` is a checkpoint to start
    from. With ``stages``, each stage starts from the weights of the one before.
    """

    name: str = MISSING
    directory: str = "runs/${name}"
    seed: int = 0
    init: str | None = None
    model: Any = MISSING
    preprocessing: Any = MISSING
    data: Any = MISSING
    split: Any = MISSING
    balance: Any = None
    augment: Any = None
    batch_size: int = 32
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    stages: dict[str, StageConfig] | None = None
    target: str | None = None
    threshold: float = 0.95


@dataclass
class EvaluateConfig:
    """Everything ``classify-evaluate`` reads.

    The split that the checkpoint was trained with is made again, with its data at ``root`` (null:
    where it was), and ``part`` of it is measured. ``pictures`` measures all labelled pictures at
    another place instead. ``target`` and ``threshold`` are those of the training if null.
    ``mirror`` averages over each picture and its mirror image.
    """

    checkpoint: str = MISSING
    output: str = MISSING
    root: str | None = None
    part: str = "test"
    pictures: str | None = None
    target: str | None = None
    threshold: float | None = None
    device: str = "auto"
    batch_size: int = 64
    mirror: bool = False


def register_schemas() -> None:
    """Make the dataclasses of this module known to Hydra."""
    from colorize.base.config import register_schema  # imports Hydra, which --help does not need

    register_schema("classify_train", TrainConfig)
    register_schema("classify_evaluate", EvaluateConfig)
