"""Read, build and write checkpoints of classifiers.

A checkpoint is a Lightning ``.ckpt`` of ``classify-train`` or the ``.safetensors`` it exports. Both
carry class names and preprocessing, so that prediction needs nothing else. Nothing in either is
ever executed: components are looked up in a fixed table and tensors are read by safetensors or
``weights_only=True``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from classify import models
from classify.data import Balance, Drawings, Pictures, Split
from classify.preprocessing import Preprocessing
from colorize.base import components
from colorize.base.errors import UserError, did_you_mean
from colorize.base.tensor_files import (
    fill_network,
    held,
    in_short,
    read_lightning,
    read_safetensors,
    reading,
    under,
    write_safetensors,
)

_KNOWN: tuple[Any, ...] = (
    *(getattr(models, name) for name in models.__all__),
    *(Balance, Drawings, Pictures, Split),
)
COMPONENTS: dict[str, Any] = {
    f"{part.__module__.rpartition('.')[0]}.{part.__name__}": part for part in _KNOWN
} | {"classify.preprocessing.Preprocessing": Preprocessing}
FORMAT = "tooncolor-classifier-1"


class CheckpointError(UserError):
    """A checkpoint that is missing, broken or not one of ours; one line for the user."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file says: the network, its weights, classes, and where it comes from.

    ``description`` holds the resolved ``config`` of the run, ``classes`` in the order of the
    logits, ``data`` and ``provenance``.
    """

    path: Path
    weights: Mapping[str, Tensor]
    description: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the logits."""
        return tuple(str(name) for name in self.description["classes"])

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved settings of the run."""
        config: Mapping[str, Any] = self.description["config"]
        return config

    def preprocessing(self) -> Preprocessing:
        """Return what brings pictures to the network's size and colours."""
        made: Preprocessing = build_known(self.config["preprocessing"])
        return made


def build_known(node: Any) -> Any:
    """Build a ``_target_`` description from the table of known components; ``None`` stays.

    Raises:
        UserError: There is no such component, or it does not take what is described.
    """
    if not isinstance(node, Mapping):
        return node
    arguments = {key: build_known(value) for key, value in node.items() if key != "_target_"}
    name = str(node.get("_target_"))
    if name not in COMPONENTS:
        raise UserError(f"there is no component {name!r}{did_you_mean(name, COMPONENTS)}")
    return components.build(name, COMPONENTS[name], arguments)


def build_network(checkpoint: Checkpoint) -> nn.Module:
    """Build the network that ``checkpoint`` describes, fill and freeze it.

    Raises:
        CheckpointError: The description or the weights fit no network of this version.
    """
    node = dict(checkpoint.config["model"])
    if "weights" in node:
        node["weights"] = "checkpoint"  # a backbone is filled from here, not from its own file
    try:
        network: nn.Module = build_known(node)
        fill_network(network, checkpoint.weights)
    except UserError as error:
        raise CheckpointError(
            f"{checkpoint.path}: does not fit this version of tooncolor ({in_short(error)}); "
            "train again, or use the version that wrote it"
        ) from error
    return network.eval().requires_grad_(False)


def transfer(checkpoint: Checkpoint, network: nn.Module) -> None:
    """Start ``network`` from the weights of another training, all but its output layer.

    The output layer starts anew: its classes mean something else.

    Raises:
        CheckpointError: The networks differ in more than their classes.
    """
    own = network.state_dict()
    kept = {name: own[name] for name in own if name.startswith("output.")}
    given = {name: each for name, each in checkpoint.weights.items() if name not in kept}
    try:
        fill_network(network, {**given, **kept})
    except UserError as error:
        raise CheckpointError(
            f"{checkpoint.path}: its network is another ({in_short(error)}); init needs a "
            "checkpoint of the same classifier"
        ) from error


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a ``.ckpt`` or ``.safetensors`` file of ours without executing anything in it.

    Raises:
        CheckpointError: The file is missing, damaged, or no checkpoint of a classifier.
    """
    path = Path(path)
    reader = _read_exported if path.suffix == ".safetensors" else _read_run
    with reading(path, program="classify-train", error=CheckpointError):
        return _check(reader(path))


def export(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint as safetensors with its description in the metadata, atomically."""
    metadata = {"description": checkpoint.description}
    write_safetensors(path, form=FORMAT, metadata=metadata, tensors=checkpoint.weights)


def _check(checkpoint: Checkpoint) -> Checkpoint:
    """Refuse a description without what every command reads of it."""
    if len(held(checkpoint.description, "classes", list)) < 2:
        raise UserError(f"its classes are {checkpoint.classes}")
    config = held(checkpoint.description, "config", dict)
    for key in ("model", "preprocessing"):
        held(config, key, dict)
    checkpoint.preprocessing()
    return checkpoint


def _read_exported(path: Path) -> Checkpoint:
    metadata, tensors = read_safetensors(path, forms=[FORMAT])
    return Checkpoint(path, tensors, held(metadata, "description", dict))


def _read_run(path: Path) -> Checkpoint:
    description, tensors = read_lightning(path, key="tooncolor_classifier")
    return Checkpoint(path, under("model.", tensors), description)
