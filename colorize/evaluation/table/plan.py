"""What a table is made of: its settings, and the jobs that one call of it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from colorize.base import sweeps
from colorize.base.config import ConfigError, build, register_schema
from colorize.base.errors import did_you_mean
from colorize.evaluation.table.frames import draw_frames
from colorize.evaluation.table.page import Missing, Published
from colorize.evaluation.table.results import EVALUATION, Job, collect
from colorize.evaluation.table.settings import UNLESS_GIVEN, TableConfig
from colorize.imaging.contact_sheet import save_sheet

# What is measured, and where to, inside the directory of a row and seed.
_OF_EVERY_RUN: dict[str, Any] = {
    "checkpoint": "model.safetensors",
    "output": EVALUATION,
    "prediction": None,
    "truth": None,
}


@dataclass(frozen=True)
class Plan:
    """What one call does: the arguments for Hydra, the jobs they make, and what stands beside.

    ``rows`` are the settings of each row; ``preset`` are those that the protocol sets by itself.
    """

    arguments: list[str]
    directory: Path
    jobs: list[Job]
    rows: list[dict[str, str]]
    preset: list[str]
    config: DictConfig

    def collect(self) -> list[Missing]:
        """Write the table of the jobs that are finished; return the others."""
        score, published = self.config.validation.monitor, OmegaConf.to_object(self.config.paper)
        assert isinstance(published, Published)
        missing = collect(
            self.jobs,
            self.directory,
            published=published,
            score=score,
            preset=", ".join(self.preset),
        )
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
    """Return the jobs of a table: the rows of its sweep, or those chosen, times the seeds.

    Raises:
        ConfigError: There is no row, or a setting that cannot be used in any.
    """
    preset = _preset(arguments)
    arguments = _chosen([*arguments, *preset])
    config = compose("table", overrides=sweeps.fixed(arguments), return_hydra_config=True)
    _check_common(config)
    axes = sweeps.axes(config.hydra.sweeper.params or {}, arguments)
    if not any(key != "seed" for key in axes):
        raise ConfigError(
            "a table needs rows: pass sweep=table1, lattice or inputs, "
            "or axes such as model=prototype,prototype_chroma"
        )
    seeds = [_whole(seed) for seed in axes.pop("seed", [str(config.seed)])]
    directory, rows = Path(config.directory), sweeps.combinations(axes)
    jobs = [Job.of(values, seed=seed, directory=directory) for values in rows for seed in seeds]
    if len({job.folder for job in jobs}) < len(jobs):
        raise ConfigError(
            "two rows would share a folder: give each value once, and no two that differ in "
            "quotes or brackets alone"
        )
    # A row's directory holds one for each seed.
    unnamed = ("name", "directory", "seed")
    arguments = sweeps.shortly_named(arguments, unnamed=unnamed, named=axes)
    # Rows have names of their own, and with them directories; a table keeps all in one.
    quoted = str(directory).replace("\\", "\\\\").replace("'", "\\'")
    return Plan(
        arguments=[*arguments, f"directory='{quoted}'"],
        directory=directory,
        jobs=jobs,
        rows=rows,
        preset=preset,
        config=config,
    )


def _preset(arguments: Sequence[str]) -> list[str]:
    """Return what the protocol sets by itself, but for what the arguments set."""
    chosen = dict(each.partition("=")[::2] for each in arguments).get("protocol", "")
    given = [_name(argument) for argument in arguments]
    return [
        setting
        for setting in UNLESS_GIVEN.get(chosen, ())
        if not any(f"{name}.".startswith(f"{_name(setting)}.") for name in given)
    ]


def _name(argument: str) -> str:
    """Return the dotted name that an argument sets, of a group with a package that of the package.

    ``metric@evaluation.metric=[psnr]`` sets ``evaluation.metric``.
    """
    group, at, package = argument.partition("=")[0].lstrip("+~").partition("@")
    return package if at else group


def _chosen(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``rows=[...]`` as the experiments that it names.

    Raises:
        ConfigError: The sweep has no such row, or rows that are no experiments.
    """
    asked = [argument for argument in arguments if _name(argument) == "rows"]
    others = [argument for argument in arguments if argument not in asked]
    if not asked:
        return others
    if any(_name(argument) == "experiment" for argument in others):
        raise ConfigError("rows and experiment both choose rows: pass one of them")
    # Other settings may fit the rows that are asked for alone.
    sweep = [argument for argument in others if _name(argument) == "sweep"]
    config = compose("table", overrides=sweep, return_hydra_config=True)
    axes = sweeps.axes(config.hydra.sweeper.params or {}, others)
    known = {path.rpartition("/")[2]: path for path in axes.get("experiment", [])}
    if not known:
        raise ConfigError("rows chooses among experiments, and this sweep has none: leave it out")
    names = [name.strip() for name in asked[-1].partition("=")[2].strip("[]").split(",")]
    for name in names:
        if name not in known:
            raise ConfigError(f"rows: there is no row {name!r}{did_you_mean(name, known)}")
    return [*others, f"experiment={','.join(known[name] for name in dict.fromkeys(names))}"]


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
