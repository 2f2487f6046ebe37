"""TIFF of scanners, written by tifffile or by Pillow and read back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.media import MediaError, open_sink, open_source
from colorize.media.pictures.coding import encode_picture, read_picture

GENERATOR = np.random.default_rng(0)
GRAY = GENERATOR.integers(0, 65536, (5, 7), dtype=np.uint16)
RGB = GENERATOR.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
ALPHA = GENERATOR.integers(1, 65536, (5, 7), dtype=np.uint16)


def three(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=2)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_white_as_zero(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, 65535 - GRAY, photometric="miniswhite", compression=compression)
    rgb, alpha = read_picture(path)
    assert alpha is None
    np.testing.assert_array_equal(rgb, three(GRAY))


@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_order_of_planes(tmp_path: Path, planes: str) -> None:
    path, stored = tmp_path / "a.tif", RGB if planes == "contig" else np.moveaxis(RGB, 2, 0)
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planes)
    np.testing.assert_array_equal(read_picture(path)[0], RGB)


def test_lzw_as_pillow_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(GRAY).save(path, compression="tiff_lzw")
    np.testing.assert_array_equal(read_picture(path)[0], three(GRAY))


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_alpha_of_both_kinds(tmp_path: Path, colors: int, kind: str) -> None:
    """Colours multiplied by alpha are divided again, to within the rounding of both."""
    own = RGB if colors == 3 else GRAY[..., None]
    stored = own
    if kind == "assocalpha":
        stored = np.rint(own * (ALPHA[..., None] / 65535)).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        np.dstack([stored, ALPHA]),
        photometric="rgb" if colors == 3 else "minisblack",
        planarconfig="contig",
        extrasamples=[kind],
    )
    rgb, alpha = read_picture(path)
    error = np.abs(rgb.astype(int) - np.broadcast_to(own, rgb.shape))
    if kind == "assocalpha":
        assert (error <= 0.5 * 65535 / ALPHA[..., None] + 0.5).all()
    else:
        assert error.max() == 0
    if kind == "unspecified":  # infrared, for one
        assert alpha is None
    else:
        assert alpha is not None
        np.testing.assert_array_equal(alpha, ALPHA)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: Path, orientation: int) -> None:
    """Pillow's own turning of the same file in 8 bits is the oracle."""
    small = (GRAY // 256).astype(np.uint8)
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(small).save(buffer, "PNG", exif=exif)
    path = tmp_path / "a.png"
    path.write_bytes(buffer.getvalue())
    expected = read_picture(path)[0]
    tag = [(274, "H", 1, orientation, True)]
    deep = tmp_path / "a.tif"
    tifffile.imwrite(deep, small.astype(np.uint16) * 257, extratags=tag, photometric="minisblack")
    np.testing.assert_array_equal(read_picture(deep)[0], expected.astype(np.uint16) * 257)


@pytest.mark.parametrize("alpha", [None, ALPHA])
def test_what_is_written_is_read_by_others(tmp_path: Path, alpha: np.ndarray | None) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(encode_picture(path, RGB, alpha, quality=90))
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        assert [int(each) for each in page.extrasamples] == ([] if alpha is None else [2])
        pixels = page.asarray()
    np.testing.assert_array_equal(pixels[..., :3], RGB)
    if alpha is not None:
        np.testing.assert_array_equal(pixels[..., 3], alpha)


@pytest.mark.parametrize(("suffix", "deep"), [(".tif", True), (".png", True), (".tif", False),
                                              (".png", False), (".jpg", False)])  # fmt: skip
def test_dots_an_inch_are_kept(tmp_path: Path, suffix: str, deep: bool) -> None:
    path = tmp_path / "in" / f"a{suffix}"
    path.parent.mkdir()
    pixels = GRAY if deep else (GRAY // 256).astype(np.uint8)
    Image.fromarray(pixels).save(path, dpi=(2400, 1200))
    source = open_source(path.parent)
    with open_sink(tmp_path / "out", like=source) as sink:
        for frame in source:
            sink.write(frame)
    with Image.open(tmp_path / "out" / f"a{suffix}") as written:
        assert written.info["dpi"] == pytest.approx((2400, 1200), abs=0.02)
    assert read_picture(tmp_path / "out" / f"a{suffix}")[0].dtype == pixels.dtype


def test_pages_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([GRAY, GRAY]), photometric="minisblack")
    with pytest.raises(MediaError, match=r"a\.tif holds 2 pictures; save each as a file"):
        read_picture(path)


def test_damage_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.dstack([RGB, ALPHA]), photometric="rgb", extrasamples=["unassalpha"])
    whole = path.read_bytes()
    for length in range(20, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(MediaError, match=r"a\.tif is ") as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)
