"""Classify pictures with a trained checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8

from classify.checkpoints import Checkpoint, build_network, load_checkpoint
from classify.data import Examples
from classify.preprocessing import PICTURE_SUFFIXES, PictureError, to_unit
from colorize.base.devices import choose_device
from colorize.base.errors import UserError
from colorize.base.pieces import pieces


@dataclass(frozen=True)
class Prediction:
    """What is said of a file: a probability per class, or why it cannot be read."""

    path: Path
    probabilities: Float[np.ndarray, " k"] | None
    problem: str = ""


class Classifier:
    """A trained network with its class names and preprocessing.

    ``mirror`` averages the probabilities of each picture and of its mirror image: for things that
    look alike both ways round, such as faces, at twice the time.
    """

    def __init__(
        self, checkpoint: Checkpoint, *, device: str = "auto", mirror: bool = False
    ) -> None:
        self.checkpoint = checkpoint
        self.mirror = mirror
        self.classes = checkpoint.classes
        self.preprocessing = checkpoint.preprocessing()
        self.device = choose_device(device)
        self.network = build_network(checkpoint).to(self.device)

    @classmethod
    def load(cls, path: str | Path, *, device: str = "auto", mirror: bool = False) -> Classifier:
        """Load a checkpoint file.

        Raises:
            CheckpointError: The file is missing, damaged, or no checkpoint of a classifier.
        """
        return cls(load_checkpoint(path), device=device, mirror=mirror)

    @torch.inference_mode()
    def probabilities(self, pictures: UInt8[np.ndarray, "b c h w"]) -> Float[np.ndarray, "b k"]:
        """Return the probability of every class for pictures that are preprocessed already."""
        seen = to_unit(torch.from_numpy(pictures).to(self.device))
        found = torch.softmax(self.network(seen).float(), dim=1)
        if self.mirror:
            found = (found + torch.softmax(self.network(seen.flip(-1)).float(), dim=1)) / 2
        return found.cpu().numpy()

    def measure(self, examples: Examples, *, batch_size: int = 64) -> Float[np.ndarray, "n k"]:
        """Return the probabilities of all examples."""
        batches = [
            self.probabilities(examples.pictures(list(piece)))
            for piece in pieces(0, len(examples), batch_size)
        ]
        return np.concatenate(batches)

    def files(self, paths: Iterable[Path], *, batch_size: int = 16) -> Iterator[Prediction]:
        """Yield what each file shows, in order; unreadable files say why."""
        waiting: list[tuple[Path, UInt8[np.ndarray, "c h w"] | str]] = []
        for path in paths:
            waiting.append((path, self._read(path)))
            if len(waiting) == batch_size:
                yield from self._predict(waiting)
                waiting = []
        yield from self._predict(waiting)

    def _read(self, path: Path) -> UInt8[np.ndarray, "c h w"] | str:
        try:
            return self.preprocessing.of_file(path.read_bytes(), str(path))
        except PictureError as error:
            return str(error)
        except OSError as error:
            return f"{path}: {error.strerror}"

    def _predict(
        self, files: Sequence[tuple[Path, UInt8[np.ndarray, "c h w"] | str]]
    ) -> list[Prediction]:
        pictures = [planes for _, planes in files if not isinstance(planes, str)]
        rows = iter(self.probabilities(np.stack(pictures)) if pictures else ())
        return [
            Prediction(path, None, planes)
            if isinstance(planes, str)
            else Prediction(path, next(rows))
            for path, planes in files
        ]


def picture_paths(paths: Sequence[Path]) -> list[Path]:
    """Return files as they are and, for folders, the pictures in them and below, sorted.

    Raises:
        ValueError: A path does not exist, or there is no picture at all.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"{path} does not exist; check the path")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [
            file
            for file in inside
            if not path.is_dir() or (file.suffix.lower() in PICTURE_SUFFIXES and file.is_file())
        ]
    if not found:
        known = " ".join(sorted(PICTURE_SUFFIXES))
        raise UserError(f"{paths[0]} holds no pictures; known are {known}")
    return found
