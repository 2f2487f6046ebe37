"""``colorize-evaluate``: measure a checkpoint on a split, or coloured frames against true ones."""

from __future__ import annotations

from omegaconf import DictConfig

from colorize.base.config import entry, register_schema
from colorize.base.start import importing
from colorize.evaluation.settings import EvaluateConfig


def main() -> None:
    """Run the console script ``colorize-evaluate``."""
    register_schema("evaluate", EvaluateConfig)
    entry("evaluate", _evaluate)


def _evaluate(config: DictConfig) -> object:
    # PyTorch takes seconds to import: --help and a mistake need not wait for it.
    with importing():
        from colorize.evaluation.evaluate import evaluate
    return evaluate(config)
