"""What a source is, as the page tells it: its length, rate, size and sound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import av

from colorize.media import open_source
from colorize.media.video.source import open_input


class Footage:
    """Facts of sources, each looked at once while its file stays as it is."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, int], dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path) -> dict[str, Any]:
        """Return ``frames``, ``rate`` (a second), ``seconds``, ``width``, ``height``, ``sound``.

        ``frames`` is None where the file does not tell it: ``seconds`` are those of its longest
        track then. Pictures have neither rate nor seconds. ``sound`` is a list of tracks in
        words, empty for a silent film.

        Raises:
            MediaError: It cannot be read.
        """
        key = (path, path.stat().st_mtime_ns)
        with self._lock:
            if key in self._known:
                return self._known[key]
        found = facts(path)
        with self._lock:
            self._known[key] = found
            while len(self._known) > 64:
                self._known.popitem(last=False)
        return found


def facts(path: Path) -> dict[str, Any]:
    """Return what :meth:`Footage.of` does."""
    with open_source(path) as source:
        (height, width), rate, count = source.size, source.rate, source.count
        seconds = float(count / rate) if rate and count else None
        sound: list[str] = []
        if source.kind == "video":
            length, sound = _tracks(path)
            seconds = length if seconds is None else seconds
        return {
            "frames": count,
            "rate": None if rate is None else float(rate),
            "seconds": seconds,
            "width": width,
            "height": height,
            "sound": sound,
        }


def _tracks(path: Path) -> tuple[float | None, list[str]]:
    """Return the seconds of a film, and its tracks of sound as ``aac, stereo, 48 kHz``."""
    with open_input(path) as container:
        seconds = None if container.duration is None else container.duration / av.time_base
        return seconds, [
            f"{stream.codec_context.name}, {stream.layout.name}, {stream.rate / 1000:g} kHz"
            for stream in container.streams.audio
            if stream.codec_context is not None
        ]
