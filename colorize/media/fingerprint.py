"""Recognise a source again by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from colorize.media.error import MediaError, reason
from colorize.media.pictures.folder import picture_files

_MIB = 1 << 20
_WHOLE = 64 * _MIB


def fingerprint(path: str | Path) -> str:
    """Return a SHA-256 (64 hexadecimal digits) of a file, or of a folder's pictures and names.

    A file below 64 MiB counts whole, a larger one by its size and its first and last MiB.

    Raises:
        MediaError: the path cannot be read.
    """
    path = Path(path)
    digest = hashlib.sha256()
    try:
        if path.is_dir():
            for file in picture_files(path):
                digest.update(file.name.encode("utf-8", "surrogateescape") + b"\0")
                digest.update(_file_digest(file))
        else:
            digest.update(_file_digest(path))
    except OSError as error:
        raise MediaError(f"cannot read {path}: {reason(error)}; check the path") from error
    return digest.hexdigest()


def _file_digest(path: Path) -> bytes:
    """Return the digest of one file's size and content."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode() + b"\0")
    with path.open("rb") as file:
        if size < _WHOLE:
            while block := file.read(_MIB):
                digest.update(block)
        else:
            digest.update(file.read(_MIB))
            file.seek(-_MIB, 2)
            digest.update(file.read(_MIB))
    return digest.digest()
