"""Films as recorders and older programs leave them, made by PyAV and by hand."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags

from tests.colorize.media.films import gray_ramp, tone

RATE = Fraction(25)
_VOP = b"\0\0\x01\xb6"


def make_capture(
    path: Path,
    *,
    count: int = 30,
    first: int = 0,
    options: Mapping[str, str] = {},
    sound: bool = True,
) -> Path:
    """Write MPEG-2 video with B-frames and MP2 sound, as digital television has them.

    ``first`` is the number of the first picture; times start at zero before ``options``.
    """
    with av.open(str(path), "w", container_options=dict(options)) as film:
        video = film.add_stream("mpeg2video", rate=RATE)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        video.codec_context.max_b_frames, video.codec_context.gop_size = 2, 12
        video.codec_context.qmin = video.codec_context.qmax = 3
        track = film.add_stream("mp2", rate=48000) if sound else None
        if track is not None:
            track.codec_context.layout = "stereo"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), first + index), format="rgb24")
            frame.pts, frame.time_base = index, 1 / RATE
            film.mux(video.encode(frame.reformat(format="yuv420p")))
        film.mux(video.encode())
        if track is not None:
            wave = (tone(count / float(RATE)) * 32767).astype(np.int16).T.reshape(1, -1)
            for start in range(0, wave.shape[1], 2 * 1152):
                chunk = np.ascontiguousarray(wave[:, start : start + 2 * 1152])
                heard = av.AudioFrame.from_ndarray(chunk, format="s16", layout="stereo")
                heard.sample_rate, heard.pts, heard.time_base = (
                    48000,
                    start // 2,
                    Fraction(1, 48000),
                )
                film.mux(track.encode(heard))
            film.mux(track.encode(None))
    return path


def without_packet(content: bytes) -> bytes:
    """Take one packet of the video out of the middle of a transport stream (188 bytes each)."""
    packets = [content[start : start + 188] for start in range(0, len(content), 188)]
    middle = len(packets) // 2
    for index in range(middle, len(packets)):
        head = int.from_bytes(packets[index][1:3], "big")
        if head & 0x1FFF == 0x100 and not head & 0x4000:  # of the picture, not its beginning
            return b"".join(packets[:index] + packets[index + 1 :])
    raise AssertionError("no packet of the video")


def make_program_stream(path: Path, *, repeat: bool, count: int = 24) -> Path:
    """Write a bare MPEG-2 stream into a program stream without any time.

    With ``repeat`` every second picture says that its first field is shown again, as films on NTSC
    discs do: 24 pictures last 30 frames of television.
    """
    context = av.CodecContext.create("mpeg2video", "w")
    context.height, context.width, context.pix_fmt = 48, 64, "yuv420p"
    context.framerate, context.time_base = Fraction(30000, 1001), Fraction(1001, 30000)
    context.gop_size, context.max_b_frames = 12, 0
    context.flags |= Flags.interlaced_dct  # only a stream that may be interlaced repeats fields
    stream = b""
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), index), format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1001, 30000)
        stream += b"".join(map(bytes, context.encode(frame.reformat(format="yuv420p"))))
    stream += b"".join(map(bytes, context.encode(None)))
    path.write_bytes(_packed(_repeating(stream) if repeat else stream))
    return path


def _repeating(stream: bytes) -> bytes:
    """Set the flags of fields in the picture coding extensions (ISO/IEC 13818-2, 6.2.3.1)."""
    changed = bytearray(stream)
    for number, found in enumerate(re.finditer(rb"\0\0\x01\xb5[\x80-\x8f]", stream)):
        flags = found.start() + 4 + 3
        top_first = number % 4 in (0, 3)
        changed[flags] = changed[flags] & 0x7D | top_first << 7 | (number % 2 == 0) << 1
        changed[flags + 1] |= 0x80  # progressive_frame
    return bytes(changed)


def _packed(stream: bytes) -> bytes:
    """Put an elementary stream into packs whose packets carry no times."""
    packs = []
    for place in range(0, len(stream), 2000):
        data = stream[place : place + 2000]
        head = b"\0\0\1\xba\x44\0\4\0\4\1\1\x89\xc3\xf8"  # a pack of MPEG-2 with clock 0
        packs.append(head + b"\0\0\1\xe0" + struct.pack(">H", len(data) + 3) + b"\x80\0\0" + data)
    return b"".join(packs) + b"\0\0\1\xb9"


def make_packed_xvid(path: Path, *, count: int = 30) -> Path:
    """Write an AVI with a "packed bitstream", by hand: as XviD and DivX 5 did.

    A chunk holds a P-frame and the B-frame shown before it; the B-frame's own chunk is empty.
    """
    context = av.CodecContext.create("mpeg4", "w")
    context.height, context.width, context.pix_fmt = 48, 64, "yuv420p"
    context.framerate, context.time_base = RATE, 1 / RATE
    context.gop_size, context.max_b_frames = 30, 1
    stream = b""
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), index), format="rgb24")
        frame.pts, frame.time_base = index, 1 / RATE
        stream += b"".join(map(bytes, context.encode(frame.reformat(format="yuv420p"))))
    stream += b"".join(map(bytes, context.encode(None)))
    units = list(_units(stream))
    place = units[0].index(_VOP)
    head = re.sub(rb"\0\0\x01\xb2[^\0]*", b"", units[0][:place])
    units[0] = head + b"\0\0\1\xb2DivX503b1393p" + units[0][place:]
    chunks: list[bytes] = []
    while units:
        unit = units.pop(0)
        if units and _kind(units[0]) == 2:
            chunks += [unit + units.pop(0), _VOP + b"\x50\x7f"]
        else:
            chunks.append(unit)
    assert len(chunks) == count
    path.write_bytes(avi(chunks, [_kind(chunk) == 0 for chunk in chunks], b"XVID"))
    return path


def _units(stream: bytes) -> Iterator[bytes]:
    """Split an MPEG-4 stream into pictures, each with the headers before it."""
    marks = [
        found.start() for found in re.finditer(rb"\0\0\x01[\0-\x2f\xb0\xb2\xb3\xb5\xb6]", stream)
    ]
    start = 0
    for found in re.finditer(rb"\0\0\x01\xb6", stream):
        end = next((mark for mark in marks if mark > found.start()), len(stream))
        yield stream[start:end]
        start = end


def _kind(unit: bytes) -> int:
    """Return the kind of the first picture: 0 I, 1 P, 2 B (ISO/IEC 14496-2, vop_coding_type)."""
    return unit[unit.index(_VOP) + 4] >> 6


def avi(
    chunks: list[bytes], keys: list[bool], fourcc: bytes, size: tuple[int, int] = (48, 64)
) -> bytes:
    """Return an AVI file of one video track."""
    (height, width), count = size, len(chunks)
    form = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, fourcc, 0, 0, 0, 0, 0)
    track = b"vids" + fourcc + struct.pack("<IHHIIIIIIIIhhhh", 0, 0, 0, 0, 1, 25, 0, count,
                                           0, 2**32 - 1, 0, 0, 0, width, height)  # fmt: skip
    main = struct.pack("<IIIIIIIIIIIIII", 40000, 0, 0, 16, count, 0, 1, 0, width, height, *[0] * 4)
    frames, index = b"", b""
    for chunk, key in zip(chunks, keys, strict=True):
        index += b"00dc" + struct.pack("<III", 16 * key, 4 + len(frames), len(chunk))
        frames += _chunk(b"00dc", chunk)
    tracks = _list(b"strl", _chunk(b"strh", track) + _chunk(b"strf", form))
    head = _list(b"hdrl", _chunk(b"avih", main) + tracks)
    return _chunk(b"RIFF", b"AVI " + head + _list(b"movi", frames) + _chunk(b"idx1", index))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
