"""Render a film in parts, in any order, and concatenate them without encoding anything anew."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from av.codec import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter

from colorize.media.error import MediaError, writing
from colorize.media.frame import Frame, Sink
from colorize.media.video.decoded import to_rgb
from colorize.media.video.encoder import Encoder, Encoding
from colorize.media.video.film import FilmFile
from colorize.media.video.packets import PacketReader, write_packets
from colorize.media.video.source import VideoSource
from colorize.media.video.streams import AHEAD, Tracks

PART_SUFFIX = ".part-film"
_DECODERS = {"libx264": "h264", "libvpx-vp9": "vp9"}


class PartSink(Sink):
    """A part: consecutive frames, encoded as the film ``output`` would be by ``quality``.

    The frames keep the times of ``like``. The part is a file of this project's own
    (``PART_SUFFIX``), silent, complete or absent, with the same bits on any machine.

    Raises:
        MediaError: ``output`` names no container, or the part cannot be written.
    """

    def __init__(self, path: Path, *, like: VideoSource, output: Path, quality: int) -> None:
        encoding = Encoding.choose(output, size=like.size, look=like.look)
        context: Any = CodecContext.create(encoding.codec, "w")
        encoding.configure(context, quality=quality)
        with writing(path):
            context.open()
        self._encoder = Encoder(output, encoding, context)  # errors name what the user knows
        self._path, self._header = path, _header(encoding, context)
        self._packets: list[Packet] = []

    def write(self, frame: Frame) -> None:
        """Take the next frame, which must have a time."""
        assert frame.time is not None, "a film is made of frames with times"
        self._packets += self._encoder.encode(frame.rgb, frame.time, frame.duration)

    def finish(self) -> None:
        """Encode what is held back and write the part."""
        self._packets += self._encoder.flush()
        write_packets(self._path, self._header, self._packets)

    def discard(self) -> None:
        """Leave nothing: a part is written once it is complete."""


def concatenate_parts(
    parts: Sequence[Path],
    output: Path,
    *,
    like: VideoSource,
    expected_frames: int | None = None,
) -> None:
    """Copy the frames of all parts, in this order, into ``output`` with the tracks of ``like``.

    Decoded, the film's frames are those of the parts to the bit. Every part is read twice: it is
    checked before anything is written.

    Raises:
        MediaError: a part is missing, damaged, encoded otherwise or not later than the one before
            it; the parts do not hold ``expected_frames``; or the film cannot be written.
    """
    encoding = Encoding.choose(output, size=like.size, look=like.look)
    film = FilmFile(output, encoding)
    try:
        with writing(output):
            film.context.open()
        header = _header(encoding, film.context)
        readers = [PacketReader(part) for part in parts]
        times = _checked_times(readers, header)
        _check_count(output, len(times), expected_frames)
        _fill(film, chain.from_iterable(readers), times, encoding=encoding, like=like)
        film.commit()
    except BaseException:
        film.abort()
        raise


def read_part(
    path: Path, *, like: VideoSource, output: Path, quality: int, start: int = 0
) -> Iterator[Frame]:
    """Yield the frames of a part from frame ``start`` on, counted from 0, without their times.

    ``like``, ``output`` and ``quality`` are those it was written with.

    Raises:
        MediaError: it is missing or damaged.
    """
    encoding = Encoding.choose(output, size=like.size, look=like.look)
    encoder: Any = CodecContext.create(encoding.codec, "w")
    encoding.configure(encoder, quality=quality)
    encoder.open()
    decoder: Any = CodecContext.create(_DECODERS[encoding.codec], "r")
    if encoder.extradata:  # parameters that the packets of most containers do not repeat
        decoder.extradata = encoder.extradata
    reformatter, packets = VideoReformatter(), chain(PacketReader(path), [None])
    decoded = (frame for packet in packets for frame in decoder.decode(packet))
    for index, frame in enumerate(decoded):
        if index >= start:
            rgb = to_rgb(frame, reformatter, (False, False, False))
            yield Frame(index=index, name="", rgb=rgb)


def _header(encoding: Encoding, context: VideoCodecContext) -> dict[str, Any]:
    """Return what the parts of one film have in common; the encoder is open."""
    look, (height, width) = encoding.look, encoding.size
    return {
        "codec": encoding.codec,
        "size": f"{width}×{height}",
        "pixel format": encoding.pixel_format,
        "tick": str(encoding.clock.tick),
        "frame rate": str(look.rate),
        "pixel shape": str(look.aspect),
        "primaries and transfer": f"{look.primaries}, {look.transfer}",
        "fields": look.fields,
        "codec parameters": hashlib.sha256(context.extradata or b"").hexdigest()[:16],
    }


def _checked_times(parts: Sequence[PacketReader], header: dict[str, Any]) -> list[int]:
    """Return the frames' ticks in decoding order, after a check of every part."""
    times: list[int] = []
    end: int | None = None
    for part in parts:
        _check_header(part, header)
        packets = [(packet.pts, packet.is_keyframe) for packet in part]
        if not packets or not packets[0][1]:
            raise MediaError(
                f"{part.path} does not begin with a key frame; delete this part and run again"
            )
        ticks = [tick for tick, _ in packets if tick is not None]
        if end is not None and min(ticks) <= end:
            raise MediaError(
                f"{part.path} begins before the part in front of it ends; delete both and run again"
            )
        times += ticks
        end = max(ticks)
    return times


def _check_header(part: PacketReader, header: dict[str, Any]) -> None:
    """Raise if a part is not encoded as the film is."""
    for name, expected in header.items():
        found = part.header.get(name)
        if found != expected:
            raise MediaError(
                f"{part.path} has {name} {found}, the film needs {expected}; delete this part and "
                "run again"
            )


def _check_count(output: Path, count: int, expected: int | None) -> None:
    """Raise if frames are missing or too many."""
    if count == 0:
        raise MediaError(f"{output}: no part was given; a film needs one frame at least")
    if expected is not None and count != expected:
        raise MediaError(
            f"{output}: the parts hold {count} of {expected} frames; render what is missing, or "
            "leave out what is there twice"
        )


def _fill(
    film: FilmFile,
    packets: Iterable[Packet],
    times: list[int],
    *,
    encoding: Encoding,
    like: VideoSource,
) -> None:
    """Write the packets and the tracks."""
    tick, lasting = encoding.clock.tick, durations(times)
    tracks = Tracks(like.path, film.path, film.container)
    try:
        for packet, decoded_at in zip(packets, decoding_times(times), strict=True):
            assert packet.pts is not None, "a part holds every frame's time"
            packet.dts, packet.time_base = decoded_at, tick
            packet.duration = lasting.get(packet.pts, packet.duration)
            film.mux([packet])
            tracks.copy_until(decoded_at * tick + AHEAD)
        tracks.finish()
    finally:
        tracks.close()


def durations(times: Iterable[int]) -> dict[int, int]:
    """Return how long each frame but the last is shown, by its time.

    What a film of a varying rate tells of itself is often the distance of decoding times instead.
    """
    return {time: following - time for time, following in pairwise(sorted(times))}


def decoding_times(times: Sequence[int]) -> list[int]:
    """Return when each frame is decoded: strictly rising, and never after it is shown.

    ``times`` are those of showing, in decoding order. Each part has decoding times of its own, but
    theirs overlap where a part shorter than the encoder's delay precedes. As in libx264, the film's
    delay is the least that serves all its frames, and the first frames keep the distances of those
    shown.
    """
    shown = sorted(times)
    delay = max(index - bisect_left(shown, time) for index, time in enumerate(times))
    lead = shown[delay] - shown[0]
    first = [time - lead for time in shown[:delay]]
    return first + shown[: len(shown) - delay]
