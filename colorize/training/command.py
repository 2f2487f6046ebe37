"""``colorize-train``: train a model as the configuration says, or continue where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize.base.settings_command import SettingsCommand
from colorize.base.start import importing
from colorize.training.settings import TrainConfig

if TYPE_CHECKING:
    from omegaconf import DictConfig

COMMAND = SettingsCommand(
    program="colorize-train",
    sentence="Train a network to colour a series, or go on where a run was stopped.",
    examples="""\
examples:
  colorize-train experiment=adapt data.root=coloured-frames name=my-series
  colorize-train data=clips data.root=datasets/series name=series
  colorize-train -m data=clips data.root=datasets/series name=seeds seed=0,1,2

Settings are those of conf/recipe.yaml, changed by experiment=NAME and by what is written after it;
--cfg job shows them all. debug=tiny with any of them runs to the end in seconds. The run lies in
runs/NAME: the same command goes on from there. With another setting, begin a new run from its
weights:
  colorize-train ... loss.segment.weight=2 name=heavier init=runs/series/model.safetensors
""",
    config="train",
    schema=lambda: TrainConfig,
)


def main() -> None:
    """Run the console script ``colorize-train``."""
    COMMAND.run(_train)


def _train(config: DictConfig) -> object:
    # PyTorch takes seconds to import: --help and a mistake need not wait for it.
    with importing():
        from colorize.training.train import train
    return train(config)
