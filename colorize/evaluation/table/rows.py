"""Train and measure every row of a table with every seed, and compare them."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from colorize.base import sweeps
from colorize.base.config import ConfigError, check, config_directory, describe, to_plain
from colorize.base.errors import UserError
from colorize.base.progress import say
from colorize.evaluation.evaluate import evaluate
from colorize.evaluation.settings import EvaluateConfig
from colorize.evaluation.table.plan import Plan, plan_table, register
from colorize.evaluation.table.results import is_stamped, stamp, write_state
from colorize.evaluation.table.trial import refuse_what_fits_no_row, try_metrics, try_row
from colorize.training.settings import TrainConfig
from colorize.training.train import train

_OF_THE_MACHINE = ("accelerator", "devices", "strategy", "log_every_n_steps")
# Settings without effect on a figure; any other difference makes it another row's.
_WITHOUT_EFFECT = {
    "training": (
        *("name", "directory", "validation.pictures", "sampling.workers", "targets.cache"),
        "protocol",  # read through other settings alone
        *(f"trainer.{key}" for key in _OF_THE_MACHINE),
    ),
    "evaluation": ("checkpoint", "output", "device", "batch_size", "sheet_rows", "flow_weights"),
}


def make_table(arguments: Sequence[str]) -> int:
    """Run every row with every seed, write the table, and return how many runs are missing.

    Raises:
        ConfigError: The settings fit no row, or not all rows.
    """
    register()
    folder = config_directory()
    try:
        with initialize_config_dir(str(folder), version_base="1.3", job_name="colorize-table"):
            plan = plan_table(sweeps.expanded(arguments, folder=folder))
            if plan.preset:
                say(f"set by the protocol, unless given: {' '.join(plan.preset)}")
            _try(plan)
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None
            try:
                hydra.multirun(config_name="table", task_function=run_row, overrides=plan.arguments)
            except (HydraException, OmegaConfBaseException):
                raise  # a setting fits no row: nothing was begun
            except BaseException:  # a job that a cluster lost, or Ctrl-C
                plan.collect()
                raise
    except (HydraException, OmegaConfBaseException) as error:
        told = describe(error).replace(
            "is not chosen; add it to",
            "is not chosen in every row; ask for one row that has it, rows=[ROW], or set",
        )
        raise ConfigError(told) from error
    return len(plan.collect())


def _try(plan: Plan) -> None:
    """Find what is wrong with all rows before any is trained."""
    try_metrics(plan.config.evaluation.metric)
    seed = plan.jobs[0].seed
    jobs = {job.row: job for job in plan.jobs if job.seed == seed}
    settings = {job.row: values for job, values in zip(jobs.values(), plan.rows, strict=True)}

    broken: dict[str, str] = {}  # features that cannot be had, which need not be tried again

    def trial(row: str) -> None:
        chosen = [f"{key}={value}" for key, value in settings[row].items()]
        swept = {*settings[row], "seed"}
        same = [each for each in sweeps.fixed(plan.arguments) if _key(each) not in swept]
        config = compose("table", overrides=[*same, *chosen, f"seed={seed}"])
        training, evaluation = _settings(config)
        features = str(training.features)
        if features in broken:
            raise ConfigError(broken[features])
        try:
            try_row(training, folder=jobs[row].folder, split=evaluation.split)
        except UserError as error:
            if str(error).startswith("features."):
                broken[features] = str(error)
            raise

    refuse_what_fits_no_row(jobs, trial)


def _key(argument: str) -> str:
    return argument.partition("=")[0]


def _settings(config: DictConfig) -> tuple[DictConfig, DictConfig]:
    """Return the settings of a row's training and of its evaluation, checked."""
    check(config)
    plain = to_plain(config)
    evaluation = OmegaConf.merge(OmegaConf.structured(EvaluateConfig), plain.pop("evaluation"))
    del plain["paper"], plain["frames"], plain["rows"]
    training = OmegaConf.merge(OmegaConf.structured(TrainConfig), plain)
    assert isinstance(training, DictConfig)
    assert isinstance(evaluation, DictConfig)
    return training, evaluation


def run_row(config: DictConfig) -> None:
    """Train or go on with one row with one seed, and measure it: the job of a launcher.

    A failure is kept in the row's directory instead of raised, so that the other rows go on.
    """
    register()  # this may be another process than the one that composed
    folder = Path(os.path.relpath(HydraConfig.get().runtime.output_dir))
    try:
        _train_and_measure(config, folder)
    except Exception as error:  # noqa: BLE001 - any defect of one row; its traceback is kept
        reason = _one_line(error)
        write_state(folder, "failed", reason=reason, details=traceback.format_exc())
        print(f"{folder}: failed: {reason}")


def _train_and_measure(config: DictConfig, folder: Path) -> None:
    training, evaluation = _settings(config)
    evaluation.checkpoint = str(folder / evaluation.checkpoint)
    evaluation.output = str(folder / evaluation.output)
    trained = _with_effect(to_plain(training), _WITHOUT_EFFECT["training"])
    measured = _with_effect(to_plain(evaluation), _WITHOUT_EFFECT["evaluation"])
    if is_stamped(folder / "measured.json", {"training": trained, "evaluation": measured}):
        print(f"{folder}: done before")
        write_state(folder, "done")
        return
    write_state(folder, "stopped before its end")
    if is_stamped(folder / "trained.json", trained):
        print(f"{folder}: trained before")
    else:
        train(training)
        stamp(folder / "trained.json", trained)
    evaluate(evaluation)
    stamp(folder / "measured.json", {"training": trained, "evaluation": measured})
    write_state(folder, "done")


def _with_effect(plain: Mapping[str, Any], without: Sequence[str]) -> dict[str, Any]:
    """Return settings without those that no figure depends on; ``without`` are dotted names."""
    kept: dict[str, Any] = {}
    for key, value in plain.items():
        inner = [name.split(".", 1)[1] for name in without if name.startswith(f"{key}.")]
        if key not in without:
            kept[key] = _with_effect(value, inner) if inner else value
    return kept


def _one_line(error: Exception) -> str:
    """Return what went wrong in one line; a defect of ours, or of a library, with its type."""
    if isinstance(error, HydraException | OmegaConfBaseException):
        return describe(error)
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"
