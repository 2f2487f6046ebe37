"""A film file under construction: its container, one video stream, and an atomic name."""

from __future__ import annotations

from collections.abc import Iterable
from math import lcm
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from colorize.base.files import PartFile
from colorize.media.error import writing
from colorize.media.video.clock import LARGEST_TIMESCALE
from colorize.media.video.encoder import CONTAINERS, Encoding

_MOV_FAMILY = frozenset({".mp4", ".m4v", ".mov"})


class FilmFile:
    """A film that appears whole or not at all, with room for the tracks of another film.

    MP4 and MOV keep the source's clock and have their index in front, so that they play while they
    are loaded from the web.

    Raises:
        MediaError: the file cannot be written.
    """

    def __init__(self, path: Path, encoding: Encoding, *, quality: int = 90) -> None:
        self.path = path
        with writing(path):
            self._part = PartFile(path)
        try:
            self.container = av.open(
                _Flushed(self._part.file),
                "w",
                format=CONTAINERS[encoding.suffix],
                container_options=_container_options(encoding),
            )
            # PyAV types a stream added by name as any of three kinds.
            stream: Any = self.container.add_stream(encoding.codec, rate=encoding.look.rate)
            self._stream = stream
            encoding.configure(self._stream.codec_context, quality=quality)
        except BaseException:
            self._part.abort()
            raise

    @property
    def context(self) -> VideoCodecContext:
        """Return the video stream's encoder."""
        return self._stream.codec_context

    def mux(self, packets: Iterable[Packet]) -> None:
        """Write packets of the video, in decoding order."""
        with writing(self.path):
            for packet in packets:
                packet.stream = self._stream
                self.container.mux_one(packet)

    def commit(self) -> None:
        """Complete the container and give the film its name."""
        with writing(self.path):
            self.container.close()
            self._part.commit()

    def abort(self) -> None:
        """Remove what was written."""
        self._part.abort()


class _Flushed:
    """A file that holds nothing back: to move the index forward FFmpeg reads it by its name."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # Absolute, so that FFmpeg takes no part of it for a protocol.
        self.name = str(Path(file.name).absolute())

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes) -> int:
        count = self._file.write(data)
        self._file.flush()
        return count

    def seek(self, offset: int, origin: int = 0) -> int:
        return self._file.seek(offset, origin)

    def tell(self) -> int:
        return self._file.tell()


def _container_options(encoding: Encoding) -> dict[str, str]:
    """Keep the clock of the source where the container would choose its own."""
    if encoding.suffix not in _MOV_FAMILY:
        return {}
    ticks = encoding.clock.tick.denominator
    # Start offsets are counted in the film's ticks: those of 48 kHz sound and of the frames.
    film = lcm(ticks, 48000)
    film = film if film <= LARGEST_TIMESCALE else ticks
    return {
        "video_track_timescale": str(ticks),
        "movie_timescale": str(film),
        "movflags": "+faststart",
    }
