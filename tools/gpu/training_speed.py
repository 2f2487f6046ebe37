"""Measure how many samples a second training takes: fed by its loaders, and by none."""

from __future__ import annotations

import itertools
import time
from typing import Any

import torch
from hydra import compose, initialize_config_dir

from colorize.base.config import check, config_directory, register_schema
from colorize.training.settings import TrainConfig
from colorize.training.task import ColorizationTask
from colorize.training.train import assemble
from gpu.figures import Figures

_DATA = ("data=cartoon", "data.train=12", "data.frames_per_shot=12", "data.effects=false")
# Recipes at the size of their last stage, on cartoons alone: their data need not be here.
_RECIPES = {
    "default recipe": _DATA,
    "prototype": (
        *("experiment=prototype", *_DATA, "features.weights=random", "sampling.batch_size=8"),
        "loss_weights=balanced",
    ),
    "committee": ("experiment=committee", *_DATA, "sampling.batch_size=32"),
    "reference_hints": ("experiment=reference_hints", *_DATA, "sampling.batch_size=16"),
}
_TINY = ("debug=tiny", "model.channels=[4,4,4]", "sampling.stills=8")
_WARM, _STEPS = 3, 30


def training(figures: Figures, *, tiny: bool) -> None:
    """Time training steps of each recipe."""
    register_schema("train", TrainConfig)
    recipes = {"tiny": _TINY} if tiny else _RECIPES
    for name, overrides in recipes.items():
        figures.take(
            f"training, {name}",
            lambda o=overrides: _speed(figures, o, steps=2 if tiny else _STEPS),
        )


def _speed(figures: Figures, overrides: tuple[str, ...], *, steps: int) -> dict[str, Any]:
    """Return samples a second with the loaders, and with one batch that stays on the device.

    Their ratio is the share of the time that the device is busy, if steps cost alike.
    """
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        config = compose("train", overrides=list(overrides))
    check(config)
    task, loaders = assemble(config)
    task.log = lambda *_, **__: None  # type: ignore[method-assign]  # no trainer logs here
    task = task.to(figures.device).train()
    trained = [each for each in task.parameters() if each.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=1e-4)
    loader = loaders.train_dataloader()
    fed, batch = 0.0, None
    try:
        start = time.perf_counter()
        for number, batch in enumerate(itertools.islice(loader, _WARM + steps)):
            if number == _WARM:
                figures.wait()
                start = time.perf_counter()
            batch = _on(figures.device, batch)
            _step(task, batch, optimizer, figures.device)
            fed = number - _WARM + 1
        figures.wait()
        seconds = time.perf_counter() - start
    finally:
        del loader
    if batch is None or fed < 1:
        raise ValueError("the epoch has too few batches to be timed")
    size = len(batch["gray"])
    alone = figures.median(lambda: _step(task, batch, optimizer, figures.device))
    return {
        "batch_size": size,
        "size": list(batch["gray"].shape[-2:]),
        "samples_per_second": size * fed / seconds,
        "samples_per_second_without_loading": size / alone,
        "device_busy": min(1.0, alone * fed / seconds),
    }


def _step(
    task: ColorizationTask, batch: Any, optimizer: torch.optim.Optimizer, device: str
) -> None:
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=device != "cpu"):
        loss = task.training_step(batch, 0)
    loss.backward()
    optimizer.step()


def _on(device: str, batch: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.to(device, non_blocking=True) if hasattr(value, "to") else value
        for name, value in batch.items()
    }
