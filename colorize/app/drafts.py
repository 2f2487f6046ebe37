"""What drafts of painted frames go by: what is kept of a film, and what serves a frame."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from colorize.app.error import PageError
from colorize.films.plan.manifest import AUTO, Manifest, Reference, Shot

T = TypeVar("T")


class Kept:
    """Frames that are painted, and their regions: the last ones that were looked at."""

    def __init__(self, *, most: int = 24) -> None:
        self._most, self._lock = most, threading.Lock()
        self._known: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def get(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return what is kept by a key, or make it."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return cast(T, self._known[key])
        made = make()
        with self._lock:
            self._known[key] = made
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


def state_of(reference: Reference) -> str:
    """Return what tells one state of a reference from another: that of its file, if it is one."""
    path = Path(reference.path)
    if not path.is_file():
        return reference.digest
    state = path.stat()
    return f"{state.st_mtime_ns}-{state.st_size}"


def draft_key(request: Mapping[str, Any], most: int) -> str:
    """Return what the draft of a frame depends on: of what is painted, the nearest ``most``.

    What is left open in one of these is painted by what is beside it too: then all count.
    """
    number = request["frame"]
    layers = [
        (abs(each["frame"] - number), each["frame"], each["key"]) for each in request["layers"]
    ]
    pictures = [
        (
            math.inf if each["frame"] is None else abs(each["frame"] - number),
            each["name"],
            each["digest"],
        )
        for each in request["references"]
    ]
    nearest = sorted([*layers, *pictures], key=lambda each: each[0])[:most]
    if any(each in layers for each in nearest):
        nearest = sorted([*layers, *pictures], key=str)
    looks = [request[name] for name in ("source", "checkpoint", "settings", "short_side")]
    return hashlib.blake2b(repr((looks, nearest)).encode(), digest_size=12).hexdigest()


def shot_of(manifest: Manifest, number: int) -> Shot:
    """Return the shot of a frame."""
    for shot in manifest.shots:
        if shot.start <= number < shot.stop:
            return shot
    raise PageError(f"there is no frame {number}", status=404)


def with_paint(manifest: Manifest, name: str, path: Path, frame: int | None) -> Manifest:
    """Return the manifest with a reference that shows a frame, or without it.

    It serves the shot of its frame; the next run looks which others it serves.
    """
    references = tuple(each for each in manifest.references if each.name != name)
    shots = [
        replace(
            shot if shot.references == AUTO else shot.without_reference(name),
            auto_references=tuple(each for each in shot.auto_references if each != name),
        )
        for shot in manifest.shots
    ]
    if frame is not None:
        references = (*references, Reference(name, str(path), "", frame))
        shots = [
            replace(shot, auto_references=(*shot.auto_references, name))
            if shot.start <= frame < shot.stop
            else shot
            for shot in shots
        ]
    return replace(manifest, shots=tuple(shots), references=references)
