"""``colorize-train``: train a model as the configuration says, or continue where it stopped."""

from __future__ import annotations

from omegaconf import DictConfig

from colorize.base.config import entry, register_schema
from colorize.base.start import importing
from colorize.training.settings import TrainConfig


def main() -> None:
    """Run the console script ``colorize-train``."""
    register_schema("train", TrainConfig)
    entry("train", _train)


def _train(config: DictConfig) -> object:
    # PyTorch takes seconds to import: --help and a mistake need not wait for it.
    with importing():
        from colorize.training.train import train
    return train(config)
