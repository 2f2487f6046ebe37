"""Frames of a video, decoded lazily through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from colorize.media.damage import Progress
from colorize.media.decoded import orientation, to_rgb
from colorize.media.error import MediaError, reason
from colorize.media.frame import Frame
from colorize.media.source import Source
from colorize.media.whole import announced_size


def open_input(path: Path) -> InputContainer:
    """Open a film for reading.

    Raises:
        MediaError: cut off, or not a film.
    """
    size, announced = path.stat().st_size, announced_size(path)
    if announced > size + 1:  # a RIFF file may lack its last padding byte
        raise MediaError(
            f"{path} is cut off: {size} of {announced} bytes are there and no frame was read; "
            "copy it again, or save its readable part with `ffmpeg -i FILM -c copy PART.mkv`"
        )
    try:
        return av.open(str(path), metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"{path} is not a film that can be read ({reason(error)}); check that it plays"
        ) from error


def film_stream(path: Path, container: InputContainer) -> VideoStream:
    """Return the first video stream that is not a cover picture.

    Raises:
        MediaError: there is none, or no decoder for it.
    """
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec_context is None:
                raise MediaError(f"{path}: no decoder for its video; convert it to H.264 first")
            return stream
    raise MediaError(f"{path} has no video stream; name a film or a folder of frames")


@dataclass(frozen=True)
class VideoLook:
    """What the output takes over from a film, besides its frames.

    ``time_base`` is the film's tick in seconds, ``bits`` those of a channel, ``aspect`` the shape
    of an upright pixel (width / height); primaries and transfer are FFmpeg's numbers (2: unknown).
    """

    time_base: Fraction
    rate: Fraction
    bits: int = 8
    aspect: Fraction = Fraction(1)
    primaries: int = 1
    transfer: int = 1


class VideoSource(Source):
    """The frames of a film, upright, in presentation order.

    Frames are those that the decoder gives: pre-roll of an edit list left out, first and last kept.
    8-bit films give uint8 frames, deeper ones uint16. Alpha, further video streams and interlacing
    are not kept. Films without a colour matrix are BT.709 from 720 lines or 1280 columns up, else
    BT.601, as players take them.

    Raises:
        MediaError: unreadable, cut off, without video, or without a single frame.
    """

    kind = "video"

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_input(path) as container:
            stream = film_stream(path, container)
            first = next(self._decoded(container, stream), None)
            if first is None:
                raise MediaError(f"{path}: no frame could be decoded; check that the film plays")
            self.count = stream.frames or None
            self.rate = stream.average_rate or stream.guessed_rate
            self._turn = orientation(first)
            self.look = _look(stream, first, self.rate, turned=self._turn[0])
            self._shift = _shift(container, stream, first)
        self.size = (first.width, first.height) if self._turn[0] else (first.height, first.width)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Yield the frames ``start <= index < stop``; those before ``start`` are only decoded."""
        if stop is not None and stop <= start:
            return
        reformatter, clock = VideoReformatter(), _Clock(self.look, self._shift)
        with open_input(self.path) as container:
            stream = film_stream(self.path, container)
            for index, decoded in enumerate(self._decoded(container, stream)):
                time, duration = clock.read(decoded)
                if index >= start:
                    rgb = to_rgb(decoded, reformatter, self._turn)
                    yield Frame(index=index, name="", rgb=rgb, time=time, duration=duration)
                if stop is not None and index + 1 >= stop:
                    return

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decode the whole stream and check, at its end, that it was whole."""
        stream.thread_type = "AUTO"
        progress = Progress(self.path, container, stream)
        try:
            # All streams, since the end of the film may be that of its sound.
            for packet in container.demux():
                progress.see(packet, stream)
                if packet.stream is not stream:
                    continue
                for frame in progress.decode(packet):
                    progress.frames += 1
                    yield frame
        except (av.FFmpegError, OSError) as error:
            raise progress.failure(reason(error)) from error
        progress.check_end()


class _Clock:
    """Times of frames in seconds, exact."""

    def __init__(self, look: VideoLook, shift: Fraction) -> None:
        self._look, self._shift = look, shift
        self._next = Fraction(0)

    def read(self, frame: VideoFrame) -> tuple[Fraction, Fraction | None]:
        """Return a frame's time, and its duration where the film tells it.

        Some AVI films carry no presentation times; their frames follow one another at the rate.
        """
        tick = frame.time_base or self._look.time_base
        time = self._next if frame.pts is None else frame.pts * tick - self._shift
        duration = frame.duration * tick if frame.duration else None
        self._next = time + 1 / self._look.rate
        return time, duration


def _shift(container: InputContainer, stream: VideoStream, first: VideoFrame) -> Fraction:
    """Return the seconds by which FFmpeg shows a film too late.

    AVI stores no presentation times; those that FFmpeg infers start a frame or two late.
    """
    if container.format.name != "avi" or first.pts is None or first.time_base is None:
        return Fraction(0)
    return (first.pts - (stream.start_time or 0)) * first.time_base


def _look(
    stream: VideoStream, frame: VideoFrame, rate: Fraction | None, *, turned: bool
) -> VideoLook:
    """Return what a film's output must take over."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return VideoLook(
        time_base=stream.time_base or Fraction(1, 1000),
        # A single frame may have no rate; any will do for it.
        rate=rate or Fraction(25),
        bits=max(component.bits for component in frame.format.components),
        aspect=1 / aspect if turned else aspect,
        primaries=int(frame.color_primaries),
        transfer=int(frame.color_trc),
    )
