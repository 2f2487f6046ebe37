"""The file of a film's part: encoded frames with their exact times, and a check of every byte.

No container of FFmpeg's own holds any tick, the duration of every frame and a checksum at once. All
numbers are little-endian::

    8 bytes    "toonpart"
    4 bytes    length of the header; then the header, JSON that says how the frames are encoded
    24 bytes   per frame, in decoding order: time and duration in ticks (8 bytes each), flags
               (1: key frame) and length (4 bytes each); then the encoded frame
    24 bytes   the end, laid out as a frame: 0, number of frames, flags of all ones, 0
    4 bytes    CRC-32 of all that precedes
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from av.packet import Packet

from colorize.base.files import PartFile
from colorize.media.error import MediaError, reason, writing

_MAGIC = b"toonpart"
_NUMBER = struct.Struct("<I")
_FRAME = struct.Struct("<qqII")
_KEY, _END = 1, 2**32 - 1


class PacketWriter:
    """A part under construction, which appears whole or not at all.

    Raises:
        MediaError: the file cannot be written.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self._path, self._count, self._check = path, 0, 0
        with writing(path):
            self._part = PartFile(path)
        try:
            text = json.dumps(header, sort_keys=True).encode()
            self._put(_MAGIC + _NUMBER.pack(len(text)) + text)
        except BaseException:
            self._part.abort()
            raise

    def _put(self, data: bytes) -> None:
        """Write and add to the check."""
        with writing(self._path):
            self._part.file.write(data)
        self._check = zlib.crc32(data, self._check)

    def write(self, packet: Packet) -> None:
        """Add an encoded frame."""
        assert packet.pts is not None, "an encoder gives every frame its time"
        flags = _KEY if packet.is_keyframe else 0
        self._put(_FRAME.pack(packet.pts, packet.duration or 0, flags, packet.size))
        self._put(bytes(packet))
        self._count += 1

    def commit(self) -> None:
        """Write the end and give the part its name."""
        self._put(_FRAME.pack(0, self._count, _END, 0))
        with writing(self._path):
            self._part.file.write(_NUMBER.pack(self._check))
            self._part.commit()

    def abort(self) -> None:
        """Remove what was written."""
        self._part.abort()


class PacketReader:
    """A part to be read, as often as wanted; ``header`` says how its frames are encoded.

    Raises:
        MediaError: missing, or not a part.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _reading(path) as content:
            self.header = content.header()

    def __iter__(self) -> Iterator[Packet]:
        """Yield the encoded frames in decoding order, with times and durations in ticks.

        Raises:
            MediaError: the part is damaged, which may show no sooner than at its end.
        """
        with _reading(self.path) as content:
            content.header()
            yield from content.packets()


@contextmanager
def _reading(path: Path) -> Iterator[_Content]:
    """Open a part, with errors of the disk as :class:`MediaError`."""
    try:
        with path.open("rb") as file:
            yield _Content(path, file)
    except OSError as error:
        remedy = "delete this part and run again"
        raise MediaError(f"cannot read {path}: {reason(error)}; {remedy}") from error


class _Content:
    """The content of a part, read from front to end."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file, self._check = path, file, 0
        self._left = path.stat().st_size

    def _take(self, count: int) -> bytes:
        """Return the next ``count`` bytes; a damaged length must not ask for more than there is."""
        data = self._file.read(count) if count <= self._left else b""
        if len(data) < count:
            raise self._damaged("it ends too early")
        self._left -= count
        self._check = zlib.crc32(data, self._check)
        return data

    def header(self) -> dict[str, Any]:
        """Read the header."""
        if self._file.peek(8)[:8] != _MAGIC:  # type: ignore[attr-defined]
            raise MediaError(
                f"{self._path} is not a part of a film; delete this part and run again"
            )
        self._take(8)
        (length,) = _NUMBER.unpack(self._take(4))
        text = self._take(length)
        try:
            header: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise self._damaged("its header is unreadable") from error
        return header

    def packets(self) -> Iterator[Packet]:
        """Read the frames and check that they are whole."""
        for count in range(2**32):
            time, duration, flags, size = _FRAME.unpack(self._take(_FRAME.size))
            if flags == _END:
                self._check_end(complete=duration == count)
                return
            packet = Packet(self._take(size))
            packet.pts, packet.duration, packet.is_keyframe = time, duration, flags == _KEY
            yield packet

    def _check_end(self, *, complete: bool) -> None:
        """Raise if anything differs from what was written."""
        check = self._check
        if _NUMBER.unpack(self._take(4)) != (check,) or self._left or not complete:
            raise self._damaged("its checksum does not fit")

    def _damaged(self, why: str) -> MediaError:
        return MediaError(f"{self._path} is damaged: {why}; delete this part and run again")
