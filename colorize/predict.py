"""Colorize gray frames with a trained checkpoint; needs neither Hydra nor Lightning.

A checkpoint is a Lightning ``.ckpt`` of ``colorize-train`` or the ``.safetensors`` it exports.
Both carry the resolved config of the model; nothing in either is ever executed: components are
looked up in a fixed table and tensors are read by safetensors or ``weights_only=True``.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from colorize import color
from colorize.features import VGG19
from colorize.files import write_atomically
from colorize.models import Generator

COMPONENTS = {"colorize.features.VGG19": VGG19, "colorize.models.Generator": Generator}
FORMAT = "tooncolor-model-1"
Device = str


class CheckpointError(ValueError):
    """A checkpoint that is missing, broken or not one of ours; one line for the user."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file says: how to build the model, its weights, and where it comes from."""

    path: Path
    model: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    description: Mapping[str, Any]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the last training stage."""
        height, width = self.description["size"]
        return int(height), int(width)


class Colorizer:
    """A trained generator that turns gray frames of any size into K colourings.

    Frames are coloured at a working size and joined to the original luma at full size: the short
    side is scaled to ``short_side`` pixels (default: the short side of the training size).
    """

    def __init__(
        self, checkpoint: Checkpoint, *, device: Device = "auto", short_side: int | None = None
    ):
        self.checkpoint = checkpoint
        self.device = choose_device(device)
        self.short_side = short_side or min(checkpoint.size)
        model = build_model(checkpoint).to(self.device)
        self.model = model.to(memory_format=torch.channels_last)

    @classmethod
    def load(
        cls, path: str | Path, *, device: Device = "auto", short_side: int | None = None
    ) -> Colorizer:
        """Load a checkpoint file.

        Raises:
            CheckpointError: The file is missing, damaged, or not a colorization checkpoint.
        """
        return cls(load_checkpoint(path), device=device, short_side=short_side)

    @property
    def outputs(self) -> int:
        """K, the number of different colourings."""
        return self.model.outputs

    def check_variant(self, variant: int) -> None:
        """Refuse a variant that this model does not have.

        Raises:
            ValueError: ``variant`` is not in 0 … K-1.
        """
        if not 0 <= variant < self.outputs:
            raise ValueError(f"variant is {variant}: this model has 0 to {self.outputs - 1}")

    @torch.inference_mode()
    def variants(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b k 3 h w"]:
        """Return all K colourings in [0, 1] at the frame's own size, with the luma of the model.

        A model that keeps the luma has its chroma resized and joined to ``gray``; one that
        predicts RGB freely has its RGB resized, and its luma is its own ([L], for measuring).
        """
        gray = gray.to(self.device)
        if self.model.luma == "free":
            return self._enlarge(self._colour_small(gray), gray).clamp(0, 1)
        return color.join_in_gamut(gray.unsqueeze(1), self.chroma(gray))

    @torch.inference_mode()
    def chroma(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b k 2 h w"]:
        """Return (Cb, Cr) of all K colourings at the frame's own size.

        The network sees the frame at the working size; its chroma is resized bilinearly.
        """
        return self._enlarge(color.rgb_to_chroma(self._colour_small(gray)), gray)

    def _colour_small(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b k 3 _h _w"]:
        """Return what the network makes of the frame at the working size."""
        small = resize(gray.to(self.device), working_size(gray.shape[-2:], self.short_side))
        return self.model(small).float()

    def _enlarge(
        self, outputs: Float[Tensor, "b k c _h _w"], gray: Float[Tensor, "b 1 h w"]
    ) -> Float[Tensor, "b k c h w"]:
        full = resize(rearrange(outputs, "b k c h w -> (b k) c h w"), gray.shape[-2:])
        return rearrange(full, "(b k) c h w -> b k c h w", b=gray.shape[0])

    @torch.inference_mode()
    def __call__(
        self, gray: Float[Tensor, "b 1 h w"], *, variant: int = 0
    ) -> Float[Tensor, "b 3 h w"]:
        """Return colouring ``variant`` (0 … K-1) in RGB, its BT.601 luma equal to ``gray``."""
        outputs = self._colour_small(gray)[:, variant : variant + 1]
        chroma = self._enlarge(color.rgb_to_chroma(outputs), gray)  # of the chosen one alone
        return color.join_in_gamut(gray.to(self.device), chroma[:, 0])


def working_size(size: Sequence[int], short_side: int) -> tuple[int, int]:
    """Return ``size`` scaled so that its short side is ``short_side``; never enlarged."""
    height, width = size
    scale = min(1.0, short_side / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(images: Float[Tensor, "b c _h _w"], size: Sequence[int]) -> Float[Tensor, "b c h w"]:
    """Resize bilinearly, with a filter as wide as the reduction when shrinking."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return functional.interpolate(images, size=tuple(size), mode="bilinear", antialias=True)


def choose_device(name: Device) -> torch.device:
    """Return the device called ``name``; ``auto`` is CUDA where there is one, else the CPU.

    Raises:
        ValueError: No such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"--device is {name!r}: expected auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"--device is {name!r}, but PyTorch sees no CUDA device; try --device cpu")
    return device


def build_model(checkpoint: Checkpoint) -> Generator:
    """Build the model that ``checkpoint`` describes, fill it with its weights, and freeze it.

    Raises:
        CheckpointError: The description or the weights fit no model of this version.
    """
    try:
        model: Generator = _build(_weights_from_checkpoint(checkpoint.model))
        model.load_state_dict(dict(checkpoint.weights))
    except (TypeError, RuntimeError, KeyError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: does not fit this version of tooncolor ({_in_short(error)}); "
            "train again, or use the version that wrote it"
        ) from error
    return model.eval().requires_grad_(False)


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
        "description": json.dumps(checkpoint.description),
    }
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.weights.items()}
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
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return Checkpoint(
        path, json.loads(metadata["model"]), weights, json.loads(metadata["description"])
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
    prefix = "model."
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in content["state_dict"].items()
        if name.startswith(prefix)
    }
    return Checkpoint(path, description["config"]["model"], weights, description)


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
