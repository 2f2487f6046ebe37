"""The schema of a table."""

from __future__ import annotations

from dataclasses import dataclass, field

from colorize.evaluation.settings import EvaluateConfig
from colorize.evaluation.table.page import Published
from colorize.training.settings import TrainConfig

# What a protocol sets besides lengths and sizes, unless the command line says otherwise.
UNLESS_GIVEN: dict[str, tuple[str, ...]] = {
    "tiny": (
        "features=none",
        "model.channels=[16,32,64,128]",
        "model.normalization=batch",
        "sampling.batch_size=4",
        "optimizer.learning_rate=1e-3",
        "metric@evaluation.metric=[psnr,ssim,lab,colorfulness]",
        "evaluation.every=6",
    ),
}


@dataclass
class TableConfig(TrainConfig):
    """Everything ``colorize-table`` reads: a training, how it is measured, and the paper's figures.

    ``rows`` chooses among the experiments of the sweep, by the names of their files. The checkpoint
    and the output of an evaluation lie in the directory of each row and seed. ``paper`` stands
    beside the rows of the same names; ``frames`` clips are shown as every row colours them.
    """

    rows: list[str] | None = None
    evaluation: EvaluateConfig = field(default_factory=EvaluateConfig)
    paper: Published = field(default_factory=Published)
    frames: int = 4
