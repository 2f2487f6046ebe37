"""Pictures of film scanners and animation programs, by the FFmpeg inside PyAV."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec import CodecContext
from av.packet import Packet
from av.video.frame import VideoFrame

from colorize.media.error import MediaError, reason
from colorize.media.frame import Alpha, Picture, to_depth

# First bytes -> FFmpeg's name of the codec.
_MAGIC = {
    b"SDPX": "dpx",
    b"XPDS": "dpx",
    b"\x76\x2f\x31\x01": "exr",
    b"P1": "pbm",
    b"P2": "pgm",
    b"P3": "ppm",
    b"P4": "pbm",
    b"P5": "pgm",
    b"P6": "ppm",
    b"P7": "pam",
    b"\0\0\0\x0cjP": "jpeg2000",
    b"\xff\x4f\xff\x51": "jpeg2000",
    b"\x01\xda": "sgi",
}
FOREIGN_SUFFIXES = frozenset(
    {".dpx", ".exr", ".tga", ".pgm", ".ppm", ".pbm", ".pnm", ".pam", ".jp2", ".j2k", ".j2c", ".sgi"}
)
# A DPX begins with a header of this many bytes, whose last two parts are those of film and of
# television, with the timecode; FFmpeg writes neither. Source: SMPTE 268M-2003, 5.
_DPX_HEADER = 2048
_WITHOUT_FILM = 1664
_DATA_OFFSET, _FILE_SIZE = 4, 16
_KIND, _BITS = slice(801, 803), 803


@dataclass(frozen=True)
class Foreign:
    """A picture, and of a DPX the ``header`` that goes along."""

    rgb: Picture
    alpha: Alpha | None
    header: bytes | None = None


def foreign_codec(path: Path, content: bytes) -> str | None:
    """Return FFmpeg's name of a picture's format, by its content; None for one of Pillow's.

    TGA alone has no mark at its beginning and is known by its name.
    """
    for magic, codec in _MAGIC.items():
        if content.startswith(magic):
            return codec
    return "targa" if path.suffix.lower() == ".tga" else None


def read_foreign(path: Path, content: bytes, codec: str) -> Foreign:
    """Decode a picture; more than 8 bits a channel become 16, floating point is 0 to 1.

    Raises:
        MediaError: damaged.
    """
    try:
        decoder: Any = CodecContext.create(codec, "r")
        decoder.thread_count = 1
        frames = [*decoder.decode(Packet(content)), *decoder.decode(None)]
    except (av.FFmpegError, ValueError, OSError) as error:
        raise MediaError(f"{path} is damaged ({reason(error)}); replace or remove it") from error
    if not frames or frames[0].is_corrupt:
        raise MediaError(f"{path} is damaged (no picture in it); replace or remove it")
    header = _header(content) if codec == "dpx" else None
    rgb, alpha = _pixels(frames[0])
    return Foreign(rgb, alpha, header)


def encode_dpx(rgb: Picture, header: bytes | None) -> bytes:
    """Return a DPX with the depth, byte order and timecode of ``header``.

    Without one it has the depth of ``rgb``. 10, 12 and 16 bits stay; 8 bits stay 8.
    """
    bits = header[_BITS] if header else 0
    if rgb.dtype == np.uint8:
        bits = 8
    elif bits not in (10, 12, 16):
        bits = 16
    order = "le" if header and header[:4] == b"XPDS" else "be"
    name = {8: "rgb24", 16: f"rgb48{order}"}.get(bits, f"gbrp{bits}{order}")
    context: Any = CodecContext.create("dpx", "w")
    context.height, context.width = rgb.shape[:2]
    context.pix_fmt, context.time_base = name, Fraction(1, 24)
    packets = chain(context.encode(_frame(rgb, name, bits)), context.encode(None))
    content = bytearray(b"".join(map(bytes, packets)))
    if header and header[:4] == content[:4]:
        content[_KIND] = header[_KIND]
        content[_WITHOUT_FILM:_WITHOUT_FILM] = header[_WITHOUT_FILM:]
        number = ">I" if order == "be" else "<I"
        struct.pack_into(number, content, _DATA_OFFSET, len(header))
        struct.pack_into(number, content, _FILE_SIZE, len(content))
    return bytes(content)


def _header(content: bytes) -> bytes:
    """Return the header of a DPX, as far as it has one."""
    number = "<I" if content[:4] == b"XPDS" else ">I"
    (offset,) = struct.unpack_from(number, content, _DATA_OFFSET)
    return content[: _DPX_HEADER if offset >= _DPX_HEADER else _WITHOUT_FILM]


def _frame(rgb: Picture, name: str, bits: int) -> VideoFrame:
    """Return a frame of a format of ``bits`` a channel."""
    if bits in (10, 12):
        rgb = np.rint(rgb * ((2**bits - 1) / 65535)).astype(np.uint16)
    return VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format=name)


def _pixels(frame: VideoFrame) -> tuple[Picture, Alpha | None]:
    """Return the samples of a decoded frame.

    Planes are read as they are, since swscale fills 10 bits up with zeros.
    """
    samples: np.ndarray
    name, parts = frame.format.name, frame.format.components
    bits, clear = max(part.bits for part in parts), any(part.is_alpha for part in parts)
    if bits == 32:
        samples = frame.reformat(format="gbrapf32le" if clear else "gbrpf32le").to_ndarray()
        samples = np.rint(np.clip(np.nan_to_num(samples), 0, 1) * 65535).astype(np.uint16)
    elif 8 < bits < 16 and name.startswith(("gray", "gbr")):
        samples = np.rint(frame.to_ndarray() * (65535 / (2**bits - 1))).astype(np.uint16)
    else:
        packed = ("rgba" if clear else "rgb24") if bits <= 8 else "rgba64le" if clear else "rgb48le"
        samples = frame.reformat(format=packed, dst_color_range=2).to_ndarray()
    if samples.ndim == 2:
        samples = np.repeat(samples[..., None], 3, axis=2)
    samples = to_depth(samples, samples.dtype)
    alpha = np.ascontiguousarray(samples[..., 3]) if clear else None
    return np.ascontiguousarray(samples[..., :3]), alpha
