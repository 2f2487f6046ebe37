"""Tell a cut-off film from a whole one by the sizes that its own container announces.

FFmpeg reads a cut-off film to where it ends and reports no error, so the loss would show only as
missing frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_ISO_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot"})
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


def announced_size(path: Path) -> int:
    """Return the bytes that the outermost structure announces; 0 where it announces none.

    Source: ISO/IEC 14496-12, 4.2 (MP4, MOV); RFC 8794, 4 and 6 (Matroska, WebM); the RIFF header
    (AVI).
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        if head[:4] == b"RIFF" and head[8:] == b"AVI ":
            return 8 + int.from_bytes(head[4:8], "little")
        if head[:4] == _EBML:
            return _matroska_size(file)
        if head[4:8] in _ISO_BOXES:
            return _boxes_size(file, size)
    return 0


def _boxes_size(file: BinaryIO, size: int) -> int:
    """Walk the top-level boxes and return where the last of them ends."""
    position = 0
    while position < size:
        file.seek(position)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: up to the end of the file; else damaged or padding
            return position
        position += length
    return position


def _matroska_size(file: BinaryIO) -> int:
    """Return where the Segment ends; 0 for a stream of unknown length."""
    file.seek(4)
    header = _element_length(file)
    if header is None:
        return 0
    file.seek(header, 1)
    if file.read(4) != _SEGMENT:
        return 0
    length = _element_length(file)
    return 0 if length is None else file.tell() + length


def _element_length(file: BinaryIO) -> int | None:
    """Read an EBML length: the leading zeros of its first byte tell how many bytes follow."""
    first = int.from_bytes(file.read(1), "big")
    if first == 0:
        return None
    following = 8 - first.bit_length()
    value = int.from_bytes(bytes([first]) + file.read(following), "big")
    mask = (1 << (7 * (following + 1))) - 1
    return None if value & mask == mask else value & mask
