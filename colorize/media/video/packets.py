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
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from av.packet import Packet

from colorize.base.files import write_atomically
from colorize.media.error import MediaError, reason, writing

_MAGIC = b"toonpart"
_NUMBER = struct.Struct("<I")
_FRAME = struct.Struct("<qqII")
_KEY, _END = 1, 2**32 - 1
_REMEDY = "delete this part and run again"


def write_packets(path: Path, header: dict[str, Any], packets: Sequence[Packet]) -> None:
    """Write the encoded frames of a part, which appears whole or not at all.

    Raises:
        MediaError: the file cannot be written.
    """
    text = json.dumps(header, sort_keys=True).encode()
    content = [_MAGIC, _NUMBER.pack(len(text)), text]
    for packet in packets:
        assert packet.pts is not None, "an encoder gives every frame its time"
        flags = _KEY if packet.is_keyframe else 0
        content.append(_FRAME.pack(packet.pts, packet.duration or 0, flags, packet.size))
        content.append(bytes(packet))
    whole = b"".join([*content, _FRAME.pack(0, len(packets), _END, 0)])
    with writing(path):
        write_atomically(path, whole + _NUMBER.pack(zlib.crc32(whole)))


class PacketReader:
    """A part to be read, as often as wanted; ``header`` says how its frames are encoded.

    Raises:
        MediaError: missing, or not a part.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header, _ = self._opened()

    def __iter__(self) -> Iterator[Packet]:
        """Yield the encoded frames in decoding order, with times and durations in ticks.

        Raises:
            MediaError: the part is damaged, which may show no sooner than at its end.
        """
        _, content = self._opened()
        for count in range(2**32):
            time, duration, flags, size = _FRAME.unpack(self._take(content, _FRAME.size))
            if flags == _END:
                self._check_end(content, complete=duration == count)
                return
            packet = Packet(self._take(content, size))
            packet.pts, packet.duration, packet.is_keyframe = time, duration, flags == _KEY
            yield packet

    def _opened(self) -> tuple[dict[str, Any], BytesIO]:
        """Return the header, and the content where the frames begin."""
        try:
            content = BytesIO(self.path.read_bytes())
        except OSError as error:
            raise MediaError(f"cannot read {self.path}: {reason(error)}; {_REMEDY}") from error
        if content.read(len(_MAGIC)) != _MAGIC:
            raise MediaError(f"{self.path} is not a part of a film; {_REMEDY}")
        (length,) = _NUMBER.unpack(self._take(content, _NUMBER.size))
        text = self._take(content, length)
        try:
            return json.loads(text), content
        except ValueError as error:
            raise self._damaged("its header is unreadable") from error

    def _take(self, content: BytesIO, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        data = content.read(count)
        if len(data) < count:
            raise self._damaged("it ends too early")
        return data

    def _check_end(self, content: BytesIO, *, complete: bool) -> None:
        """Raise if anything differs from what was written."""
        check = _NUMBER.pack(zlib.crc32(content.getbuffer()[: content.tell()]))
        if self._take(content, _NUMBER.size) != check or content.read() or not complete:
            raise self._damaged("its checksum does not fit")

    def _damaged(self, why: str) -> MediaError:
        return MediaError(f"{self.path} is damaged: {why}; {_REMEDY}")
