"""``classify-train`` and ``classify-evaluate``: settings are checked before PyTorch loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classify.config import EvaluateConfig, TrainConfig
from colorize.base.settings_command import SettingsCommand
from colorize.base.start import importing

if TYPE_CHECKING:
    from omegaconf import DictConfig

TRAIN = SettingsCommand(
    program="classify-train",
    sentence="Train a classifier of drawn pictures with the settings of its source.",
    examples="""\
examples:
  classify-train classifier=mnist data.root=../shared/data/mnist
  classify-train classifier=emotion model.dropout=0 name=plain
  classify-train -m classifier=mnist data.root=../shared/data/mnist name=seeds seed=0,1,2

The run lies in runs/NAME. Files of conf/classifier hold the settings of each source; --cfg job
shows them all.
""",
    config="classify_train",
    schema=lambda: TrainConfig,
)
EVALUATE = SettingsCommand(
    program="classify-evaluate",
    sentence="Measure a classifier on the test part of its data, or on other labelled pictures.",
    examples="""\
examples:
  classify-evaluate checkpoint=runs/mnist/model.safetensors
  classify-evaluate checkpoint=runs/mnist/model.safetensors root=../shared/data/mnist
  classify-evaluate checkpoint=model.safetensors pictures=labelled/ output=comparison

root= says where the data of the training lies now; pictures= is a folder of one folder for each
class. Tables are in output=FOLDER.
""",
    config="classify_evaluate",
    schema=lambda: EvaluateConfig,
)


def train() -> None:
    """Run the console script ``classify-train``."""
    TRAIN.run(_train)


def evaluate() -> None:
    """Run the console script ``classify-evaluate``."""
    EVALUATE.run(_evaluate)


def _train(config: DictConfig) -> object:
    with importing():
        from classify.train import train
    return train(config)


def _evaluate(config: DictConfig) -> object:
    with importing():
        from classify.evaluate import evaluate
    return evaluate(config)
