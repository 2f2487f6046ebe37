"""Train a model as the configuration says, or continue where it stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from omegaconf import DictConfig
from torch import nn

from colorize.base.config import ConfigError, build, to_plain
from colorize.base.provenance import provenance
from colorize.data.references import ReferenceSampling
from colorize.data.targets.compute import FRAMES
from colorize.data.targets.settings import FlowSettings, GuideSettings
from colorize.inference import checkpoints
from colorize.inference.loaded import refiner_flow
from colorize.inference.shipped import resolve
from colorize.losses import Refinement
from colorize.metrics import ClipMetric, Metric, split_metrics
from colorize.networks.base import Network
from colorize.networks.prototype.recurrence import is_sequential
from colorize.networks.prototype.refiner import Refiner
from colorize.pretrained.frozen import Pretrained
from colorize.training.curves import draw_curves
from colorize.training.loaders import Loaders
from colorize.training.objective import Objective
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
_MAY_CHANGE = (
    *("directory", "trainer", "sampling.workers", "validation.pictures", "name"),
    "guides.cache",
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
    claim(directory, to_plain(config), may_change=_MAY_CHANGE)
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
    losses: dict[str, nn.Module] = {name: build(node) for name, node in config.loss.items()}
    objective = Objective({n: loss for n, loss in losses.items() if not _is_of_refiner(loss)})
    metrics = {name: build(node) for name, node in config.metric.items()}
    _refuse_clip_metrics(metrics)
    model: Network = build(config.model)
    references = _references(config, model)
    # Last, so that f begins with the same weights whether there is a g or not.
    refiner: Refiner | None = build(config.refiner)
    refiner_objective = _refiner_objective(losses, refiner)
    if config.init is not None:
        checkpoints.fill(checkpoints.load_checkpoint(resolve(config.init)), model, refiner)
    needs = (
        objective.needs - model.provides
        | _inputs_needed(model)
        | ({"refiner_flow"} if refiner else set())
    )
    _refuse_idle_losses(losses, config.sampling)
    if references is not None and needs:
        raise ConfigError(
            f"references come without guides, and a loss needs {sorted(needs)[0]}: leave the loss "
            "out, or pass references=null and another model"
        )
    clips = build(config.data)
    train, val = clips.split("train"), clips.split("val")
    loaders = Loaders(
        train=train,
        val=val,
        augment=build(config.augment),
        needs=needs,
        guide_settings=_guide_settings(build(config.guides), refiner),
        previous=is_sequential(model, None),
        corruption=build(config.corruption) if model.inputs == "gray_previous" else None,
        references=references,
        validation_length=2 if is_sequential(model, refiner) else 1,
        sampling=plain["sampling"],
        seed=config.seed,
        frames_per_clip=config.validation.frames_per_clip,
    )
    description = {
        "config": plain,
        "size": plain["sampling"]["stages"][-1]["size"],
        "data": {"name": clips.label, "train": train.fingerprint, "val": val.fingerprint},
        "weights": weight_labels({"model": model, "loss": objective}),
        "provenance": provenance(data=clips.label, seed=config.seed),
    }
    task = ColorizationTask(
        model=model,
        objective=objective,
        refiner=refiner,
        refiner_objective=refiner_objective,
        flow=refiner_flow(refiner) if refiner else None,
        metrics=metrics,
        description=description,
        learning_rate=config.optimizer.learning_rate,
        betas=tuple(config.optimizer.betas),
        schedule=config.optimizer.schedule,
        warmup_steps=config.optimizer.warmup_steps,
    )
    return task, loaders


def _references(config: DictConfig, model: Network) -> ReferenceSampling | None:
    """Return how references are drawn; refuse them, or their losses, where they cannot act."""
    sampling: ReferenceSampling | None = build(config.references)
    guided = "references" in model.takes
    if guided and sampling is None:
        raise ConfigError("model=guided learns from references: pass references=sampled")
    if not guided and sampling is not None:
        raise ConfigError(
            "references are set, and the model takes none: pass model=guided, or references=null"
        )
    if not guided and "proposals" in config.loss:
        raise ConfigError("loss proposals is of model=guided: choose that, or leave it out")
    return sampling


def _is_of_refiner(loss: nn.Module) -> bool:
    return isinstance(loss, Refinement)


def _refiner_objective(
    losses: Mapping[str, nn.Module], refiner: Refiner | None
) -> Objective | None:
    """Return the objective of g; refuse a refiner without a loss, and a loss without a refiner."""
    chosen = {name: loss for name, loss in losses.items() if _is_of_refiner(loss)}
    if refiner is None and chosen:
        raise ConfigError(
            f"loss {next(iter(chosen))} trains the refinement network, and there is none: "
            "pass refiner=refiner, or leave the loss out"
        )
    if refiner is not None and not chosen:
        raise ConfigError(
            "refiner is set, but no loss trains it: add refinement to loss=[...], "
            "or pass refiner=null"
        )
    return Objective(chosen) if chosen else None


def _refuse_clip_metrics(metrics: Mapping[str, Metric | ClipMetric]) -> None:
    """Refuse what is measured on whole shots: validation sees single frames."""
    for name in split_metrics(metrics)[1]:
        raise ConfigError(
            f"metric {name} needs whole shots, and validation measures single frames: leave it "
            "out here; colorize-evaluate measures it"
        )


def _inputs_needed(model: Network) -> set[str]:
    return {"segment_planes"} if model.inputs == "gray_segments" else set()


def _guide_settings(settings: GuideSettings | None, refiner: Refiner | None) -> GuideSettings:
    """Return the settings of all guides; the refiner itself says which flow it is used with."""
    settings = settings or GuideSettings()
    if refiner is None:
        return settings
    flow = FlowSettings(
        method=refiner.flow_method, weights=refiner.flow_weights, input=refiner.training_flow
    )
    return dataclasses.replace(settings, refiner_flow=flow)


def _refuse_idle_losses(losses: Mapping[str, nn.Module], sampling: DictConfig) -> None:
    """Refuse a loss that could never act, because samples hold too few consecutive frames."""
    length = sampling.length if sampling.pairs > 0 else 1
    for name, loss in losses.items():
        wanted = max((FRAMES.get(need, 1) for need in loss.needs), default=1)  # type: ignore[union-attr]
        wanted = 2 if _is_of_refiner(loss) else wanted
        if wanted > length:
            remedy = f"sampling.length={wanted}" if sampling.pairs > 0 else "sampling.pairs above 0"
            raise ConfigError(
                f"loss {name} compares {wanted} consecutive frames, but samples hold {length}: "
                f"set {remedy}, or leave the loss out"
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
    """Return the strategy; parts that sit out some steps are a defect in plain DDP's eyes.

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
    print(f"try: colorize INPUT -o OUTPUT --checkpoint {exported}")
