"""Notice that some of a film is lost: cut off, by its size, or damaged, while it is read.

FFmpeg reads a cut-off film to where it ends and reports no error, so the loss would show only as
missing frames.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from colorize.media.error import MediaError
from colorize.media.video.formats import is_broadcast

_ISO_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot"})
# What may follow when a film is complete, and is part of it.
_LATER_BOXES = _ISO_BOXES | {b"moof", b"mfra", b"sidx", b"ssix", b"emsg", b"prft", b"uuid", b"meta"}
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


class Reading:
    """What has been read of a film, to tell a loss of frames and to word it."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        self._path = path
        self._indexed = len(stream.index_entries)
        # Only Matroska and AVI lose the rest of a film at a damaged place without an error.
        self._has_length = container.format.name.startswith(("matroska", "avi"))
        self._length = Fraction(container.duration or 0, av.time_base)
        self._end, self._packets, self._keyed = Fraction(0), 0, False
        self._goes_on, self._holes = is_broadcast(container), list[Fraction]()
        self.frames = 0

    def see(self, packet: Any, stream: VideoStream) -> None:
        """Note a packet of any stream."""
        if packet.size == 0:
            return
        if packet.pts is not None:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self._end = max(self._end, end)
        if packet.stream is stream:
            self._packets += 1
            if packet.is_corrupt and self._keyed:
                if not self._goes_on:
                    raise self.failure("a packet is damaged")
                self._note_hole()

    def decode(self, packet: Any) -> list[VideoFrame]:
        """Decode a packet; before the first key frame an undecodable one is no loss."""
        try:
            return packet.decode()
        except av.FFmpegError:
            if (self._keyed or packet.is_keyframe) and not self._goes_on:
                raise
            if self._keyed:
                self._note_hole()
            return []
        finally:
            self._keyed = self._keyed or packet.is_keyframe

    def check_end(self) -> None:
        """Raise if the film ended before the end that its container announces."""
        # The last packet of sound may keep silent about its length, a tenth of a second or so.
        slack = max(Fraction(1, 5), min(Fraction(2), self._length / 10))
        if self._packets < self._indexed:
            raise self.failure(f"{self._packets} of {self._indexed} video packets are there")
        if self._has_length and self._end < self._length - slack:
            found, announced = float(self._end), float(self._length)
            raise self.failure(f"it ends at {found:.2f} s instead of {announced:.2f} s")

    def notes(self) -> list[str]:
        """Say where the reception of an MPEG stream failed."""
        if not self._holes:
            return []
        first = f"{float(self._holes[0]):.2f} s"
        where = first if len(self._holes) == 1 else f"{len(self._holes)} places, first at {first}"
        return [f"has lost data at {where}: frames there may be missing or come out damaged"]

    def _note_hole(self) -> None:
        """Note where data is missing; what is closer than a second is one place."""
        if not self._holes or self._end - self._holes[-1] > 1:
            self._holes.append(self._end)

    def failure(self, why: str) -> MediaError:
        """Return the error that tells how far reading came."""
        return MediaError(
            f"{self._path} is damaged: {self.frames} frames were read, then {why}; "
            f"{rescue(self._path)}"
        )


def rescue(path: Path) -> str:
    """Return what can be done for a film of which a part is lost.

    Without its index, which most programs write at the end, no part of an MP4 can be read. AVI has
    no times, so that Matroska does not take its packets as they are.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in _ISO_BOXES and b"moov" not in _box_kinds(file, path.stat().st_size):
            return "copy it again: its index, which stands at its end, is lost"
    suffix = "avi" if head[:4] == b"RIFF" else "mkv"
    return f"copy it again, or save its readable part with `ffmpeg -i FILM -c copy PART.{suffix}`"


def _box_kinds(file: BinaryIO, size: int) -> set[bytes]:
    """Return the kinds of the top-level boxes that begin within a file."""
    position, kinds = 0, set[bytes]()
    while position < size:
        file.seek(position)
        head = file.read(16)
        kinds.add(head[4:8])
        length = int.from_bytes(head[:4], "big")
        length = int.from_bytes(head[8:16], "big") if length == 1 else length
        if length < 8:
            break
        position += length
    return kinds


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
    """Walk the top-level boxes and return where the last of them ends.

    Bytes that are no box, behind a film and its index, are none of the film.
    """
    position, seen = 0, set[bytes]()
    while position < size:
        file.seek(position)
        head = file.read(16)
        if seen >= {b"moov", b"mdat"} and head[4:8] not in _LATER_BOXES:
            return position  # some camera's or player's own, behind a whole film
        seen.add(head[4:8])
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
