"""Notice, while a film is read, that a part of it is lost."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from colorize.media.error import MediaError


class Progress:
    """What has been read of a film, to tell a loss of frames and to word it."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        self._path = path
        self._indexed = len(stream.index_entries)
        # Only Matroska and AVI lose the rest of a film at a damaged place without an error.
        self._has_length = container.format.name.startswith(("matroska", "avi"))
        self._length = Fraction(container.duration or 0, av.time_base)
        self._end, self._packets, self._keyed = Fraction(0), 0, False
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
                raise self.failure("a packet is damaged")

    def decode(self, packet: Any) -> list[VideoFrame]:
        """Decode a packet; before the first key frame an undecodable one is no loss."""
        try:
            return packet.decode()
        except av.FFmpegError:
            if self._keyed or packet.is_keyframe:
                raise
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

    def failure(self, why: str) -> MediaError:
        """Return the error that tells how far reading came."""
        return MediaError(
            f"{self._path} is damaged: {self.frames} frames were read, then {why}; copy it again, "
            "or save its readable part with `ffmpeg -i FILM -c copy PART.mkv`"
        )
