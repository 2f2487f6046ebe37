"""``classify-evaluate``: measure a checkpoint on labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from classify.checkpoints import Checkpoint, CheckpointError, build_known
from classify.data import Balance, Collection, Examples, Parts, Pictures, Split
from classify.predict import Classifier
from classify.results import LEAKING, Results
from colorize.base.config import ConfigError
from colorize.base.errors import did_you_mean
from colorize.base.provenance import provenance

_PARTS = ("train", "val", "test")


def evaluate(config: DictConfig) -> Results:
    """Measure what ``config`` names, and write tables and pictures to ``config.output``.

    Raises:
        ConfigError: The settings contradict each other, or the data is not that of the training.
    """
    if config.part not in _PARTS:
        raise ConfigError(f"part is {config.part!r}{did_you_mean(config.part, _PARTS)}")
    if config.pictures is not None and config.root is not None:
        raise ConfigError("root and pictures are two things to measure: pass one of them")
    if config.batch_size < 1:
        raise ConfigError(f"batch_size is {config.batch_size}: expected 1 or more")
    classifier = Classifier.load(config.checkpoint, device=config.device, mirror=config.mirror)
    checkpoint = classifier.checkpoint
    if config.pictures is not None:
        pictures = Pictures(root=config.pictures, classes=classifier.classes)
        collection = pictures.read(classifier.preprocessing)
        examples, part, warning = collection.examples, "all that are labelled", ""
    else:
        collection, examples, warning = _same_split(checkpoint, config)
        part = f"{config.part} part"
    trained = checkpoint.config
    results = Results(
        examples=examples,
        probabilities=classifier.measure(examples, batch_size=config.batch_size),
        part=part,
        facts=_facts(config, checkpoint, collection.label, classifier),
        warning=warning,
        target=config.target or trained.get("target"),
        threshold=trained["threshold"] if config.threshold is None else config.threshold,
        skipped=collection.skipped,
    )
    written = results.write(Path(config.output))
    print(results.markdown().split("## How this was made")[0])
    print("written:", ", ".join(str(path) for path in written))
    return results


def _same_split(checkpoint: Checkpoint, config: DictConfig) -> tuple[Collection, Examples, str]:
    """Make the split of the training again, and refuse it where it is not the same."""
    trained = checkpoint.config
    node = dict(trained["data"])
    if config.root is not None:
        if "root" not in node:
            raise ConfigError(f"root is set, but this checkpoint's data has none: {node}")
        node["root"] = config.root
    try:
        source = build_known(node)
        split: Split = build_known(trained["split"])
        balance: Balance | None = build_known(trained["balance"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: describes no data of this version ({error}); pass pictures=DIR"
        ) from error
    collection: Collection = source.read(checkpoint.preprocessing())
    parts: Parts = split(collection, balance)
    examples: Examples = getattr(parts, config.part)
    expected: Mapping[str, Any] = checkpoint.description["data"]
    if examples.digest() != expected[config.part]:
        raise ConfigError(
            f"{node.get('root', 'the data')} holds other pictures than the {config.part} part of "
            f"the training ({expected['name']}); pass root=THE SAME DATA, or pictures=DIR to "
            "measure all of them"
        )
    return collection, examples, LEAKING if parts.protocol == "leaking" else ""


def _facts(
    config: DictConfig, checkpoint: Checkpoint, label: str, classifier: Classifier
) -> dict[str, Any]:
    description = checkpoint.description
    return provenance(
        data=label + (", averaged with mirror images" if classifier.mirror else ""),
        checkpoint=(
            f"{config.checkpoint}: step {description['step']}, seed "
            f"{description['config']['seed']}, commit {description['provenance']['commit']}"
        ),
        weights=description["provenance"]["weights"],
        seed=description["config"]["seed"],
        device=classifier.device,
    )
