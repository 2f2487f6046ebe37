"""What a table is made of: its settings, and the jobs that one call of it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from colorize.base import sweeps
from colorize.base.config import ConfigError, build, register_schema
from colorize.evaluation.settings import EvaluateConfig
from colorize.evaluation.table.frames import draw_frames
from colorize.evaluation.table.page import Missing, Published
from colorize.evaluation.table.results import EVALUATION, Job, collect
from colorize.imaging.contact_sheet import save_sheet
from colorize.training.settings import TrainConfig

# What is measured, and where to, inside the directory of a row and seed.
_OF_EVERY_RUN: dict[str, Any] = {
    "checkpoint": "model.safetensors",
    "output": EVALUATION,
    "prediction": None,
    "truth": None,
}


@dataclass
class TableConfig(TrainConfig):
    """Everything ``colorize-table`` reads: a training, how it is measured, and the paper's figures.

    The checkpoint and the output of an evaluation lie in the directory of each row and seed.
    ``paper`` stands beside the rows of the same names; ``frames`` clips are shown as every row
    colours them.
    """

    evaluation: EvaluateConfig = field(default_factory=EvaluateConfig)
    paper: Published = field(default_factory=Published)
    frames: int = 4


@dataclass(frozen=True)
class Plan:
    """What one call does: the arguments for Hydra, the jobs they make, and what stands beside."""

    arguments: list[str]
    directory: Path
    jobs: list[Job]
    config: DictConfig

    def collect(self) -> list[Missing]:
        """Write the table of the jobs that are finished; return the others."""
        score, published = self.config.validation.monitor, OmegaConf.to_object(self.config.paper)
        assert isinstance(published, Published)
        missing = collect(self.jobs, self.directory, published=published, score=score)
        gaps = {(gap.row, gap.seed) for gap in missing}
        finished = [job for job in self.jobs if (job.row, job.seed) not in gaps]
        if finished and self.config.frames:
            self._draw_frames(finished)
        return missing

    def _draw_frames(self, finished: Sequence[Job]) -> None:
        """Draw what every row makes of the same frames, with the first seed that it has."""
        first = {job.row: job for job in reversed(finished)}
        rows = [row for row in dict.fromkeys(job.row for job in self.jobs) if row in first]
        checkpoints = {row: first[row].folder / _OF_EVERY_RUN["checkpoint"] for row in rows}
        clips = build(self.config.data).split(self.config.evaluation.split)
        sheet = draw_frames(checkpoints, clips, count=self.config.frames)
        save_sheet(self.directory / "frames.png", sheet)
        print(f"written: {self.directory}/frames.png")


def register() -> None:
    """Make the schema of a table known to Hydra."""
    register_schema("table", TableConfig)


def plan_table(arguments: Sequence[str]) -> Plan:
    """Return the jobs of a table: the rows of its sweep, times the seeds.

    Raises:
        ConfigError: There is no row, or a setting that cannot be used in any.
    """
    config = compose("table", overrides=sweeps.fixed(arguments), return_hydra_config=True)
    _check_common(config)
    axes = sweeps.axes(config.hydra.sweeper.params or {}, arguments)
    if not any(key != "seed" for key in axes):
        raise ConfigError(
            "a table needs rows: pass sweep=table1, lattice or inputs, "
            "or axes such as model=prototype,prototype_chroma"
        )
    seeds = [_whole(seed) for seed in axes.pop("seed", [str(config.seed)])]
    directory = Path(config.directory)
    jobs = [
        Job.of(values, seed=seed, directory=directory)
        for values in sweeps.combinations(axes)
        for seed in seeds
    ]
    # Rows have names of their own, and with them directories; a table keeps all in one.
    quoted = str(directory).replace("\\", "\\\\").replace("'", "\\'")
    return Plan(
        arguments=[*arguments, f"directory='{quoted}'"],
        directory=directory,
        jobs=jobs,
        config=config,
    )


def _check_common(config: DictConfig) -> None:
    """Refuse what no table can be made with."""
    if config.trainer.devices != 1:
        raise ConfigError(
            f"trainer.devices is {config.trainer.devices}: every row of a table takes 1; "
            "train several at once with hydra/launcher=joblib or submitit_slurm"
        )
    for key, value in _OF_EVERY_RUN.items():
        if config.evaluation[key] != value:
            raise ConfigError(f"evaluation.{key} is {value} in every row of a table: leave it out")
    protocol = config.protocol
    if protocol is not None:
        total = protocol.small_epochs + protocol.large_epochs
        if protocol.epochs != total:
            raise ConfigError(
                f"protocol.epochs is {protocol.epochs}: expected small_epochs + large_epochs = "
                f"{total}, so that rows of one size and of two train equally long"
            )


def _whole(seed: str) -> int:
    try:
        return int(seed)
    except ValueError:
        raise ConfigError(f"seed is {seed!r}: expected a whole number, as in seed=0,1,2") from None
