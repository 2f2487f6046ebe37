"""Train a model as the configuration says, or continue where it stopped."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from omegaconf import DictConfig
from torch import nn

from colorize.base.config import build, given_settings, to_plain
from colorize.base.provenance import provenance
from colorize.data import ClipDataset
from colorize.data.targets.clip import ClipTargets
from colorize.data.targets.settings import FlowSettings, TargetSettings
from colorize.inference import checkpoints
from colorize.inference.loaded import refiner_flow
from colorize.inference.shipped import resolve
from colorize.networks import registry
from colorize.networks.prototype.recurrence import is_sequential
from colorize.pretrained.frozen import Pretrained
from colorize.training.components import Components, build_components
from colorize.training.curves import draw_curves
from colorize.training.idle import refuse_idle_settings, unused_settings
from colorize.training.loaders import Loaders
from colorize.training.pictures import ValidationPictures
from colorize.training.runs import (
    best_checkpoint,
    claim,
    last_checkpoint,
    make_trainer,
    quieten_lightning,
    run_directory,
)
from colorize.training.task import ColorizationTask

# Settings that may differ when a run is continued; any other difference is another run.
MAY_CHANGE = (
    *("directory", "trainer", "sampling.workers", "validation.pictures", "name"),
    "targets.cache",
)


def train(config: DictConfig) -> dict[str, float]:
    """Train to the end, resuming from the run directory's last checkpoint if there is one.

    Returns:
        The last validation scores by name.

    Raises:
        ConfigError: The run directory holds a run with other settings.
    """
    quieten_lightning()
    directory = run_directory(config.directory)
    last = last_checkpoint(directory)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    components = chosen_components(config, given=given_settings())
    claim(
        directory,
        to_plain(config),
        may_change=MAY_CHANGE,
        unused=unused_settings(config, components),
    )
    task, loaders = _assembled(config, components)
    trainer = _trainer(config, directory)
    if last.is_file():
        print(f"continuing {directory} from {last}")
    trainer.fit(task, loaders, ckpt_path=last if last.is_file() else None, weights_only=True)
    if trainer.is_global_zero:
        _finish(directory, trainer)
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def assemble(config: DictConfig, *, given: Iterable[str] = ()) -> tuple[ColorizationTask, Loaders]:
    """Build the task and the loaders of training and validation that ``config`` describes.

    ``given`` are the settings that the user gave, by dotted name: none may do nothing.
    """
    return _assembled(config, chosen_components(config, given=given))


def chosen_components(config: DictConfig, *, given: Iterable[str] = ()) -> Components:
    """Build the components of a run, and refuse settings of ``given`` that none of them reads.

    Raises:
        ConfigError: They cannot be built, do not fit together, or leave a setting idle.
    """
    components = build_components(config)
    refuse_idle_settings(config, components, given=given)
    return components


def _assembled(config: DictConfig, components: Components) -> tuple[ColorizationTask, Loaders]:
    if config.init is not None:
        start = checkpoints.load_checkpoint(resolve(config.init))
        checkpoints.start_from(start, components.model, components.refiner)
    clips = build(config.data)
    loaders = make_loaders(config, components, train=clips.split("train"), val=clips.split("val"))
    description = _description(config, components, loaders, data=clips.label)
    return _task(config, components, description), loaders


def make_loaders(
    config: DictConfig, components: Components, *, train: ClipDataset, val: ClipDataset
) -> Loaders:
    """Return the loaders of a run that trains on ``train`` and validates on ``val``."""
    return Loaders(
        train=train,
        val=val,
        augment=build(config.augment),
        targets=_targets(config, components),
        previous=is_sequential(components.model, None),
        corruption=build(config.corruption) if components.model.inputs == "gray_previous" else None,
        references=components.references,
        validation_length=2 if is_sequential(components.model, components.refiner) else 1,
        sampling=to_plain(config)["sampling"],
        seed=config.seed,
        frames_per_clip=config.validation.frames_per_clip,
    )


def _targets(config: DictConfig, components: Components) -> ClipTargets | None:
    """Return what makes targets, if any are needed; the refiner says what flow it trains on."""
    if not components.targets:
        return None
    settings: TargetSettings = build(config.targets) or TargetSettings()
    if (refiner := components.refiner) is not None:
        flow = FlowSettings(
            method=refiner.flow_method, weights=refiner.flow_weights, input=refiner.training_flow
        )
        settings = dataclasses.replace(settings, refiner_flow=flow)
    return ClipTargets(names=components.targets, settings=settings)


def _description(
    config: DictConfig, components: Components, loaders: Loaders, *, data: str
) -> dict[str, Any]:
    """Return what a checkpoint says of itself."""
    plain = to_plain(config)
    train, val = loaders.train.fingerprint, loaders.val.fingerprint
    return {
        "config": plain,
        "networks": {
            "model": registry.named(plain["model"]),
            "refiner": plain["refiner"] and registry.named(plain["refiner"]),
        },
        "size": plain["sampling"]["stages"][-1]["size"],
        "data": {"name": data, "train": train, "val": val},
        "weights": weight_labels({"model": components.model, "loss": components.objective}),
        "provenance": provenance(data=data, seed=config.seed),
    }


def _task(
    config: DictConfig, components: Components, description: Mapping[str, Any]
) -> ColorizationTask:
    return ColorizationTask(
        model=components.model,
        objective=components.objective,
        refiner=components.refiner,
        refiner_objective=components.refiner_objective,
        flow=refiner_flow(components.refiner) if components.refiner else None,
        metrics=components.metrics,
        description=description,
        learning_rate=config.optimizer.learning_rate,
        betas=tuple(config.optimizer.betas),
        schedule=config.optimizer.schedule,
        warmup_steps=config.optimizer.warmup_steps,
    )


def weight_labels(modules: Mapping[str, nn.Module]) -> dict[str, str]:
    """Return what every frozen feature net is called, by where it is used."""
    return {
        f"{name}.{path}": part.label
        for name, module in modules.items()
        for path, part in module.named_modules()
        if isinstance(part, Pretrained)
    }


def _trainer(config: DictConfig, directory: Path) -> lightning.Trainer:
    settings = to_plain(config)["trainer"]
    partial = config.refiner is not None or config.references is not None
    settings["strategy"] = _strategy(settings, partial=partial)
    pictures = ValidationPictures(folder=directory / "pictures", count=config.validation.pictures)
    return make_trainer(
        settings, directory, monitor=config.validation.monitor, callbacks=[pictures]
    )


def _strategy(settings: Mapping[str, Any], *, partial: bool) -> str:
    """Return the strategy; networks that sit out some steps are a defect in plain DDP's eyes.

    Those are g on stills, and the matching of frames none of which has a reference.
    """
    strategy = str(settings["strategy"])
    several = settings["num_nodes"] > 1 or settings["devices"] not in (1, "1", "auto")
    several = several or (settings["devices"] == "auto" and torch.cuda.device_count() > 1)
    if partial and (strategy == "ddp" or (strategy == "auto" and several)):
        return "ddp_find_unused_parameters_true"
    return strategy


def _finish(directory: Path, trainer: lightning.Trainer) -> None:
    """Export the best weights and say where everything is."""
    best = best_checkpoint(directory)
    exported = directory / "model.safetensors"
    checkpoints.export(checkpoints.load_checkpoint(best), exported)
    curves = directory / "curves.png"
    draw_curves(directory / "history.csv", curves)
    print(f"done after {trainer.global_step} steps: weights {exported}, curves {curves}")
    print(f"try: colorize INPUT -o OUTPUT --checkpoint {shlex.quote(str(exported))}")
