"""``classify-train``: train a classifier as configured, or continue where a run stopped."""

from __future__ import annotations

import csv
from pathlib import Path

import lightning
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf
from torch import nn

from classify import checkpoints
from classify.charts import draw_curves, draw_examples, draw_histogram
from classify.checkpoints import Checkpoint
from classify.data import Collection, Parts
from classify.loaders import Loaders
from classify.predict import Classifier
from classify.results import LEAKING, Results, target_index
from classify.task import ClassificationTask
from colorize.base.config import ConfigError, build, to_plain
from colorize.base.provenance import provenance
from colorize.training.runs import (
    best_checkpoint,
    claim,
    last_checkpoint,
    make_trainer,
    quieten_lightning,
    run_directory,
)

# Settings that may differ when a run is continued; any other difference is another run.
_MAY_CHANGE = ("directory", "trainer", "name", "stages", "threshold")


def train(config: DictConfig) -> Results:
    """Train to the end, resuming from what the run directory holds, and measure the test part.

    With ``stages``, one after the other; a finished stage is not trained again.

    Returns:
        The results on the test part (of the last stage).

    Raises:
        ConfigError: The run directory holds a run with other settings, or the settings and the
            data do not fit together.
    """
    quieten_lightning()
    directory = run_directory(config.directory)
    if not config.stages:
        return train_once(config, directory)
    if config.trainer.devices not in ("auto", 1, "1"):
        raise ConfigError(
            f"trainer.devices is {config.trainer.devices}: stages train on one device; pass "
            "trainer.devices=1, or each stage as a run of its own with init=FILE"
        )
    stages = list(config.stages)
    init = config.init
    for number, name in enumerate(stages, start=1):
        stage = _stage(config, name, init=init, last=number == len(stages))
        folder = directory / f"{number}-{name}"
        print(f"stage {number} of {len(stages)}: {name}")
        weights = folder / "model.safetensors"
        if weights.is_file() and number < len(stages):
            claim(folder, to_plain(stage), may_change=_MAY_CHANGE)
            print(f"finished before: {weights}")
        else:
            results = train_once(stage, folder)
        init = str(weights)
    return results


def _stage(config: DictConfig, name: str, *, init: str | None, last: bool) -> DictConfig:
    """Return the settings of one stage: its own data and epochs, and where it starts from."""
    stage = config.copy()
    OmegaConf.update(stage, "data.root", config.stages[name].root)
    stage.trainer.devices = 1
    stage.trainer.max_epochs = config.stages[name].epochs
    stage.init, stage.stages = init, None
    stage.target = config.target if last else None  # only the last stage looks for it
    return stage


def train_once(config: DictConfig, directory: Path) -> Results:
    """Train one network on one set of data in ``directory``, and measure its test part."""
    plain = to_plain(config)
    claim(directory, plain, may_change=_MAY_CHANGE)
    collection, parts, task, loaders = assemble(config)
    _draw_data(directory, parts)
    last = last_checkpoint(directory)
    if last.is_file():
        print(f"continuing {directory} from {last}")
    trainer = make_trainer(plain["trainer"], directory, monitor="val/accuracy")
    trainer.fit(task, loaders, ckpt_path=last if last.is_file() else None, weights_only=True)
    checkpoint = checkpoints.load_checkpoint(best_checkpoint(directory))
    results = _measure(config, checkpoint, collection, parts)
    if trainer.is_global_zero:
        _finish(directory, checkpoint, results)
    return results


def assemble(config: DictConfig) -> tuple[Collection, Parts, ClassificationTask, Loaders]:
    """Read and split the data, and build the task and the loaders that ``config`` describes."""
    plain = to_plain(config)
    collection: Collection = build(config.data).read(build(config.preprocessing))
    parts: Parts = build(config.split)(collection, build(config.balance))
    classes = collection.examples.classes
    if config.model.classes != len(classes):
        raise ConfigError(
            f"model.classes is {config.model.classes}, but the data has {len(classes)}: "
            f"{', '.join(classes)}; pass model.classes={len(classes)}"
        )
    if config.target is not None:
        target_index(config.target, classes)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    model: nn.Module = build(config.model)
    if config.init is not None:
        checkpoints.transfer(checkpoints.load_checkpoint(config.init), model)
    description = {
        "config": plain,
        "classes": list(classes),
        "data": {
            "name": collection.label,
            **{part: getattr(parts, part).digest() for part in ("train", "val", "test")},
        },
        "provenance": provenance(data=collection.label, weights=_weights(config), seed=config.seed),
    }
    optimizer = plain["optimizer"]
    task = ClassificationTask(
        model=model,
        augment=build(config.augment),
        description=description,
        **(optimizer | {"betas": tuple(optimizer["betas"])}),
    )
    loaders = Loaders(
        train=parts.train, val=parts.val, batch_size=config.batch_size, seed=config.seed
    )
    return collection, parts, task, loaders


def _weights(config: DictConfig) -> dict[str, str]:
    """Name where a run starts from: another training, or the weights of a backbone."""
    named = {"init": config.init, "backbone": config.model.get("weights")}
    return {name: str(value) for name, value in named.items() if value is not None}


@rank_zero_only
def _draw_data(directory: Path, parts: Parts) -> None:
    """Draw how many pictures each class has, and some of them."""
    counts = {"training": parts.train.counts()}
    if parts.original != counts["training"]:
        counts = {"before balancing": parts.original, **counts}
    counts |= {"validation": parts.val.counts(), "test": parts.test.counts()}
    draw_histogram(counts, directory / "histogram.png")
    draw_examples(parts.train, directory / "examples.png")


def _measure(
    config: DictConfig, checkpoint: Checkpoint, collection: Collection, parts: Parts
) -> Results:
    """Measure the test part with the weights that validated best."""
    return Results(
        examples=parts.test,
        probabilities=Classifier(checkpoint).measure(parts.test),
        part="test part",
        facts={
            **checkpoint.description["provenance"],
            "network": config.model["_target_"],
            "steps": f"{checkpoint.description['step']}, where validation was best",
            "pictures": {name: len(getattr(parts, name)) for name in ("train", "val", "test")},
            "dropped": f"{parts.dropped} training or validation pictures that are measured too",
        },
        warning=LEAKING if parts.protocol == "leaking" else "",
        target=config.target,
        threshold=config.threshold,
        skipped=collection.skipped,
    )


def _finish(directory: Path, checkpoint: Checkpoint, results: Results) -> None:
    """Write curves, results and the exported weights, and say where everything is."""
    exported = directory / "model.safetensors"
    draw_curves(directory / "history.csv", directory / "curves.png")
    with (directory / "history.csv").open(newline="") as file:
        seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    written = results.write(directory)
    checkpoints.export(checkpoint, exported)  # last: a stage with it is finished
    if results.warning:
        print(results.warning)
    print(
        f"test accuracy {results.accuracy:.4f} on {len(results.examples)} pictures; "
        f"{len(seconds)} epochs in {sum(seconds):.0f} s; {len(results.skipped)} files skipped"
    )
    pictures = (directory / f"{name}.png" for name in ("curves", "histogram", "examples"))
    print(f"written: {', '.join(str(path) for path in (exported, *written, *pictures))}")
    print(f"try: classify PICTURES --checkpoint {exported}")
