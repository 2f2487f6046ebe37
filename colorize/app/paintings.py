"""What is painted in the frames of a job: a layer for each, and one palette for all of them.

It lies in the job's folder ``painting``: ``000012.png`` is the layer of frame 12,
``palette.json`` the palette, ``suggestions.json`` which frames to paint, ``accepted.json`` of which
paint the references of the job were made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from colorize.app.error import PageError
from colorize.base.files import write_atomically
from colorize.films.painting.layer import Layer, layer_png, read_layer
from colorize.films.painting.palette import Palette, read_palette

MOST_PIXELS = 10 * 10**6  # of a frame that is painted in a browser
_MOST = 1000  # frames of a job that can be painted
_NOTHING = ""  # the version of what is not there


@dataclass(frozen=True)
class Painted:
    """A frame that is painted.

    ``version`` tells one layer from another, ``key`` also one look of its colours from another.
    ``accepted`` says whether the job follows it as it is.
    """

    frame: int
    version: str
    key: str
    accepted: bool
    swatches: tuple[int, ...]


class Paintings:
    """The paint of a job, in a folder that need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def palette_path(self) -> Path:
        """Where the palette lies."""
        return self.folder / "palette.json"

    def path(self, frame: int) -> Path:
        """Return where the layer of a frame lies."""
        return self.folder / f"{frame:06d}.png"

    def palette(self) -> tuple[Palette, str]:
        """Return the palette and its version.

        Raises:
            UserError: It is damaged.
        """
        if not self.palette_path.is_file():
            return Palette(), _NOTHING
        return read_palette(self.palette_path), _digest(self.palette_path.read_bytes())

    def set_palette(self, palette: Palette, *, version: str) -> str:
        """Keep a palette that was made of the one of a ``version``; return its own.

        Raises:
            PageError: Somebody changed it meanwhile.
        """
        _, now = self.palette()
        _check(version, now, "the palette")
        palette.write(self.palette_path)
        return self.palette()[1]

    def all(self) -> list[Painted]:
        """Return what is painted, in order."""
        if not self.folder.is_dir():
            return []
        files = sorted(path for path in self.folder.glob("*.png") if path.stem.isdecimal())
        palette, accepted = self.palette()[0], self._accepted()
        return [self._of(int(path.stem), palette, accepted) for path in files]

    def of(self, frame: int) -> Painted:
        """Return what is known of the paint of a frame."""
        return self._of(frame, self.palette()[0], self._accepted())

    def _of(self, frame: int, palette: Palette, accepted: Mapping[str, str]) -> Painted:
        content = self.path(frame).read_bytes()
        swatches = tuple(int(each) for each in np.unique(read_layer(self.path(frame))) if each)
        colors = {each.id: each.color for each in palette.swatches}
        version = _digest(content)
        key = _digest(f"{version} {[colors.get(each) for each in swatches]}".encode())
        return Painted(frame, version, key, accepted.get(str(frame)) == key, swatches)

    def layer(self, frame: int, size: tuple[int, int]) -> tuple[Layer, str]:
        """Return the layer of a frame of a size (height, width), and its version.

        Raises:
            UserError: It is damaged.
            PageError: It has another size.
        """
        path = self.path(frame)
        if not path.is_file():
            return np.zeros(size, np.uint16), _NOTHING
        layer = read_layer(path)
        if layer.shape != size:
            raise PageError(
                f"frame {frame} was painted at {layer.shape[1]}×{layer.shape[0]} pixels and has "
                f"{size[1]}×{size[0]} now: the film is another one"
            )
        return layer, _digest(path.read_bytes())

    def keep(self, frame: int, layer: Layer, *, version: str) -> str:
        """Keep a layer that was made of the one of a ``version``; return its own, or "" if empty.

        Raises:
            PageError: Somebody changed it meanwhile, or too many frames are painted.
        """
        path = self.path(frame)
        there = path.is_file()
        _check(version, _digest(path.read_bytes()) if there else _NOTHING, f"frame {frame}")
        if not layer.any():
            path.unlink(missing_ok=True)
            return _NOTHING
        if not there and len(self.all()) >= _MOST:
            raise PageError(f"{_MOST} frames are painted: more than a film needs", status=413)
        content = layer_png(layer)
        write_atomically(path, content)
        return _digest(content)

    def accept(self, frame: int, *, key: str | None) -> None:
        """Remember that the job follows the paint of a ``key``, or none of this frame any more."""
        known = self._accepted()
        known.pop(str(frame), None)
        if key is not None:
            known[str(frame)] = key
        self._write("accepted.json", known)

    def followed(self) -> set[int]:
        """Return the frames whose paint, as it is or was, the job follows."""
        return {int(each) for each in self._accepted()}

    def suggestions(self) -> list[dict[str, Any]]:
        """Return the frames that were suggested, the most useful first."""
        found = self._read("suggestions.json", [])
        return found if isinstance(found, list) else []

    def suggest(self, suggestions: list[dict[str, Any]]) -> None:
        """Keep suggestions."""
        self._write("suggestions.json", suggestions)

    def _accepted(self) -> dict[str, str]:
        found = self._read("accepted.json", {})
        return found if isinstance(found, dict) else {}

    def _read(self, name: str, default: Any) -> Any:
        try:
            return json.loads((self.folder / name).read_bytes())
        except (OSError, ValueError):
            return default

    def _write(self, name: str, content: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / name, json.dumps(content, indent=1).encode())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def _check(given: str, now: str, what: str) -> None:
    """Refuse a change of something that somebody else changed."""
    if given != now:
        raise PageError(
            f"{what} was changed in another tab or window; look at it anew before you change it",
            status=412,
        )
