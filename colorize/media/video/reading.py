"""Open a film and decode its frames, one after the other, on a clock that starts at zero."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from colorize.media.error import MediaError, reason
from colorize.media.video.damage import Reading, announced_size, rescue
from colorize.media.video.steady import SteadyClock

_FASTEST = 1000  # frames per second; more are the ticks of a clock


def open_input(path: Path) -> InputContainer:
    """Open a film for reading.

    Raises:
        MediaError: cut off, or not a film.
    """
    size, announced = path.stat().st_size, announced_size(path)
    if announced > size + 1:  # a RIFF file may lack its last padding byte
        raise MediaError(
            f"{path} is cut off: {size} of {announced} bytes are there and no frame was read; "
            f"{rescue(path)}"
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


def frame_rate(stream: VideoStream) -> Fraction | None:
    """Return the frames per second that a stream tells, None where it is silent.

    A bare DV stream tells the ticks of its clock as its average.
    """
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((rate for rate in rates if rate and rate <= _FASTEST), None)


def decoded(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    clock: SteadyClock | None = None,
    reading: Reading | None = None,
) -> Iterator[tuple[Packet, VideoFrame]]:
    """Decode the whole stream, each frame with the packet that made it come out.

    ``clock`` and ``reading``, if given, are what a caller asks for jumps and holes afterwards.

    Raises:
        MediaError: damaged; for what is cut off, at the end.
    """
    stream.thread_type = "AUTO"
    clock = clock or SteadyClock(container)
    reading = reading or Reading(path, container, stream)
    try:
        # All streams, since the end of the film may be that of its sound.
        for packet in container.demux():
            clock.mend(packet)
            reading.see(packet, stream)
            if packet.stream is not stream:
                continue
            for frame in reading.decode(packet):
                reading.frames += 1
                yield packet, frame
    except (av.FFmpegError, OSError) as error:
        raise reading.failure(reason(error)) from error
    reading.check_end()
