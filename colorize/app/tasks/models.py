"""The networks that a worker holds: the last ones that were asked for."""

from __future__ import annotations

from collections.abc import Callable
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
        self._colorizer: tuple[tuple[object, ...], LoadedNetworks] | None = None
        self._classifier: tuple[tuple[object, ...], Classifier] | None = None
        self._kept: dict[str, tuple[tuple[object, ...], Any]] = {}

    def kept(self, name: str, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what was made for the last request of a name and the same key, or make it."""
        if name not in self._kept or self._kept[name][0] != key:
            self._kept.pop(name, None)
            self._kept[name] = key, make()
        return cast(T, self._kept[name][1])

    def colorizer(self, path: Path, *, device: str, short_side: int | None) -> LoadedNetworks:
        """Return a colorizer.

        Raises:
            CheckpointError: The file holds none.
        """
        key = (*_state(path), device, short_side)
        if self._colorizer is None or self._colorizer[0] != key:
            self._colorizer = None  # two at a time may be too much for the memory
            self._colorizer = key, LoadedNetworks.load(path, device=device, short_side=short_side)
        return self._colorizer[1]

    def classifier(self, path: Path, *, device: str) -> Classifier:
        """Return a classifier.

        Raises:
            CheckpointError: The file holds none.
        """
        key = (*_state(path), device)
        if self._classifier is None or self._classifier[0] != key:
            self._classifier = None
            self._classifier = key, Classifier.load(path, device=device)
        return self._classifier[1]


def _state(path: Path) -> tuple[object, ...]:
    """Return what tells one state of a file from another; its loader refuses a missing one."""
    return path, fingerprint(path) if path.is_file() else None
