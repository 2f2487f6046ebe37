"""Find checkpoints below the page's folders, and tell what each is for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Literal, TypeAlias

from classify.checkpoints import FORMAT as CLASSIFIER
from colorize.app.roots import Roots
from colorize.inference.checkpoints import FORMATS as COLORIZERS
from colorize.inference.checkpoints import takes
from colorize.inference.shipped import shipped_names, weights_path
from colorize.networks import registry

Purpose: TypeAlias = Literal["colour", "classify", "unknown"]

_DEEPEST, _MOST = 5, 20_000  # levels of folders, and entries, that are looked at


@dataclass(frozen=True)
class Weights:
    """A checkpoint as the page writes it; ``title`` is the name of its run.

    ``references`` says whether it takes coloured frames, ``outputs`` how many colourings it has:
    None where only loading it would tell.
    """

    path: str
    title: str
    purpose: Purpose
    classes: tuple[str, ...] = ()
    target: str | None = None
    references: bool | None = None
    outputs: int | None = None


def find_weights(roots: Roots) -> list[Weights]:
    """Return the weights that come with the package, then the checkpoints below all roots."""
    shipped = [
        Weights(
            name,
            f"{name}, which comes with tooncolor",
            "colour",
            references=_guided(path),
            outputs=_outputs(read_metadata(path)),
        )
        for name in shipped_names()
        for path in (weights_path(name),)
    ]
    found = [
        _weights(path, roots)
        for name in roots.names
        for path in _files(roots.path(name))
        if path.suffix in (".safetensors", ".ckpt")
    ]
    mine = [each for each in found if each is not None]
    return shipped + sorted(mine, key=lambda each: (each.path.endswith(".ckpt"), each.path))


def weights_file(text: str, roots: Roots) -> Path:
    """Return the file that a checkpoint of the page means: a path, or the name of shipped weights.

    Raises:
        PageError: There is none.
    """
    return weights_path(text) if text in shipped_names() else roots.existing(text)


def refuses_references(path: Path) -> bool:
    """Return whether a checkpoint is known to take no references."""
    return path.suffix == ".safetensors" and not _guided(path)


def _guided(path: Path) -> bool:
    """Return whether the network of an exported checkpoint is guided by references."""
    try:
        return "references" in takes(json.loads(read_metadata(path)["model"]))
    except (KeyError, ValueError):
        return False  # loading it will say what it is


def _outputs(metadata: Mapping[str, str]) -> int | None:
    """Return how many colourings the network of an exported checkpoint has."""
    try:
        node = registry.named(json.loads(metadata["model"]))
        network = registry.component(node["name"])
    except (KeyError, ValueError):
        return None  # loading it will say what it is
    always = getattr(network, "outputs", None)
    unset = signature(network).parameters.get("outputs")
    outputs = always or node.get("outputs", unset and unset.default)
    return outputs if isinstance(outputs, int) else None


def _files(folder: Path) -> Iterator[Path]:
    """Yield files in a folder and below; no hidden ones, and links are not followed."""
    seen = 0
    for place, folders, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if f[0] != ".") if depth < _DEEPEST else []
        seen += len(files)
        if seen > _MOST:
            return
        yield from (Path(place) / name for name in sorted(files) if name[0] != ".")


def _weights(path: Path, roots: Roots) -> Weights | None:
    """Return what a file is, by its head alone; None if it is no checkpoint of ours."""
    shown = roots.show(path)
    title = _title(shown)
    if path.suffix == ".ckpt":
        return Weights(shown, title, "unknown")
    metadata = read_metadata(path)
    match metadata.get("format"):
        case str(form) if form in COLORIZERS:
            outputs = _outputs(metadata)
            return Weights(shown, title, "colour", references=_guided(path), outputs=outputs)
        case str(form) if form == CLASSIFIER:
            about = json.loads(metadata["description"])
            classes = tuple(str(each) for each in about["classes"])
            return Weights(shown, title, "classify", classes, about["config"].get("target"))
        case _:
            return None


def _title(shown: str) -> str:
    """Return the name of a checkpoint: that of its run, or of its file where that says more."""
    *folders, name = shown.removesuffix(".safetensors").split("/")
    run = [folder for folder in folders if folder != "checkpoints"][-1]
    match name:
        case "model":
            return run
        case "last.ckpt" | "best.ckpt":
            return f"{run} ({name.removesuffix('.ckpt')})"
        case _:
            return name


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file; nothing of one that is damaged.

    Source: the format's description: 8 bytes of length, then a header of JSON.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > 10**7:
                return {}
            metadata = json.loads(file.read(length)).get("__metadata__", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return metadata if isinstance(metadata, dict) else {}
