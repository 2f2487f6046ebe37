"""A tiny model and its checkpoint files, for tests that need any trained model at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from colorize.inference.checkpoints import Checkpoint, export
from colorize.losses import RankDiversity, Refinement
from colorize.metrics.psnr import Psnr
from colorize.motion.estimators import Dis
from colorize.networks.guided.network import GuidedNetwork
from colorize.networks.prototype.generator import Generator
from colorize.networks.prototype.refiner import Refiner
from colorize.pretrained.squeezenet import SqueezeNet
from colorize.training.objective import Objective
from colorize.training.task import ColorizationTask

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


REFERENCE_CHOICES: dict[str, Any] = {
    "channels": [4, 4, 8],
    "match_width": 8,
    "fusion_width": 4,
}


def reference_generator(seed: int = 0, **choices: Any) -> GuidedNetwork:
    """A reference-guided generator of seeded random weights; colourings differ from gray."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = GuidedNetwork(
            features=SqueezeNet(weights="random"), **{**REFERENCE_CHOICES, **choices}
        )
        with torch.no_grad():
            model.unet.output.bias[:2] = torch.tensor([-0.2, 0.3])
        return model


def write_reference_safetensors(path: Path, *, seed: int = 0, **choices: Any) -> Path:
    """Export a tiny reference-guided model as colorize-train does at its end."""
    features = {"name": "squeezenet", "weights": "random"}
    model = {"name": "guided", "features": features}
    about = description() | {"step": 7}
    about["config"]["model"] = {**model, **REFERENCE_CHOICES, **choices}
    checkpoint = Checkpoint(
        path=path,
        model=about["config"]["model"],
        weights=reference_generator(seed, **choices).state_dict(),
        description=about,
    )
    export(checkpoint, path)
    return path


def refiner(seed: int = 0, **choices: Any) -> Refiner:
    """A refiner of seeded random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed + 100)
        return Refiner(**choices)


def description(
    size: tuple[int, int] = (32, 48), *, refiner: dict[str, Any] | None = None, **choices: Any
) -> dict[str, Any]:
    """What colorize-train writes of a run into its checkpoint, as far as commands read it."""
    model = {"name": "prototype", **CHOICES, **choices}
    second = refiner and {"name": "refiner", **refiner}
    return {
        "config": {"model": model, "refiner": second, "seed": 5},
        "size": list(size),
        "data": {"name": "procedural cartoon, seed 0, 32x48"},
        "weights": {},
        "provenance": {"commit": "0123abc"},
    }


def write_safetensors(
    path: Path,
    *,
    seed: int = 0,
    size: tuple[int, int] = (32, 48),
    refiner: dict[str, Any] | None = None,
    **choices: Any,
) -> Path:
    """Export a tiny model as colorize-train does at its end; ``refiner`` are its settings."""
    about = description(size, refiner=refiner, **choices) | {"step": 7}
    checkpoint = Checkpoint(
        path=path,
        model=about["config"]["model"],
        weights=generator(seed, **choices).state_dict(),
        description=about,
        refiner=about["config"]["refiner"],
        refiner_weights=_refiner_weights(seed, refiner),
    )
    export(checkpoint, path)
    return path


def _refiner_weights(seed: int, choices: dict[str, Any] | None) -> dict[str, torch.Tensor]:
    return {} if choices is None else refiner(seed, **choices).state_dict()


def task(
    seed: int = 0,
    *,
    about: dict[str, Any] | None = None,
    refine: dict[str, Any] | None = None,
    **settings: Any,
) -> ColorizationTask:
    """A task on the tiny generator; ``settings`` are the task's own, or the generator's choices.

    ``refine`` are the settings of a refiner beside it.
    """
    known = {*CHOICES, "inputs"}
    choices = {key: settings.pop(key) for key in list(settings) if key in known}
    second = {}
    if refine is not None:
        second = {
            "refiner": refiner(seed, **refine),
            "refiner_objective": Objective({"refinement": Refinement()}),
            "flow": Dis(),
        }
    return ColorizationTask(
        model=generator(seed, **choices),
        **second,
        objective=Objective({"rank_diversity": RankDiversity(features=None)}),
        metrics={"psnr": Psnr()},
        description=about,
        **({"learning_rate": 1e-2} | settings),
    )


def write_lightning(
    path: Path, *, seed: int = 0, refiner: dict[str, Any] | None = None, **choices: Any
) -> Path:
    """Write the part of a Lightning checkpoint that matters here, by the task's own hook."""
    about = description(refiner=refiner, **choices)
    trained = task(seed, about=about, refine=refiner, **choices)
    content = {"state_dict": trained.state_dict(), "optimizer_states": [{"lr": 0.1}]}
    trained.on_save_checkpoint(content)
    torch.save(content, path)
    return path
