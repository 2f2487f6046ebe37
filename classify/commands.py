"""``classify-train`` and ``classify-evaluate``: settings are checked before PyTorch loads."""

from __future__ import annotations

from omegaconf import DictConfig

from classify.config import register_schemas
from colorize.base.config import entry
from colorize.base.start import importing


def train() -> None:
    """Run the console script ``classify-train``."""
    register_schemas()
    entry("classify_train", _train)


def evaluate() -> None:
    """Run the console script ``classify-evaluate``."""
    register_schemas()
    entry("classify_evaluate", _evaluate)


def _train(config: DictConfig) -> object:
    with importing():
        from classify.train import train
    return train(config)


def _evaluate(config: DictConfig) -> object:
    with importing():
        from classify.evaluate import evaluate
    return evaluate(config)
