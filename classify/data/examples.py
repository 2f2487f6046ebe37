"""Labelled pictures in memory, or on disk where they are too many."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO

import numpy as np
from jaxtyping import Int64, UInt8

MEMORY_LIMIT = 1 << 29  # bytes of pixels kept in memory; more go to an unnamed file on disk

Render = Callable[[UInt8[np.ndarray, "c h w"], int], UInt8[np.ndarray, "c h w"]]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Pictures, each with its class; some may be variants that are made when asked for.

    ``rows`` says which picture of ``pixels`` an example shows; several may show the same.
    ``variants`` is 0 for the picture itself, else the seed from which ``render`` varies it.
    ``names`` belong to ``pixels``; ``classes`` are the names of the labels 0, 1 ….
    """

    pixels: UInt8[np.ndarray, "m c h w"]
    names: Sequence[str]
    rows: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]
    variants: Int64[np.ndarray, " n"]
    classes: tuple[str, ...]
    render: Render | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def pictures(
        self, indices: Sequence[int] | Int64[np.ndarray, " b"]
    ) -> UInt8[np.ndarray, "b c h w"]:
        """Return the pictures ``b c h w`` of some examples."""
        pictures = np.array(self.pixels[self.rows[indices]])
        variants = self.variants[indices]
        for place in np.flatnonzero(variants).tolist():
            assert self.render is not None
            pictures[place] = self.render(pictures[place], int(variants[place]))
        return pictures

    def name(self, index: int) -> str:
        """Return the name of an example, with its variant if it is one."""
        variant = int(self.variants[index])
        return f"{self.names[self.rows[index]]}{f', variant {variant}' if variant else ''}"

    def take(self, indices: Sequence[int] | Int64[np.ndarray, " k"]) -> Examples:
        """Return some of the examples, in the order of ``indices``."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            rows=self.rows[chosen],
            labels=self.labels[chosen],
            variants=self.variants[chosen],
        )

    def counts(self) -> dict[str, int]:
        """Return how many examples each class has."""
        numbers = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, numbers.tolist(), strict=True))

    def fingerprints(self) -> list[str]:
        """Return a digest of the pixels that each example is, or is a variant of."""
        return [hashlib.sha256(self.pixels[row].tobytes()).hexdigest() for row in self.rows]

    def digest(self) -> str:
        """Return one digest of all examples with their labels, in order."""
        whole = hashlib.sha256(" ".join(self.classes).encode())
        for one, label, variant in zip(
            self.fingerprints(), self.labels, self.variants, strict=True
        ):
            whole.update(f"{one} {label} {variant}\n".encode())
        return whole.hexdigest()


class PixelStore:
    """Collect pictures of one shape; beyond :data:`MEMORY_LIMIT` they lie in a file on disk."""

    def __init__(self, shape: tuple[int, int, int], *, limit: int = MEMORY_LIMIT) -> None:
        self.shape = shape
        self.limit = limit
        self._parts: list[UInt8[np.ndarray, "c h w"]] = []
        self._count = 0
        self._file: IO[bytes] | None = None

    def add(self, picture: UInt8[np.ndarray, "c h w"]) -> None:
        """Append a picture."""
        assert picture.shape == self.shape
        self._parts.append(picture)
        self._count += 1
        if len(self._parts) * picture.nbytes > self.limit:
            self._spill()

    def finish(self) -> UInt8[np.ndarray, "m c h w"]:
        """Return all pictures, from memory or mapped from the file."""
        if self._file is None:
            return np.stack(self._parts) if self._parts else np.empty((0, *self.shape), np.uint8)
        self._spill()
        self._file.flush()
        with self._file:  # a map of it stays valid
            return np.memmap(self._file, np.uint8, "r", shape=(self._count, *self.shape))

    def _spill(self) -> None:
        self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - closed by finish
        for picture in self._parts:
            self._file.write(picture.tobytes())
        self._parts = []


def plain_examples(
    pixels: UInt8[np.ndarray, "m c h w"],
    *,
    labels: Sequence[int] | Int64[np.ndarray, " m"],
    names: Sequence[str],
    classes: Sequence[str],
) -> Examples:
    """Return one example per picture."""
    count = len(pixels)
    return Examples(
        pixels=pixels,
        names=names,
        rows=np.arange(count, dtype=np.int64),
        labels=np.asarray(labels, dtype=np.int64),
        variants=np.zeros(count, dtype=np.int64),
        classes=tuple(classes),
    )


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What was read: examples, the part each belongs to, and the files that were skipped.

    ``parts`` are "train", "val", "test", or "" where the data says nothing. ``skipped`` maps the
    names of unreadable files to the reason. ``label`` says in words what was read.
    """

    examples: Examples
    parts: Sequence[str]
    skipped: Mapping[str, str]
    label: str
