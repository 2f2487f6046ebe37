"""Recognise every frame of a source again by its content, without reading unchanged files twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from colorize.files import write_atomically
from colorize.media import MediaError, Source, fingerprint
from colorize.media.error import reason
from colorize.media.folder import picture_files

_Noted = tuple[int, int, str]  # size, time of change in nanoseconds, digest


@dataclass(frozen=True)
class Digests:
    """A digest per frame: of its file's name and content, or of the film and its place in it."""

    frames: Sequence[str] | None
    film: str = ""

    def of(self, start: int, stop: int) -> str:
        """Return the digest of frames ``start <= index < stop`` (64 hexadecimal digits)."""
        own = f"{self.film} {start} {stop}" if self.frames is None else self.frames[start:stop]
        return digest_of(own)

    @property
    def whole(self) -> str:
        """The digest of the whole source."""
        return self.film if self.frames is None else digest_of(self.frames)


def digest_of(value: object) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def take_digests(source: Source, *, cache: Path | None = None) -> Digests:
    """Return the digests of all frames of ``source``.

    ``cache`` keeps what was read: a file whose size and time of change are as they were is not read
    again.

    Raises:
        MediaError: A file cannot be read.
    """
    if source.kind == "video":
        return Digests(None, fingerprint(source.path))
    known = _read_cache(cache)
    files = picture_files(source.path) if source.kind == "folder" else [source.path]
    found = {file.name: _note(file, known.get(file.name)) for file in files}
    if cache is not None and found != known:
        write_atomically(cache, json.dumps(found).encode())
    return _of_files(found)


def noted_digests(cache: Path) -> Digests | None:
    """Return the digests of a folder's frames as an earlier run noted them; None if it did not."""
    known = _read_cache(cache)
    return _of_files(known) if known else None


def _of_files(noted: Mapping[str, _Noted]) -> Digests:
    return Digests([f"{name} {digest}" for name, (_, _, digest) in noted.items()])


def _note(path: Path, known: _Noted | None) -> _Noted:
    """Return size, time of change and digest of a file."""
    try:
        state = path.stat()
        if known is not None and known[:2] == (state.st_size, state.st_mtime_ns):
            return known
        return state.st_size, state.st_mtime_ns, fingerprint(path)
    except OSError as error:
        raise MediaError(f"cannot read {path}: {reason(error)}; check the path") from error


def _read_cache(cache: Path | None) -> dict[str, _Noted]:
    """Return what an earlier run noted; a damaged note is no loss, it is made anew."""
    if cache is None or not cache.is_file():
        return {}
    try:
        noted = json.loads(cache.read_bytes())
        return {name: (int(a), int(b), str(c)) for name, (a, b, c) in noted.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
