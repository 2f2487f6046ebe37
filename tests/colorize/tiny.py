"""A tiny model and its checkpoint files, for tests that need any trained model at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from colorize.losses import RankDiversity
from colorize.metrics.psnr import Psnr
from colorize.models import Generator
from colorize.objective import Objective
from colorize.predict import Checkpoint, export
from colorize.task import ColorizationTask

CHOICES: dict[str, Any] = {
    "features": None,
    "outputs": 2,
    "head": "chroma",
    "luma": "keep",
    "channels": [4, 4],
}


def generator(seed: int = 0, **choices: Any) -> Generator:
    """A generator of seeded random weights, whose colourings differ clearly from gray."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Generator(**(CHOICES | choices))


def description(size: tuple[int, int] = (32, 48), **choices: Any) -> dict[str, Any]:
    """What colorize-train writes of a run into its checkpoint, as far as commands read it."""
    model = {"_target_": "colorize.models.Generator", **CHOICES, **choices}
    return {
        "config": {"model": model, "seed": 5},
        "size": list(size),
        "data": {"name": "procedural cartoon, seed 0, 32x48"},
        "weights": {},
        "provenance": {"commit": "0123abc"},
    }


def write_safetensors(
    path: Path, *, seed: int = 0, size: tuple[int, int] = (32, 48), **choices: Any
) -> Path:
    """Export a tiny model as colorize-train does at its end."""
    about = description(size, **choices) | {"step": 7}
    weights = generator(seed, **choices).state_dict()
    export(Checkpoint(path, about["config"]["model"], weights, about), path)
    return path


def task(
    seed: int = 0, *, about: dict[str, Any] | None = None, **settings: Any
) -> ColorizationTask:
    """A task on the tiny generator; ``settings`` are the task's own, or the generator's choices."""
    choices = {key: settings.pop(key) for key in list(settings) if key in CHOICES}
    return ColorizationTask(
        model=generator(seed, **choices),
        objective=Objective({"rank_diversity": RankDiversity(features=None)}),
        metrics={"psnr": Psnr()},
        description=about,
        **({"learning_rate": 1e-2} | settings),
    )


def write_lightning(path: Path, *, seed: int = 0, **choices: Any) -> Path:
    """Write the part of a Lightning checkpoint that matters here, by the task's own hook."""
    trained = task(seed, about=description(**choices), **choices)
    content = {"state_dict": trained.state_dict(), "optimizer_states": [{"lr": 0.1}]}
    trained.on_save_checkpoint(content)
    torch.save(content, path)
    return path
