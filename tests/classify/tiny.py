"""A tiny classifier and its checkpoint, for tests that need any trained network at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from torch import nn

from classify.checkpoints import Checkpoint, export
from classify.config import register_schemas
from classify.models import Mnist
from colorize.base.config import config_directory

SIZE = (12, 12)
MODEL = {"_target_": "classify.models.Mnist", "classes": 2, "channels": 3, "size": list(SIZE)}
PREPROCESSING = {
    "_target_": "classify.preprocessing.Preprocessing",
    "size": list(SIZE),
    "channels": 3,
}


def description(classes: tuple[str, ...] = ("cat", "dog"), **config: Any) -> dict[str, Any]:
    """What classify-train writes of a run into its checkpoint, as far as commands read it."""
    settings = {"model": MODEL, "preprocessing": PREPROCESSING, "seed": 5, "threshold": 0.95}
    return {
        "config": {**settings, "target": None, **config},
        "classes": list(classes),
        "data": {"name": "made for a test"},
        "provenance": {"commit": "0123abc", "weights": {}},
        "step": 7,
    }


def red_or_blue() -> nn.Module:
    """A network that says class 0 of reddish pictures and class 1 of bluish ones, for sure."""
    network = Mnist(classes=2, channels=3, size=SIZE)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        convolution, hidden = network.features[0][0], network.hidden[0]
        convolution.weight[0, 0, 1, 1] = 1.0
        convolution.weight[1, 2, 1, 1] = 1.0
        area = hidden.weight.shape[1] // 32
        hidden.weight[0, :area] = 1.0 / area
        hidden.weight[1, area : 2 * area] = 1.0 / area
        network.output.weight[0, 0] = network.output.weight[1, 1] = 8.0
    return network


def write_checkpoint(
    path: Path, *, classes: tuple[str, ...] = ("cat", "dog"), **config: Any
) -> Path:
    """Export the network above as classify-train does at its end."""
    about = description(classes, **config)
    export(Checkpoint(path, red_or_blue().state_dict(), about), path)
    return path


def train_config(*overrides: str) -> DictConfig:
    """Compose the settings of classify-train."""
    return _compose("classify_train", overrides)


def evaluate_config(*overrides: str) -> DictConfig:
    """Compose the settings of classify-evaluate."""
    return _compose("classify_evaluate", overrides)


def _compose(name: str, overrides: tuple[str, ...]) -> DictConfig:
    register_schemas()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        return compose(name, overrides=list(overrides))
