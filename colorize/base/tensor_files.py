"""Read files of weights without executing anything in them; what both packages' checkpoints share.

Safetensors hold no code, and Lightning's checkpoints are read with ``weights_only=True``.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from colorize.base.errors import UserError
from colorize.base.files import write_atomically

# What safetensors, PyTorch and the JSON parser say of damaged files: nearly anything.
DAMAGE = (
    LookupError,
    RuntimeError,
    EOFError,
    TypeError,
    AttributeError,
    ValueError,
    safetensors.SafetensorError,
    zipfile.BadZipFile,
)


@contextmanager
def reading(path: Path, *, program: str, error: Callable[[str], Exception]) -> Iterator[None]:
    """Turn what is wrong with a file that ``program`` should have written into one line, raised as
    ``error``: it is missing, or a :class:`UserError` says what it lacks.
    """
    if not path.is_file():
        raise error(f"{path}: no such checkpoint; train one with {program}")
    try:
        yield
    except UserError as cause:
        raise error(
            f"{path}: not a checkpoint of {program}, or damaged ({in_short(cause)})"
        ) from cause


@contextmanager
def _parsing() -> Iterator[None]:
    """Let the file be to blame for what others' parsers say; no code of ours runs in the block."""
    try:
        yield
    except pickle.UnpicklingError as cause:
        raise UserError("it holds more than weights, of which nothing was executed") from cause
    except DAMAGE as cause:
        raise UserError(in_short(cause)) from cause


def read_safetensors(
    path: Path, *, forms: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the decoded metadata and the tensors of a safetensors file of one of the ``forms``.

    Raises:
        UserError: It is of another format, or damaged.
    """
    with _parsing(), safetensors.safe_open(path, "pt") as file:
        texts = dict(file.metadata() or {})
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    found = texts.pop("format", None)
    if found not in forms:
        raise UserError(f"format is {found!r}, expected {' or '.join(map(repr, forms))}")
    with _parsing():
        return {key: json.loads(text) for key, text in texts.items()}, tensors


def write_safetensors(
    path: Path, *, form: str, metadata: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Write tensors with JSON metadata, atomically; the same content gives the same bytes."""
    encoded = {"format": form, **{key: json.dumps(value) for key, value in metadata.items()}}
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_atomically(path, _in_order(safetensors.torch.save(whole, encoded)))


def _in_order(content: bytes) -> bytes:
    """Sort the header of a safetensors file, whose metadata come in a random order.

    Jobs and screenings recognise a checkpoint by its bytes.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    ordered = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    encoded = ordered.encode()
    encoded += b" " * (-len(encoded) % 8)  # data begin at a multiple of 8
    return len(encoded).to_bytes(8, "little") + encoded + content[8 + length :]


def read_lightning(path: Path, *, key: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what ``key`` of a Lightning checkpoint says, and its state dict.

    Raises:
        UserError: It is no such file, or damaged.
    """
    with path.open("rb") as file:
        # torch.load takes anything else for a bare pickle, and fails on it in every possible way.
        if not zipfile.is_zipfile(file):
            raise UserError("it is no zip archive, or cut off")
        with _parsing():
            entries = zipfile.ZipFile(file).filelist
    # Compressed entries could unpack to any size.
    if any(each.compress_type != zipfile.ZIP_STORED for each in entries):
        raise UserError("it is compressed, which PyTorch never does")
    with _parsing():
        content = torch.load(path, map_location="cpu", weights_only=True)
    tensors = held(content, "state_dict", dict)
    if not all(isinstance(each, Tensor) for each in tensors.values()):
        raise UserError("its 'state_dict' holds more than tensors")
    return held(content, key, dict), tensors


def held(content: object, key: str, kind: type | UnionType) -> Any:
    """Return what a file says of ``key``.

    Raises:
        UserError: It says nothing of it, or nothing of this ``kind``.
    """
    value = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(value, kind):
        raise UserError(f"it holds no {key!r} description")
    return value


def fill_network(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network all its weights.

    Raises:
        UserError: Names or shapes differ from those of the network.
    """
    own = network.state_dict()
    wrong = [f"it lacks {name}" for name in own if name not in weights]
    wrong += [f"it holds an unknown {name}" for name in weights if name not in own]
    wrong += [
        f"{name} is {tuple(weights[name].shape)}, not {tuple(each.shape)}"
        for name, each in own.items()
        if name in weights and weights[name].shape != each.shape
    ]
    if wrong:
        raise UserError(wrong[0] + (f", and {len(wrong) - 1} more" if wrong[1:] else ""))
    network.load_state_dict(dict(weights))


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix``, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def in_short(error: BaseException) -> str:
    """Return what an error says in at most 200 characters of one line."""
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(said).split())[:200] or type(error).__name__
