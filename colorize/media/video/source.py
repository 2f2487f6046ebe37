"""Frames of a video, decoded lazily through PyAV."""

from __future__ import annotations

from collections.abc import Container, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from colorize.media.error import MediaError, reason
from colorize.media.frame import Frame, Source
from colorize.media.video.clock import VideoLook
from colorize.media.video.damage import Reading, announced_size
from colorize.media.video.decoded import orientation, to_rgb
from colorize.media.video.fields import field_order


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
        # Absolute, so that FFmpeg takes no part of the name for a protocol.
        return av.open(str(path.absolute()), metadata_errors="replace")
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
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None:
                raise MediaError(f"{path}: no decoder for its video; convert it to H.264 first")
            return stream
    raise MediaError(f"{path} has no video stream; name a film or a folder of frames")


class VideoSource(Source):
    """The frames of a film, upright, in presentation order.

    Frames are those that the decoder gives: pre-roll of an edit list left out, first and last kept.
    8-bit films give uint8 frames, deeper ones uint16; the two fields of an ``interlaced`` film are
    one frame. Films without a colour matrix are BT.709 from 720 lines or 1280 columns up, else
    BT.601, as players take them. What is not kept, such as alpha, is told in ``notes``.

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
            self._shift = _shift(container, stream, first)
            self.look = _look(stream, first, self.rate, shift=self._shift, turn=self._turn)
            self.interlaced = first.interlaced_frame
            self.notes = _notes(path, container, first)
        self.size = (first.width, first.height) if self._turn[0] else (first.height, first.width)

    def frames(
        self, start: int = 0, stop: int | None = None, *, only: Container[int] | None = None
    ) -> Iterator[Frame]:
        """Yield the frames ``start <= index < stop`` whose index is in ``only``.

        Those left out are decoded, since later ones build on them, but not converted.

        Raises:
            MediaError: damaged, or a frame is not later than the one before it.
        """
        if stop is not None and stop <= start:
            return
        reformatter, times = VideoReformatter(), _Times(self.path, self.look, self._shift)
        with open_input(self.path) as container:
            stream = film_stream(self.path, container)
            for index, decoded in enumerate(self._decoded(container, stream)):
                time, duration = times.read(decoded)
                if index >= start and (only is None or index in only):
                    rgb = to_rgb(decoded, reformatter, self._turn)
                    yield Frame(index=index, name="", rgb=rgb, time=time, duration=duration)
                if stop is not None and index + 1 >= stop:
                    return

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decode the whole stream and check, at its end, that it was whole."""
        stream.thread_type = "AUTO"
        reading = Reading(self.path, container, stream)
        try:
            # All streams, since the end of the film may be that of its sound.
            for packet in container.demux():
                reading.see(packet, stream)
                if packet.stream is not stream:
                    continue
                for frame in reading.decode(packet):
                    reading.frames += 1
                    yield frame
        except (av.FFmpegError, OSError) as error:
            raise reading.failure(reason(error)) from error
        reading.check_end()


class _Times:
    """Times of frames in seconds, exact and rising; ``path`` is named in errors."""

    def __init__(self, path: Path, look: VideoLook, shift: Fraction) -> None:
        self._path, self._look, self._shift = path, look, shift
        self._last: Fraction | None = None
        self._next = Fraction(0)

    def read(self, frame: VideoFrame) -> tuple[Fraction, Fraction | None]:
        """Return a frame's time, and its duration where the film tells it.

        Some AVI films carry no presentation times; their frames follow one another at the rate.
        """
        tick = frame.time_base or self._look.time_base
        time = self._next if frame.pts is None else frame.pts * tick - self._shift
        duration = frame.duration * tick if frame.duration else None
        if self._last is not None and time <= self._last:
            raise MediaError(
                f"{self._path}: a frame at {float(time):.3f} s follows one at "
                f"{float(self._last):.3f} s; give the film new times, for example by "
                "`ffmpeg -fflags +genpts -i FILM -c copy NEW.mkv`"
            )
        self._last, self._next = time, time + 1 / self._look.rate
        return time, duration


def _shift(container: InputContainer, stream: VideoStream, first: VideoFrame) -> Fraction:
    """Return the seconds by which FFmpeg shows a film too late.

    AVI stores no presentation times; those that FFmpeg infers start a frame or two late.
    """
    if container.format.name != "avi" or first.pts is None or first.time_base is None:
        return Fraction(0)
    return (first.pts - (stream.start_time or 0)) * first.time_base


def _look(
    stream: VideoStream,
    frame: VideoFrame,
    rate: Fraction | None,
    *,
    shift: Fraction,
    turn: tuple[bool, bool, bool],
) -> VideoLook:
    """Return what a film's output must take over."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    tick = stream.time_base or Fraction(1, 1000)
    return VideoLook(
        time_base=tick,
        start=(frame.pts or 0) * (frame.time_base or tick) - shift,
        # A single frame may have no rate; any will do for it.
        rate=rate or Fraction(25),
        bits=max(component.bits for component in frame.format.components),
        aspect=1 / aspect if turn[0] else aspect,
        primaries=int(frame.color_primaries),
        transfer=int(frame.color_trc),
        fields=field_order(stream, frame, turn),
    )


def _notes(path: Path, container: InputContainer, frame: VideoFrame) -> tuple[str, ...]:
    """Return what of a film is not kept, or not as it should be; ``frame`` is its first."""
    streams = container.streams
    covers = [track for track in streams.video if track.disposition & Disposition.attached_pic]
    films = len(streams.video) - len(covers)
    remarks = {
        "is interlaced: its fields are coloured as one picture and stay interlaced; deinterlace it "
        "first if moving edges come out striped": frame.interlaced_frame,
        f"holds {films} video streams: only the first is coloured, the others are left out": (
            films > 1
        ),
        "is partly transparent: its alpha channel is left out": any(
            component.is_alpha for component in frame.format.components
        ),
        "holds a cover picture, which is left out": bool(covers),
        "holds data tracks (timecodes, telemetry), which are left out": bool(streams.data),
    }
    return tuple(f"{path} {remark}" for remark, applies in remarks.items() if applies)
