"""``colorize-train``: train a model as the configuration says, or continue where it stopped."""

from __future__ import annotations

import functools
import json
import logging
import os
import warnings
from collections.abc import Callable, Mapping
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
from omegaconf import DictConfig
from torch import Tensor, nn

from colorize import predict
from colorize.callbacks import EpochLog, RunProgress, ValidationPictures
from colorize.config import ConfigError, build, entry, to_plain
from colorize.curves import draw_curves
from colorize.data.guide_settings import GuideSettings
from colorize.data.guides import FRAMES, GUIDES, compute_guides
from colorize.features import VGG19
from colorize.files import write_atomically
from colorize.loaders import Loaders
from colorize.objective import Objective
from colorize.provenance import provenance
from colorize.task import ColorizationTask

# Settings that may differ when a run is continued; any other difference is another run.
_MAY_CHANGE = ("directory", "trainer", "sampling.workers", "validation.pictures", "name")


def main() -> None:
    """Run the console script ``colorize-train``."""
    entry("train", train)


def train(config: DictConfig) -> dict[str, float]:
    """Train to the end, resuming from the run directory's last checkpoint if there is one.

    Returns:
        The last validation scores by name.

    Raises:
        ConfigError: The run directory holds a run with other settings.
    """
    _quieten_lightning()
    directory = _directory(config)
    plain = to_plain(config)
    last = directory / "checkpoints" / "last.ckpt"
    _claim(directory, plain, resuming=last.is_file())
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    task, loaders = assemble(config)
    trainer = _trainer(config, directory)
    if last.is_file():
        print(f"continuing {directory} from {last}")
    trainer.fit(task, loaders, ckpt_path=last if last.is_file() else None, weights_only=True)
    if trainer.is_global_zero:
        _finish(directory, trainer)
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def assemble(config: DictConfig) -> tuple[ColorizationTask, Loaders]:
    """Build the task and the loaders of training and validation that ``config`` describes."""
    plain = to_plain(config)
    objective = Objective({name: build(node) for name, node in config.loss.items()})
    clips = build(config.data)
    train, val = clips.split("train"), clips.split("val")
    loaders = Loaders(
        train=train,
        val=val,
        augment=build(config.augment),
        guide=_guide(objective, build(config.guides), pairs=config.sampling.pairs > 0),
        sampling=plain["sampling"],
        seed=config.seed,
        frames_per_clip=config.validation.frames_per_clip,
    )
    model = build(config.model)
    description = {
        "config": plain,
        "size": plain["sampling"]["stages"][-1]["size"],
        "data": {"name": clips.label, "train": train.fingerprint, "val": val.fingerprint},
        "weights": weight_labels({"model": model, "loss": objective}),
        "provenance": provenance(data=clips.label, seed=config.seed),
    }
    if config.init is not None:
        model.load_state_dict(dict(predict.load_checkpoint(config.init).weights))
    task = ColorizationTask(
        model=model,
        objective=objective,
        metrics={name: build(node) for name, node in config.metric.items()},
        description=description,
        learning_rate=config.optimizer.learning_rate,
        betas=tuple(config.optimizer.betas),
        schedule=config.optimizer.schedule,
        warmup_steps=config.optimizer.warmup_steps,
    )
    return task, loaders


def _guide(
    objective: Objective, settings: GuideSettings | None, *, pairs: bool
) -> Callable[..., dict[str, Tensor]] | None:
    """Return what computes the guides of the chosen losses; refuse a loss that could never act."""
    for name, loss in objective.losses.items():
        for need in sorted(loss.needs):  # type: ignore[arg-type]
            if need not in GUIDES:
                raise ConfigError(
                    f"loss {name} needs {need!r}, which is computed by no part of this version; "
                    "leave it out"
                )
            if FRAMES.get(need, 1) > (2 if pairs else 1):
                raise ConfigError(
                    f"loss {name} compares {FRAMES[need]} consecutive frames, but samples hold "
                    f"{2 if pairs else 1}: set sampling.pairs above 0, or leave the loss out"
                )
    if not objective.needs:
        return None
    return functools.partial(
        compute_guides, names=objective.needs, settings=settings or GuideSettings()
    )


def weight_labels(modules: Mapping[str, nn.Module]) -> dict[str, str]:
    """Return what every frozen feature net is called, by where it is used."""
    return {
        f"{name}.{path}": part.label
        for name, module in modules.items()
        for path, part in module.named_modules()
        if isinstance(part, VGG19)
    }


def _trainer(config: DictConfig, directory: Path) -> lightning.Trainer:
    settings = to_plain(config)["trainer"]
    patience = settings.pop("early_stop_patience")
    if settings["precision"] == "auto":
        cuda = settings["accelerator"] in ("auto", "gpu", "cuda") and torch.cuda.is_available()
        settings["precision"] = "bf16-mixed" if cuda else "32-true"
    monitor = config.validation.monitor
    checkpoint = functools.partial(
        ModelCheckpoint, dirpath=directory / "checkpoints", enable_version_counter=False
    )
    callbacks: list[Callback] = [
        checkpoint(filename="best", monitor=monitor, mode="max"),
        checkpoint(filename="last", save_on_train_epoch_end=True),
        LearningRateMonitor(logging_interval="epoch"),
        EpochLog(directory / "history.csv"),
        ValidationPictures(folder=directory / "pictures", count=config.validation.pictures),
        RunProgress(monitor=monitor),
    ]
    if patience is not None:
        callbacks.append(EarlyStopping(monitor=monitor, mode="max", patience=patience))
    return lightning.Trainer(
        **settings,
        default_root_dir=directory,
        logger=TensorBoardLogger(directory, name="", version="tensorboard"),
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # EpochSampler gives every process its part itself
    )


def _directory(config: DictConfig) -> Path:
    """Return the run's directory; each job of a sweep (-m) has one of its own inside it."""
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        return Path(os.path.relpath(HydraConfig.get().runtime.output_dir))
    return Path(config.directory)


def _claim(directory: Path, plain: dict[str, Any], *, resuming: bool) -> None:
    """Write the run's settings to its directory, or compare them with those of the run in it."""
    path = directory / "config.json"
    if resuming and path.is_file():
        before = dict(_flatten(json.loads(path.read_text())))
        now = dict(_flatten(plain))
        changed = [key for key in sorted(before | now) if before.get(key) != now.get(key)]
        changed = [key for key in changed if not key.startswith(_MAY_CHANGE)]
        if changed:
            key = changed[0]
            raise ConfigError(
                f"{directory} holds a run with {key}={before.get(key)}, not {now.get(key)}: "
                "give this run another name=NAME, or move that directory away"
            )
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(plain, indent=2) + "\n").encode())


def _flatten(node: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        return [
            item
            for key, value in node.items()
            for item in _flatten(value, f"{path}.{key}" if path else str(key))
        ]
    return [(path, node)]


def _finish(directory: Path, trainer: lightning.Trainer) -> None:
    """Export the best weights and say where everything is."""
    best = directory / "checkpoints" / "best.ckpt"
    exported = directory / "model.safetensors"
    predict.export(predict.load_checkpoint(best), exported)
    curves = directory / "curves.png"
    draw_curves(directory / "history.csv", curves)
    print(f"done after {trainer.global_step} steps: weights {exported}, curves {curves}")
    print(f"try: colorize INPUT -o OUTPUT --checkpoint {exported}")


def _quieten_lightning() -> None:
    """Keep Lightning's tips and hardware banner off the user's screen; its errors still show."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*smaller than the logging interval.*",
        ".*LeafSpec.*",
        ".*litlogger.*",
    ):
        warnings.filterwarnings("ignore", message)
