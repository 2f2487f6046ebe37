"""Find, read, check and name weights that others trained: the one way to them."""

from __future__ import annotations

import hashlib
import pickle
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from colorize.base.errors import UserError
from colorize.base.tensor_files import DAMAGE, in_short

_UNREADABLE = (*DAMAGE, OSError, pickle.UnpicklingError)
_CONNECT_SECONDS = 20.0


class PretrainedWeightsError(UserError):
    """Weights of others that are missing or do not fit; one line that names the remedy."""


@dataclass(frozen=True)
class Wanted:
    """The weights a network needs, and what its user sets to have them.

    ``torchvision`` is the full name of torchvision's entry, such as ``VGG19_Weights.DEFAULT``;
    ``otherwise`` what else the user can do, if anything. ``part`` is the part of torchvision's
    network that is used, such as ``features.``: files may hold more than it, and leave the prefix
    out. Without one the whole network is used, and files hold nothing else.
    """

    network: str
    option: str
    torchvision: str
    otherwise: str = ""
    part: str = ""

    def find(self, weights: str | Path) -> Weights:
        """Return the weights of ``torchvision``, downloaded once, then cached, or of a file.

        A file is ``.safetensors`` or what ``torch.save`` wrote, of which nothing is executed.

        Raises: PretrainedWeightsError when they cannot be had or read.
        """
        if str(weights) == "torchvision":
            return Weights(self, None, self._named(self._download()))
        path = Path(weights).expanduser()
        if not path.is_file():
            raise self.error(path, "no such file")
        try:
            tensors, description = _read(path)
        except _UNREADABLE as error:
            reason = in_short(error)
            raise self.error(path, f"not a readable weights file ({reason})") from error
        return Weights(self, path, self._named(tensors), description)

    def entry(self) -> Any:
        """Return torchvision's entry; torchvision itself is imported only here."""
        from torchvision.models import get_weight

        return get_weight(self.torchvision)

    def error(
        self, source: Path | None, reason: str, remedy: str | None = None
    ) -> PretrainedWeightsError:
        """Return the one line for the user: option, where from, what is wrong, what to do."""
        if remedy is None:
            remedy = f"set {self.option} to a file of {self.network} weights"
            remedy += f", or {self.otherwise}" if self.otherwise else ""
        return PretrainedWeightsError(
            f"{self.option}={source or 'torchvision'}: {reason}; {remedy}"
        )

    def _named(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name.removeprefix(self.part): tensor for name, tensor in tensors.items()}

    def _download(self) -> dict[str, Tensor]:
        entry = self.entry()
        try:
            with _socket_timeout(_CONNECT_SECONDS):
                return dict(entry.get_state_dict(check_hash=True, weights_only=True))
        except (*_UNREADABLE, HTTPException) as error:
            raise self.error(None, f"cannot download {entry.url} ({in_short(error)})") from error


@dataclass(frozen=True)
class Weights:
    """Tensors by torchvision's names for the wanted part, from ``path`` or (None) torchvision.

    ``description`` is what a file's metadata says of the network's input, or "".
    """

    wanted: Wanted
    path: Path | None
    tensors: Mapping[str, Tensor]
    description: str = ""

    @property
    def caffe(self) -> bool:
        """Whether the weights were trained on Caffe's input: BGR in 0...255 minus the mean.

        Raises: PretrainedWeightsError when the file asks for an input that is not known.
        """
        if not self.description or self.description.startswith("BGR 0-255"):
            return bool(self.description)
        raise self.error(
            f"its metadata asks for an unknown input {self.description!r}, expected none "
            "(torchvision's) or 'BGR 0-255 ...' (Caffe's)"
        )

    def origin(self) -> str:
        """Say who published the weights: ``torchvision``, ``Caffe weights``, or the file's name."""
        if self.caffe:
            return "Caffe weights"
        if self.path is None:
            return "torchvision"
        # torchvision's file names end in the first eight digits of the file's SHA-256.
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        published = self.wanted.entry().url.endswith(f"-{digest[:8]}.pth")
        return "torchvision" if published else self.path.name

    def fill(self, own: Mapping[str, Tensor], *, bgr: bool = False) -> None:
        """Copy the weights into a network's ``own`` tensors, here by torchvision's names.

        ``bgr`` turns the first convolution of weights that were trained on BGR to RGB.

        Raises: PretrainedWeightsError naming the first tensor that is missing or does not fit.
        """
        expected = {name: tuple(tensor.shape) for name, tensor in own.items()}
        found = {
            name: tuple(tensor.shape)
            for name, tensor in self.tensors.items()
            if name in own or not self.wanted.part
        }
        names = expected | found
        wrong = [name for name in names if found.get(name) != expected.get(name)]
        if wrong:
            first = wrong[0]
            raise self.error(
                f"not the weights of {self.wanted.network}, {len(wrong)} of {len(names)} tensors "
                f"are missing or do not fit (first: {first} is {found.get(first, 'missing')}, "
                f"expected {expected.get(first, 'none')})"
            )
        for name, tensor in own.items():
            given = self.tensors[name]
            tensor.copy_(given.flip(1) if bgr and name == "0.weight" else given)

    def error(self, reason: str, remedy: str | None = None) -> PretrainedWeightsError:
        """Return the one line for the user that says what is wrong with these weights."""
        return self.wanted.error(self.path, reason, remedy)


def _read(path: Path) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a file and what its metadata says of the input, or ""."""
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            description = (file.metadata() or {}).get("input", "")
            return {name: file.get_tensor(name) for name in file.keys()}, description  # noqa: SIM118
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping):
        raise TypeError("it holds no table of tensors by name")
    return {str(name): each for name, each in content.items() if isinstance(each, Tensor)}, ""


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Let no connection of torch.hub, which sets no time limit itself, wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
