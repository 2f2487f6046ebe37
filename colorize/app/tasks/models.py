"""The networks that a worker holds: the last ones that were asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from classify.predict import Classifier
from colorize.inference.loaded import LoadedNetworks
from colorize.media import fingerprint

T = TypeVar("T")


class Models:
    """Loads networks, and keeps the last colorizer and the last classifier for the next request.

    Checkpoints are read by the packages' own loaders, which execute nothing in them.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[object, ...], Any]] = {}

    def kept(self, name: str, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what was made for the last request of a name and the same key, or make it."""
        if name not in self._kept or self._kept[name][0] != key:
            self._kept.pop(name, None)  # two networks at a time may be too much for the memory
            self._kept[name] = key, make()
        return cast(T, self._kept[name][1])

    def colorizer(self, path: Path, *, device: str, short_side: int | None) -> LoadedNetworks:
        """Return a colorizer.

        Raises:
            CheckpointError: The file holds none.
        """
        key = (*_state(path), device, short_side)
        load = partial(LoadedNetworks.load, path, device=device, short_side=short_side)
        return self.kept("colorizer", key, load)

    def classifier(self, path: Path, *, device: str) -> Classifier:
        """Return a classifier.

        Raises:
            CheckpointError: The file holds none.
        """
        key = (*_state(path), device)
        return self.kept("classifier", key, partial(Classifier.load, path, device=device))


def _state(path: Path) -> tuple[object, ...]:
    """Return what tells one state of a file from another; its loader refuses a missing one."""
    return path, fingerprint(path) if path.is_file() else None
