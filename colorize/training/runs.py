"""The directory of a run: whose it is, what lies in it, and the Trainer that fills it."""

from __future__ import annotations

import functools
import json
import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import TensorBoardLogger

from colorize.base.arguments import pasted
from colorize.base.config import ConfigError
from colorize.base.errors import require
from colorize.base.files import write_atomically
from colorize.training.callbacks import EpochLog, RunProgress, TimeLimit

_SETTINGS = "config.json"


def run_directory(configured: str) -> Path:
    """Return the run's directory; each job of a sweep (-m) has one of its own inside it."""
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        return Path(os.path.relpath(HydraConfig.get().runtime.output_dir))
    return Path(configured)


def last_checkpoint(directory: Path) -> Path:
    """Return where the checkpoint of the last finished epoch lies."""
    return directory / "checkpoints" / "last.ckpt"


def best_checkpoint(directory: Path) -> Path:
    """Return where the checkpoint of the epoch that validated best lies."""
    return directory / "checkpoints" / "best.ckpt"


class OtherRunError(ConfigError):
    """A directory holds a run with other settings; ``fact`` says it without a remedy."""

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(f"{fact}: {remedy}")
        self.fact = fact


def claim(
    directory: Path,
    settings: Mapping[str, Any],
    *,
    may_change: Sequence[str],
    unused: Callable[[str], bool] = lambda key: False,
) -> None:
    """Write the run's settings to its directory, if no other run lies there (:func:`compare`)."""
    compare(directory, settings, may_change=may_change, unused=unused)
    directory.mkdir(parents=True, exist_ok=True)
    content = (json.dumps(settings, indent=2) + "\n").encode()
    write_atomically(directory / _SETTINGS, content)


def compare(
    directory: Path,
    settings: Mapping[str, Any],
    *,
    may_change: Sequence[str],
    unused: Callable[[str], bool],
) -> None:
    """Compare a run's settings with those of the run in its directory, if there is one.

    Settings whose dotted name starts with one of ``may_change`` may differ when a run goes on, and
    so may those that are ``unused``, as nothing of the run reads them.

    Raises:
        OtherRunError: Weights of a run with other settings lie there.
    """
    path = directory / _SETTINGS
    if not (path.is_file() and last_checkpoint(directory).is_file()):
        return
    before, now = _flatten(json.loads(path.read_text())), _flatten(settings)
    for key in sorted(before | now):
        same = before.get(key) == now.get(key)
        if same or unused(key) or key.startswith(tuple(may_change)):
            continue
        exported = directory / "model.safetensors"
        weights = exported if exported.is_file() else last_checkpoint(directory)
        raise OtherRunError(
            f"{directory} holds a run with {key}={before.get(key)}, not {now.get(key)}",
            f"add name=NAME {pasted('init', weights)} to go on from its weights as another run, "
            "or name=NAME alone to begin anew",
        )


def make_trainer(
    settings: Mapping[str, Any],
    directory: Path,
    *,
    monitor: str,
    callbacks: Sequence[Callback] = (),
) -> lightning.Trainer:
    """Return the Trainer that ``settings`` (``trainer`` of the config) describe.

    It keeps the best epoch by ``monitor`` (higher is better) and the last one.

    Raises:
        UserError: ``max_minutes`` is not above 0.
    """
    chosen = dict(settings)
    patience, minutes = chosen.pop("early_stop_patience"), chosen.pop("max_minutes")
    if minutes is not None:
        require("trainer.max_minutes", minutes > 0, minutes, "more than 0, or null")
    if chosen["precision"] == "auto":
        cuda = chosen["accelerator"] in ("auto", "gpu", "cuda") and torch.cuda.is_available()
        chosen["precision"] = "bf16-mixed" if cuda else "32-true"
    checkpoint = functools.partial(
        ModelCheckpoint, dirpath=directory / "checkpoints", enable_version_counter=False
    )
    used: list[Callback] = [
        checkpoint(filename="best", monitor=monitor, mode="max"),
        checkpoint(filename="last", save_on_train_epoch_end=True),
        LearningRateMonitor(logging_interval="epoch"),
        EpochLog(directory / "history.csv"),
        *callbacks,
        RunProgress(monitor=monitor),
    ]
    if minutes is not None:
        used.append(TimeLimit(minutes=minutes))
    if patience is not None:
        used.append(EarlyStopping(monitor=monitor, mode="max", patience=patience))
    return lightning.Trainer(
        **chosen,
        default_root_dir=directory,
        logger=TensorBoardLogger(directory, name="", version="tensorboard"),
        callbacks=used,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # the loaders give every process its part themselves
    )


def quieten_lightning() -> None:
    """Keep Lightning's tips and hardware banner off the user's screen; its errors still show."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*smaller than the logging interval.*",
        ".*LeafSpec.*",
        ".*litlogger.*",
        ".*exists and is not empty.*",  # the checkpoints of the run that goes on
    ):
        warnings.filterwarnings("ignore", message)


def _flatten(node: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(node, Mapping):
        return {path: node}
    flat: dict[str, Any] = {}
    for key, value in node.items():
        flat |= _flatten(value, f"{path}.{key}" if path else str(key))
    return flat
