"""Read, build and write checkpoints; needs neither Hydra nor Lightning.

A checkpoint is a Lightning ``.ckpt`` of ``colorize-train`` or the ``.safetensors`` it exports.
Both carry the resolved config of the networks; nothing in either is ever executed: components are
looked up in a fixed table and tensors are read by safetensors or ``weights_only=True``.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from colorize.features import VGG19
from colorize.files import write_atomically
from colorize.models import Generator, Refiner

COMPONENTS = {
    "colorize.features.VGG19": VGG19,
    "colorize.models.Generator": Generator,
    "colorize.models.Refiner": Refiner,
}
FORMAT = "tooncolor-model-1"
_REFINER = "refiner."  # before the names of the refiner's weights


class CheckpointError(ValueError):
    """A checkpoint that is missing, broken or not one of ours; one line for the user."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file says: how to build the networks, their weights, where it comes from.

    ``refiner`` is ``None`` where the main network is alone.
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


def build_networks(checkpoint: Checkpoint) -> tuple[Generator, Refiner | None]:
    """Build the networks that ``checkpoint`` describes, fill and freeze them.

    Raises:
        CheckpointError: The description or the weights fit no model of this version.
    """
    with _fitting(checkpoint):
        model: Generator = _build(_weights_from_checkpoint(checkpoint.model))
        refiner: Refiner | None = _build(checkpoint.refiner)
    fill(checkpoint, model, refiner)
    for network in (model, refiner):
        if network is not None:
            network.eval().requires_grad_(False)
    return model, refiner


def fill(checkpoint: Checkpoint, model: Generator, refiner: Refiner | None) -> None:
    """Give networks the weights of a checkpoint; a refiner that it does not hold stays as it is.

    Raises:
        CheckpointError: The weights do not fit.
    """
    with _fitting(checkpoint):
        model.load_state_dict(dict(checkpoint.weights))
        if refiner is not None and checkpoint.refiner is not None:
            refiner.load_state_dict(dict(checkpoint.refiner_weights))


@contextmanager
def _fitting(checkpoint: Checkpoint) -> Iterator[None]:
    try:
        yield
    except (TypeError, RuntimeError, KeyError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: does not fit these settings, or this version of tooncolor "
            f"({_in_short(error)}); train again, or use the version and settings that wrote it"
        ) from error


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a ``.ckpt`` or ``.safetensors`` file of ours without executing anything in it.

    Raises:
        CheckpointError: The file is missing, damaged, or not a colorization checkpoint.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; train one with colorize-train")
    reader = _read_safetensors if path.suffix == ".safetensors" else _read_lightning
    try:
        return _check(reader(path))
    except (
        LookupError,
        RuntimeError,
        EOFError,
        TypeError,
        AttributeError,
        ValueError,
        pickle.UnpicklingError,
        safetensors.SafetensorError,
    ) as error:
        raise CheckpointError(
            f"{path}: not a checkpoint of colorize-train, or damaged ({_in_short(error)})"
        ) from error


def export(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint as safetensors with its description in the metadata, atomically."""
    metadata = {
        "format": FORMAT,
        "model": json.dumps(checkpoint.model),
        "refiner": json.dumps(checkpoint.refiner),
        "description": json.dumps(checkpoint.description),
    }
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.weights.items()}
    tensors |= {
        _REFINER + name: tensor.contiguous() for name, tensor in checkpoint.refiner_weights.items()
    }
    write_atomically(path, safetensors.torch.save(tensors, metadata))


def _check(checkpoint: Checkpoint) -> Checkpoint:
    """Refuse a description without what every command reads of it."""
    if not isinstance(checkpoint.model, Mapping):
        raise TypeError("it describes no model")
    if min(checkpoint.size) < 1:
        raise ValueError(f"its size is {checkpoint.size}")
    return checkpoint


def _read_safetensors(path: Path) -> Checkpoint:
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise KeyError(f"format is {metadata.get('format')!r}, expected {FORMAT!r}")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return Checkpoint(
        path=path,
        model=json.loads(metadata["model"]),
        weights={name: each for name, each in tensors.items() if not name.startswith(_REFINER)},
        description=json.loads(metadata["description"]),
        refiner=json.loads(metadata.get("refiner", "null")),
        refiner_weights=_under(_REFINER, tensors),
    )


def _read_lightning(path: Path) -> Checkpoint:
    with path.open("rb") as file:
        # torch.load takes anything else for a bare pickle, and fails on it in every possible way.
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no zip archive, or cut off")
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping) or "tooncolor" not in content:
        raise KeyError("it holds no 'tooncolor' description")
    description = content["tooncolor"]
    tensors = content["state_dict"]
    return Checkpoint(
        path=path,
        model=description["config"]["model"],
        weights=_under("model.", tensors),
        description=description,
        refiner=description["config"].get("refiner"),
        refiner_weights=_under(_REFINER, tensors),
    )


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix``, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _build(node: Any) -> Any:
    """Build a nested ``_target_`` description from the table of known components."""
    if not isinstance(node, Mapping) or "_target_" not in node:
        return node
    arguments = {key: _build(value) for key, value in node.items() if key != "_target_"}
    return COMPONENTS[node["_target_"]](**arguments)


def _weights_from_checkpoint(node: Mapping[str, Any]) -> dict[str, Any]:
    """Point every feature net of a description at the checkpoint instead of a weights file."""
    changed = {
        key: _weights_from_checkpoint(value) if isinstance(value, Mapping) else value
        for key, value in node.items()
    }
    return changed | ({"weights": "checkpoint"} if "weights" in node else {})


def _in_short(error: BaseException) -> str:
    """Return what an error says in at most 200 characters of one line."""
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(said).split())[:200] or type(error).__name__
