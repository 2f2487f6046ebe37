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
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from colorize.base.errors import UserError
from colorize.base.files import write_atomically

DAMAGE = (
    LookupError,
    RuntimeError,
    EOFError,
    TypeError,
    AttributeError,
    ValueError,
    safetensors.SafetensorError,
)


@contextmanager
def reading(path: Path, *, program: str, error: Callable[[str], Exception]) -> Iterator[None]:
    """Turn everything that goes wrong with a file that ``program`` should have written into one
    line, raised as ``error``.
    """
    if not path.is_file():
        raise error(f"{path}: no such checkpoint; train one with {program}")
    try:
        yield
    except pickle.UnpicklingError as cause:
        raise error(
            f"{path}: not a checkpoint of {program}: it holds more than weights, of which nothing "
            "was executed, or is damaged"
        ) from cause
    except DAMAGE as cause:
        raise error(
            f"{path}: not a checkpoint of {program}, or damaged ({in_short(cause)})"
        ) from cause


def read_safetensors(
    path: Path, *, forms: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the decoded metadata and the tensors of a safetensors file of one of the ``forms``.

    Raises: KeyError for another format, and what safetensors and JSON say of damage.
    """
    with safetensors.safe_open(path, "pt") as file:
        metadata = dict(file.metadata() or {})
        found = metadata.pop("format", None)
        if found not in forms:
            raise KeyError(f"format is {found!r}, expected {' or '.join(map(repr, forms))}")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return {key: json.loads(value) for key, value in metadata.items()}, tensors


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

    Raises: ValueError, KeyError, and what PyTorch says of damage.
    """
    with path.open("rb") as file:
        # torch.load takes anything else for a bare pickle, and fails on it in every possible way.
        if not zipfile.is_zipfile(file):
            raise UserError("it is no zip archive, or cut off")
        # Compressed entries could unpack to any size.
        if any(each.compress_type != zipfile.ZIP_STORED for each in zipfile.ZipFile(file).filelist):
            raise UserError("it is compressed, which PyTorch never does")
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping) or key not in content:
        raise KeyError(f"it holds no {key!r} description")
    return content[key], content["state_dict"]


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
