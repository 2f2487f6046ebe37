"""Write films that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from math import lcm
from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from colorize.base.files import PartFile
from colorize.media.error import MediaError, writing
from colorize.media.frame import Frame, Picture, Sink
from colorize.media.video.clock import LARGEST_TIMESCALE, VideoLook
from colorize.media.video.encoder import CONTAINERS, Encoder, Encoding
from colorize.media.video.source import VideoSource
from colorize.media.video.streams import AHEAD, Tracks

_MOV_FAMILY = frozenset({".mp4", ".m4v", ".mov"})


class FilmFile:
    """A film that appears whole or not at all, with room for the tracks of another film.

    ``context`` is its encoder, ``container`` what tracks are added to.

    MP4 and MOV keep the source's clock and have their index in front, so that they play while they
    are loaded from the web.

    Raises:
        MediaError: the file cannot be written.
    """

    def __init__(self, path: Path, encoding: Encoding, *, quality: int = 90) -> None:
        self.path, self._count = path, 0
        with writing(path):
            self._part = PartFile(path)
        try:
            self.container = av.open(
                # By its name, since to move the index forward FFmpeg reads what it wrote; absolute,
                # so that it takes no part of the name for a protocol.
                str(Path(self._part.file.name).absolute()),
                "w",
                format=CONTAINERS[encoding.suffix],
                container_options=_container_options(encoding),
            )
            # PyAV types a stream added by name as any of three kinds.
            stream: Any = self.container.add_stream(encoding.codec, rate=encoding.look.rate)
            self._stream, self.context = stream, stream.codec_context
            encoding.configure(self.context, quality=quality)
        except BaseException:
            self._part.abort()
            raise

    def mux(self, packets: Iterable[Packet]) -> None:
        """Write packets of the video, in decoding order."""
        with writing(self.path):
            for packet in packets:
                self._count += 1
                packet.stream = self._stream
                self.container.mux_one(packet)

    def commit(self) -> None:
        """Complete the container, count its frames, and give the film its name.

        Raises:
            MediaError: it cannot be written, or does not hold all frames.
        """
        with writing(self.path):
            self.container.close()
            held = _frames_of(Path(self._part.file.name))
        if held != self._count:
            raise MediaError(
                f"{self.path} would hold {held} of {self._count} frames, so it was not written; "
                f"name the output {self.path.with_suffix('.mkv').name}"
            )
        with writing(self.path):
            self._part.commit()

    def abort(self) -> None:
        """Remove what was written."""
        self._part.abort()


def _frames_of(path: Path) -> int:
    """Return how many frames a film shows, without decoding them."""
    with av.open(str(path.absolute())) as film:
        return sum(bool(p.size) and not p.is_discard for p in film.demux(video=0))


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


class VideoSink(Sink):
    """A film with the frames it is given, and the times, sound and subtitles of ``like``.

    ``quality``, 1 to 100; see :class:`Encoding`.

    Raises:
        MediaError: the suffix names no container, or the film cannot be written; see
            :class:`Tracks`.
    """

    def __init__(self, path: Path, *, like: VideoSource, quality: int) -> None:
        encoding = Encoding.choose(path, size=like.size, look=like.look)
        self._film = FilmFile(path, encoding, quality=quality)
        self._encoder = Encoder(path, encoding, self._film.context)
        try:
            self._tracks = Tracks(like.path, path, self._film.container)
        except BaseException:
            self._film.abort()
            raise

    def write(self, frame: Frame) -> None:
        """Take the next frame, which must have a time."""
        assert frame.time is not None, "a film is made of frames with times"
        self._film.mux(self._encoder.encode(frame.rgb, frame.time, frame.duration))
        self._tracks.copy_until(frame.time + AHEAD)

    def finish(self) -> None:
        """Write the rest of the tracks and give the film its name."""
        self._film.mux(self._encoder.flush())
        self._tracks.finish()
        self._film.commit()
        self._tracks.close()

    def discard(self) -> None:
        """Remove the unfinished film."""
        self._tracks.close()
        self._film.abort()


def write_video(
    path: str | Path, pictures: Iterable[Picture], *, rate: Fraction | int, quality: int = 90
) -> None:
    """Write pictures of one size as a silent film, atomically.

    Raises:
        MediaError: no pictures, different sizes, an unknown suffix, or a full disk.
    """
    path, rate, pictures = Path(path), Fraction(rate), iter(pictures)
    first = next(pictures, None)
    if first is None:
        raise MediaError(f"{path}: no frame was given; a film needs one at least")
    look = VideoLook(time_base=1 / rate, rate=rate)
    encoding = Encoding.choose(path, size=(first.shape[0], first.shape[1]), look=look)
    film = FilmFile(path, encoding, quality=quality)
    try:
        encoder = Encoder(path, encoding, film.context)
        for index, rgb in enumerate(chain([first], pictures)):
            film.mux(encoder.encode(rgb, index / rate, None))
        film.mux(encoder.flush())
        film.commit()
    except BaseException:
        film.abort()
        raise
