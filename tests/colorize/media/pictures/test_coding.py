"""Every kind of picture, written by Pillow, OpenCV or by hand and read back."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from colorize.media import MediaError
from colorize.media.pictures.coding import encode_picture, read_picture

HEIGHT, WIDTH = 5, 7
GENERATOR = np.random.default_rng(0)
RGB = GENERATOR.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
RGB16 = GENERATOR.integers(0, 65536, (HEIGHT, WIDTH, 3), dtype=np.uint16)
ALPHA = GENERATOR.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
ALPHA16 = GENERATOR.integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16)


def png16(samples: np.ndarray, colour_type: int, transparent: bytes = b"") -> bytes:
    """A 16-bit PNG put together by hand: colour type 0 gray, 2 RGB, 4 gray and alpha."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    clear = chunk(b"tRNS", transparent) if transparent else b""
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + clear + body


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".TIFF", ".bmp", ".webp"])
def test_rgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frame 1{suffix}"
    Image.fromarray(RGB).save(path, **({"lossless": True} if suffix == ".webp" else {}))
    rgb, alpha = read_picture(path)
    assert alpha is None
    np.testing.assert_array_equal(rgb, RGB)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".jpg"])
def test_gray_becomes_three_equal_channels(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(np.full((HEIGHT, WIDTH), 77, np.uint8)).save(tmp_path / f"a{suffix}")
    rgb, alpha = read_picture(tmp_path / f"a{suffix}")
    assert alpha is None
    np.testing.assert_array_equal(rgb, np.full((HEIGHT, WIDTH, 3), 77))


def test_one_bit(tmp_path: Path) -> None:
    Image.fromarray(ALPHA > 127).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png")[0][..., 1], (ALPHA > 127) * 255)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_alpha(tmp_path: Path, suffix: str) -> None:
    path, pixels = tmp_path / f"a{suffix}", np.dstack([RGB, ALPHA])
    lossless = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    Image.fromarray(pixels).save(path, **lossless)
    rgb, alpha = read_picture(path)
    np.testing.assert_array_equal(rgb, RGB)
    np.testing.assert_array_equal(alpha, ALPHA)


def test_gray_and_alpha(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([RGB[..., 0], ALPHA])).save(tmp_path / "a.png")
    rgb, alpha = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(rgb, RGB[..., [0, 0, 0]])
    np.testing.assert_array_equal(alpha, ALPHA)


def test_palette_and_its_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH) % 3)
    image = image.convert("L")
    image.putpalette([200, 10, 20, 30, 180, 50, 60, 70, 220])
    image.save(tmp_path / "opaque.png")
    image.save(tmp_path / "clear.png", transparency=1)
    rgb, alpha = read_picture(tmp_path / "opaque.png")
    assert alpha is None
    assert rgb[0, :3].tolist() == [[200, 10, 20], [30, 180, 50], [60, 70, 220]]
    rgb, alpha = read_picture(tmp_path / "clear.png")
    assert rgb[0, 2].tolist() == [60, 70, 220]
    assert alpha is not None
    assert alpha[0, :3].tolist() == [255, 0, 255]


def test_cmyk(tmp_path: Path) -> None:
    ink = Image.new("CMYK", (WIDTH, HEIGHT), (255, 0, 0, 0))
    ink.save(tmp_path / "a.tif")
    ink.save(tmp_path / "a.jpg", quality=100)
    for name in ("a.tif", "a.jpg"):
        rgb = read_picture(tmp_path / name)[0].astype(int)
        # Full cyan without a profile is RGB (0, 255, 255).
        assert np.abs(rgb - [0, 255, 255]).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_by_opencv(tmp_path: Path, suffix: str, channels: int) -> None:
    pixels = {1: RGB16[..., 0], 3: RGB16, 4: np.dstack([RGB16, ALPHA16])}[channels]
    order = {1: ..., 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    cv2.imwrite(str(tmp_path / f"a{suffix}"), pixels if channels == 1 else pixels[..., order])
    rgb, alpha = read_picture(tmp_path / f"a{suffix}")
    assert rgb.dtype == np.uint16
    np.testing.assert_array_equal(rgb, RGB16[..., [0, 0, 0]] if channels == 1 else RGB16)
    assert (alpha is not None) == (channels == 4)
    if alpha is not None:
        np.testing.assert_array_equal(alpha, ALPHA16)


def test_sixteen_bits_gray_and_alpha_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png16(np.dstack([RGB16[..., 0], ALPHA16]), 4))
    rgb, alpha = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(rgb, RGB16[..., [0, 0, 0]])
    np.testing.assert_array_equal(alpha, ALPHA16)


@pytest.mark.parametrize("colour_type", [0, 2])
def test_sixteen_bits_with_one_transparent_colour(tmp_path: Path, colour_type: int) -> None:
    samples = RGB16[..., 0] if colour_type == 0 else RGB16
    key = np.atleast_1d(samples[2, 3]).astype(">u2").tobytes()
    (tmp_path / "a.png").write_bytes(png16(samples, colour_type, key))
    rgb, alpha = read_picture(tmp_path / "a.png")
    assert rgb[2, 3, 0] == RGB16[2, 3, 0]
    assert alpha is not None
    assert (alpha[2, 3], alpha[0, 0]) == (0, 65535)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    smooth = np.repeat(np.linspace(0, 250, 48).reshape(6, 8)[..., None], 3, 2).astype(np.uint8)
    big = np.repeat(np.repeat(smooth, 8, 0), 8, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(big).save(tmp_path / f"a{suffix}", exif=exif)
    # Where each orientation's stored rows and columns belong, by NumPy alone (Exif 2.32).
    expected = [
        big, big[:, ::-1], np.rot90(big, 2), big[::-1],
        big.swapaxes(0, 1), np.rot90(big, -1), np.rot90(big, 2).swapaxes(0, 1), np.rot90(big),
    ][orientation - 1]  # fmt: skip
    rgb = read_picture(tmp_path / f"a{suffix}")[0]
    assert rgb.shape == expected.shape
    assert np.abs(rgb.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("orientation", range(2, 9))
def test_orientation_of_sixteen_bits_is_that_of_eight(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "PNG", exif=exif)
    (tmp_path / "eight.png").write_bytes(buffer.getvalue())
    content = png16(RGB.astype(np.uint16) * 257, 2)
    tag = exif.tobytes()[6:]
    chunk = struct.pack(">I", len(tag)) + b"eXIf" + tag
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    (tmp_path / "sixteen.png").write_bytes(content[:33] + chunk + content[33:])
    eight, sixteen = (read_picture(tmp_path / f"{name}.png")[0] for name in ("eight", "sixteen"))
    np.testing.assert_array_equal(sixteen, eight.astype(np.uint16) * 257)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_lossless_round_trip(tmp_path: Path, suffix: str, with_alpha: bool) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode_picture(path, RGB, ALPHA if with_alpha else None, quality=100))
    rgb, alpha = read_picture(path)
    np.testing.assert_array_equal(rgb, RGB)
    assert (alpha is not None) == with_alpha
    if alpha is not None:
        np.testing.assert_array_equal(alpha, ALPHA)
    with Image.open(path) as image:
        assert image.format == {".tif": "TIFF"}.get(suffix, suffix[1:].upper())


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_sixteen_bit_round_trip(tmp_path: Path, suffix: str, with_alpha: bool) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode_picture(path, RGB16, ALPHA16 if with_alpha else None, quality=90))
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    np.testing.assert_array_equal(pixels[..., 2::-1], RGB16)
    assert pixels.shape[2] == 3 + with_alpha


def test_jpeg_quality_and_full_chroma(tmp_path: Path) -> None:
    path = tmp_path / "a.jpeg"
    low, high = (encode_picture(path, RGB, None, quality=quality) for quality in (20, 95))
    assert len(low) < len(high)
    with Image.open(io.BytesIO(high)) as image:
        assert image.layer[0][1:3] == image.layer[1][1:3] == (1, 1)  # type: ignore[attr-defined]
        assert np.abs(np.asarray(image).astype(int) - RGB).mean() < 6


def test_sixteen_bits_are_rounded_for_formats_of_eight(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(encode_picture(path, RGB16, None, quality=90))
    np.testing.assert_array_equal(read_picture(path)[0], np.rint(RGB16 / 257))


def test_jpeg_refuses_transparency(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a\.jpg: JPEG cannot hold transparency; .*\.png"):
        encode_picture(tmp_path / "a.jpg", RGB, ALPHA, quality=90)


def test_not_a_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("a text")
    (tmp_path / "b.png").write_bytes(b"")
    for name in ("a.png", "b.png"):
        with pytest.raises(MediaError, match=f"{name} is not a picture"):
            read_picture(tmp_path / name)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp"])
@pytest.mark.parametrize("deep", [False, True])
def test_cut_off_picture(tmp_path: Path, suffix: str, deep: bool) -> None:
    pixels = GENERATOR.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / f"a{suffix}"
    content = encode_picture(path, pixels.astype(np.uint16) * 257 if deep else pixels, None, 90)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaError, match=rf"a\{suffix} is (damaged|not a picture)") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


def test_unusual_samples_and_animations(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0].astype(np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(
        MediaError, match=r"float\.tif has samples of floating point beyond 1; save it with 8"
    ):
        read_picture(tmp_path / "float.tif")
    pages = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    pages[0].save(tmp_path / "two.webp", save_all=True, append_images=pages[1:])
    with pytest.raises(MediaError, match=r"two\.webp holds 2 pictures"):
        read_picture(tmp_path / "two.webp")
