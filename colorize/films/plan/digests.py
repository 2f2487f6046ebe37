"""Recognise every frame of a source again by its content, without reading unchanged files twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from colorize.base.files import write_atomically
from colorize.media import MediaError, Source, fingerprint
from colorize.media.error import reason
from colorize.media.pictures.folder import picture_files

_Noted = tuple[int, int, str]  # size, time of change in nanoseconds, digest


@dataclass(frozen=True)
class Digests:
    """A digest per frame: of its file's name and content, or of the film and its place in it.

    ``files`` are those of a folder or a picture, in the order of the frames; None for a ``film``.
    """

    files: Mapping[str, _Noted] | None
    film: str = ""

    def of(self, start: int, stop: int) -> str:
        """Return the digest of frames ``start <= index < stop`` (64 hexadecimal digits)."""
        return next(self.growing(start, [stop]))

    def growing(self, start: int, stops: Iterable[int]) -> Iterator[str]:
        """Yield what :meth:`of` gives from ``start`` to each of rising ``stops``, in one pass."""
        if self.files is None:
            yield from (digest_of([self.film, start, stop]) for stop in stops)
            return
        # digest_of hashes a list as JSON: what precedes an entry never changes.
        so_far, position = hashlib.sha256(b"["), start
        for stop in stops:
            entries = b", ".join(self._entries[position:stop])
            so_far.update(b", " + entries if start < position < stop else entries)
            position = max(position, stop)
            whole = so_far.copy()
            whole.update(b"]")
            yield whole.hexdigest()

    @cached_property
    def whole(self) -> str:
        """The digest of the whole source."""
        return self.film if self.files is None else self.of(0, len(self.files))

    def note(self, path: Path) -> None:
        """Write down what was read, for :func:`take_digests` of a later run."""
        if self.files is not None:
            write_atomically(path, json.dumps(dict(self.files)).encode())

    @cached_property
    def _entries(self) -> list[bytes]:
        """What stands for each file, as JSON."""
        files = (self.files or {}).items()
        return [json.dumps([name, digest]).encode() for name, (_, _, digest) in files]


def digest_of(value: object) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def take_digests(source: Source, *, noted: Digests | None = None) -> Digests:
    """Return the digests of all frames of ``source``.

    A file whose size and time of change are as ``noted`` is not read again.

    Raises:
        MediaError: A file cannot be read.
    """
    if source.kind == "video":
        return Digests(None, fingerprint(source.path))
    known = (noted and noted.files) or {}
    files = picture_files(source.path) if source.kind == "folder" else [source.path]
    return Digests({file.name: _note(file, known.get(file.name)) for file in files})


def noted_digests(path: Path) -> Digests | None:
    """Return what an earlier run noted; None if nothing, or damaged: it is read anew."""
    try:
        noted = json.loads(path.read_bytes())
        files = {name: (int(a), int(b), str(c)) for name, (a, b, c) in noted.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return Digests(files) if files else None


def _note(path: Path, known: _Noted | None) -> _Noted:
    """Return size, time of change and digest of a file."""
    try:
        state = path.stat()
        if known is not None and known[:2] == (state.st_size, state.st_mtime_ns):
            return known
        return state.st_size, state.st_mtime_ns, fingerprint(path)
    except OSError as error:
        raise MediaError(f"cannot read {path}: {reason(error)}; check the path") from error
