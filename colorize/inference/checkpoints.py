"""Read, build and write checkpoints; needs neither Hydra nor Lightning.

A checkpoint is a Lightning ``.ckpt`` of ``colorize-train`` or the ``.safetensors`` it exports.
Both carry the resolved config of the networks; nothing in either is ever executed: components are
looked up in a fixed table and tensors are read by safetensors or ``weights_only=True``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorize.base.errors import UserError
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
from colorize.networks import registry
from colorize.networks.base import Network
from colorize.networks.prototype.refiner import Refiner

FORMAT = "tooncolor-model-2"
FORMATS = (FORMAT, "tooncolor-model-1")
_REFINER = "refiner."  # before the names of the refiner's weights


class CheckpointError(UserError):
    """A checkpoint that is missing, broken or not one of ours; one line for the user."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file says: how to build the networks, their weights, where it comes from.

    ``model`` and ``refiner`` describe networks by registry names
    (:mod:`colorize.networks.registry`); ``refiner`` is ``None`` where the main network is alone.
    """

    path: Path
    model: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    description: Mapping[str, Any]
    refiner: Mapping[str, Any] | None = None
    refiner_weights: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the last training stage."""
        height, width = self.description["size"]
        return int(height), int(width)

    @property
    def takes(self) -> frozenset[str]:
        """What the main network can be given beside gray frames: ``references``."""
        return takes(self.model)


def takes(model: Mapping[str, Any]) -> frozenset[str]:
    """Return what the network of a description can be given beside gray frames.

    Raises:
        ValueError: There is no such network.
    """
    network: type[Network] = registry.component(registry.named(model)["name"])  # type: ignore[assignment]
    return network.takes


def build_networks(checkpoint: Checkpoint) -> tuple[Network, Refiner | None]:
    """Build the networks that ``checkpoint`` describes, fill and freeze them.

    Raises:
        CheckpointError: The description or the weights fit no model of this version.
    """
    with _fitting(checkpoint):
        model: Network = registry.build(_weights_from_checkpoint(registry.named(checkpoint.model)))
        refiner: Refiner | None = registry.build(
            checkpoint.refiner and registry.named(checkpoint.refiner)
        )
    fill(checkpoint, model, refiner)
    for network in (model, refiner):
        if network is not None:
            network.eval().requires_grad_(False)
    return model, refiner


def fill(checkpoint: Checkpoint, model: Network, refiner: Refiner | None) -> None:
    """Give networks the weights of a checkpoint.

    What it does not hold stays as it is if it is yet to be learnt: a refiner, or the parts that
    ``model.fresh_parts`` names.

    Raises:
        CheckpointError: The weights do not fit.
    """
    with _fitting(checkpoint):
        fill_network(model, _with_fresh_parts(model, checkpoint.weights))
        if refiner is not None and checkpoint.refiner is not None:
            fill_network(refiner, checkpoint.refiner_weights)


def start_from(checkpoint: Checkpoint, model: Network, refiner: Refiner | None) -> None:
    """Give networks that are to be trained on the weights of a checkpoint: see :func:`fill`.

    Layers of ``model.widened_parts`` may have had fewer outputs there: the further ones stay.

    Raises:
        CheckpointError: The weights do not fit.
    """
    own, weights = model.state_dict(), dict(checkpoint.weights)
    for name, tensor in checkpoint.weights.items():
        there = own.get(name) if name.startswith(tuple(model.widened_parts)) else None
        if there is not None and len(tensor) < len(there):
            weights[name] = torch.cat([tensor.to(there.dtype), there[len(tensor) :].cpu()])
    fill(replace(checkpoint, weights=weights), model, refiner)


def _with_fresh_parts(model: Network, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with the model's own in place of parts that are lacking, or of another form.

    Only parts that are to be trained can be fresh: those of a finished network must all be there.
    """
    found, own = dict(weights), model.state_dict()
    for part in model.fresh_parts:
        mine = {name: each for name, each in own.items() if name.startswith(part)}
        theirs = {name: each for name, each in found.items() if name.startswith(part)}
        if {n: t.shape for n, t in mine.items()} != {n: t.shape for n, t in theirs.items()}:
            found = {name: each for name, each in found.items() if name not in theirs} | mine
    return found


@contextmanager
def _fitting(checkpoint: Checkpoint) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise CheckpointError(
            f"{checkpoint.path}: does not fit these settings, or this version of tooncolor "
            f"({in_short(error)}); train again, or use the version and settings that wrote it"
        ) from error


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a ``.ckpt`` or ``.safetensors`` file of ours without executing anything in it.

    Raises:
        CheckpointError: The file is missing, damaged, or not a colorization checkpoint.
    """
    path = Path(path)
    with reading(path, program="colorize-train", error=CheckpointError):
        return _check(_read_exported(path) if path.suffix == ".safetensors" else _read_run(path))


def export(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint as safetensors with its description in the metadata, atomically."""
    second = {_REFINER + name: tensor for name, tensor in checkpoint.refiner_weights.items()}
    write_safetensors(
        path,
        form=FORMAT,
        metadata={
            "model": registry.named(checkpoint.model),
            "refiner": checkpoint.refiner and registry.named(checkpoint.refiner),
            "description": checkpoint.description,
        },
        tensors={**checkpoint.weights, **second},
    )


def _check(checkpoint: Checkpoint) -> Checkpoint:
    """Refuse a description without what every command reads of it."""
    size = held(checkpoint.description, "size", list | tuple)
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise UserError(f"its size is {size}")
    return checkpoint


def _read_exported(path: Path) -> Checkpoint:
    metadata, tensors = read_safetensors(path, forms=FORMATS)
    return _of_networks(path, metadata, held(metadata, "description", dict), tensors, model="")


def _read_run(path: Path) -> Checkpoint:
    description, tensors = read_lightning(path, key="tooncolor")
    networks = held(description, "networks" if "networks" in description else "config", dict)
    return _of_networks(path, networks, description, tensors, model="model.")


def _of_networks(
    path: Path,
    networks: Mapping[str, Any],
    description: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    *,
    model: str,
) -> Checkpoint:
    """Return a checkpoint with today's names; ``model`` stands before those of its weights."""
    described = registry.named(held(networks, "model", dict))
    refiner = held(networks, "refiner", dict) if networks.get("refiner") else None
    own = {n: each for n, each in tensors.items() if not n.startswith(_REFINER)}
    return Checkpoint(
        path=path,
        model=described,
        weights=registry.current_names(described["name"], under(model, own)),
        description=description,
        refiner=refiner and registry.named(refiner),
        refiner_weights=under(_REFINER, tensors),
    )


def _weights_from_checkpoint(node: Mapping[str, Any]) -> dict[str, Any]:
    """Point every feature net of a description at the checkpoint instead of a weights file."""
    changed = {
        key: _weights_from_checkpoint(value) if isinstance(value, Mapping) else value
        for key, value in node.items()
    }
    return changed | ({"weights": "checkpoint"} if "weights" in node else {})
