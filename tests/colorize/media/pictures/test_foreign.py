"""Pictures of scanners and animation programs, written by FFmpeg's encoders and by hand."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.codec import CodecContext
from av.packet import Packet
from av.video.frame import VideoFrame

from colorize.media import MediaError, open_sink, open_source
from colorize.media.pictures.coding import read_picture
from colorize.media.pictures.folder import picture_files

GENERATOR = np.random.default_rng(0)
SIZE = (6, 8)


def encoded(codec: str, pixels: np.ndarray, name: str) -> bytes:
    context: Any = CodecContext.create(codec, "w")
    context.height, context.width = pixels.shape[:2]
    context.pix_fmt, context.time_base = name, Fraction(1, 24)
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=name)
    return b"".join(map(bytes, [*context.encode(frame), *context.encode(None)]))


def decoded(codec: str, content: bytes) -> tuple[str, np.ndarray]:
    context: Any = CodecContext.create(codec, "r")
    [frame] = [*context.decode(Packet(content)), *context.decode(None)]
    return frame.format.name, frame.to_ndarray()


def levels(bits: int, channels: int = 3) -> np.ndarray:
    values = GENERATOR.integers(0, 2**bits, (*SIZE, channels))
    values[0, 0], values[0, 1] = 0, 2**bits - 1
    values = values if channels > 1 else values[..., 0]
    return values.astype(np.uint8 if bits == 8 else np.uint16)


@pytest.mark.parametrize(
    ("suffix", "codec", "name", "bits", "channels"),
    [
        (".dpx", "dpx", "gbrp10be", 10, 3),
        (".dpx", "dpx", "gbrp10le", 10, 3),
        (".dpx", "dpx", "gbrp12be", 12, 3),
        (".dpx", "dpx", "rgb48be", 16, 3),
        (".dpx", "dpx", "rgb24", 8, 3),
        (".tga", "targa", "bgr24", 8, 3),
        (".pgm", "pgm", "gray", 8, 1),
        (".ppm", "ppm", "rgb24", 8, 3),
        (".jp2", "jpeg2000", "rgb24", 8, 3),
        (".sgi", "sgi", "rgb24", 8, 3),
    ],
)
def test_levels_are_exact(
    tmp_path: Path, suffix: str, codec: str, name: str, bits: int, channels: int
) -> None:
    """White is white: 1023 of 10 bits is 65535 of 16."""
    if codec == "jpeg2000":
        pixels = np.full((*SIZE, 3), (10, 130, 250), np.uint8)  # flat, so that the codec loses none
    else:
        pixels = levels(bits, channels)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encoded(codec, pixels, name))
    rgb, alpha = read_picture(path)
    own = pixels[..., ::-1] if name == "bgr24" else pixels
    own = np.repeat(own[..., None], 3, axis=2) if channels == 1 else own
    assert alpha is None
    assert rgb.dtype == (np.uint8 if bits == 8 else np.uint16)
    top = np.iinfo(rgb.dtype).max
    expected = np.rint(own.astype(float) * top / (2**bits - 1))
    np.testing.assert_allclose(rgb, expected, atol=2 if codec == "jpeg2000" else 0)


def test_sixteen_bits_of_pgm_by_hand(tmp_path: Path) -> None:
    gray = levels(16, 1)
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 8 6 65535\n" + gray.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_picture(path)[0], np.repeat(gray[..., None], 3, axis=2))


def test_exr_is_read_and_written_as_png(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    values = GENERATOR.random((*SIZE, 3)).astype(np.float32)
    for index in range(2):
        (folder / f"s_{index}.exr").write_bytes(encoded("exr", values, "gbrpf32le"))
    source = open_source(folder)
    assert source.notes == (f"{folder}: .exr is written as .png",)
    with open_sink(tmp_path / "out", like=source) as sink:
        for frame in source:
            sink.write(frame)
    written = picture_files(tmp_path / "out")
    assert [file.name for file in written] == ["s_0.png", "s_1.png"]
    rgb = read_picture(written[0])[0]
    assert rgb.dtype == np.uint16
    assert np.abs(rgb - values * 65535.0).max() <= 0.51


def test_two_pictures_are_not_written_under_one_name(tmp_path: Path) -> None:
    for name in ("s_0.pgm", "s_0.ppm"):
        (tmp_path / name).write_bytes(b"P5 8 6 255\n" + bytes(48))
    with pytest.raises(MediaError, match=r"s_0\.pp?g?m and .* would both be written as s_0\.png"):
        open_source(tmp_path)


@pytest.mark.parametrize("order", ["be", "le"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_dpx_keeps_depth_and_timecode(tmp_path: Path, order: str, bits: int) -> None:
    """SMPTE 268M: the timecode stands at byte 1920, the frame's place at 1712, at 800 the kind."""
    folder = tmp_path / "in"
    folder.mkdir()
    name = f"rgb48{order}" if bits == 16 else f"gbrp{bits}{order}"
    pixels = levels(bits)
    content = bytearray(encoded("dpx", pixels, name))
    mark = ">" if order == "be" else "<"
    content[1664:1664] = b"\xff" * 384  # the headers of film and television, all undefined
    struct.pack_into(f"{mark}I", content, 4, 2048)
    struct.pack_into(f"{mark}I", content, 16, len(content))
    struct.pack_into(f"{mark}I", content, 1920, 0x01020304)  # 01:02:03:04
    struct.pack_into(f"{mark}I", content, 1712, 1234)
    content[801] = 1  # printing density
    (folder / "s_0001.dpx").write_bytes(bytes(content))
    source = open_source(folder)
    with open_sink(tmp_path / "out", like=source) as sink:
        for frame in source:
            sink.write(frame)
    written = (tmp_path / "out" / "s_0001.dpx").read_bytes()
    assert written[:4] == (b"SDPX" if order == "be" else b"XPDS")
    assert struct.unpack_from(f"{mark}I", written, 1920) == (0x01020304,)
    assert struct.unpack_from(f"{mark}I", written, 1712) == (1234,)
    assert struct.unpack_from(f"{mark}I", written, 16) == (len(written),)
    assert (written[801], written[803]) == (1, bits)
    found, samples = decoded("dpx", written)
    assert found[:-2] == name[:-2]  # decoded into the order of this machine
    np.testing.assert_array_equal(samples, pixels)


def test_damage_is_one_line(tmp_path: Path) -> None:
    whole = encoded("dpx", levels(10), "gbrp10be")
    path = tmp_path / "a.dpx"
    for length in (4, 100, 1600, 1700, len(whole) - 30):
        path.write_bytes(whole[:length])
        with pytest.raises(MediaError, match=r"a\.dpx is damaged") as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)


def test_numbers_below_zero_come_first(tmp_path: Path) -> None:
    names = ["s_-0002.pgm", "s_-0001.pgm", "s_0000.pgm", "s_0001.pgm"]
    for name in names:
        (tmp_path / name).write_bytes(b"P5 8 6 255\n" + bytes(48))
    assert [file.name for file in picture_files(tmp_path)] == names
