"""Folders of pictures and single pictures, in and out."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize.media import MediaError, open_sink, open_source
from tests.colorize.media.films import limited_files


def picture(value: int, size: tuple[int, int] = (4, 6)) -> np.ndarray:
    return np.full((*size, 3), value, np.uint8)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def make_folder(folder: Path) -> Path:
    """Three frames, the middle one larger, among what is to be left alone."""
    folder.mkdir()
    for value, name in enumerate(["a 10.png", "a 1.png", "a 2.PNG"]):
        Image.fromarray(picture(value, (8, 9) if value == 2 else (4, 6))).save(folder / name)
    (folder / ".hidden.png").write_text("no picture")
    (folder / "notes.txt").write_text("no picture")
    (folder / "inner.png").mkdir()
    return folder


def copy(source: Path, target: Path, quality: int = 90) -> None:
    frames = open_source(source)
    with open_sink(target, like=frames, quality=quality) as sink:
        for frame in frames:
            sink.write(frame)


def test_natural_order_names_sizes_and_count(tmp_path: Path) -> None:
    source = open_source(make_folder(tmp_path / "frames ü"))
    assert (source.kind, source.count, source.size, source.rate) == ("folder", 3, (4, 6), None)
    frames = list(source)
    assert [frame.name for frame in frames] == ["a 1.png", "a 2.PNG", "a 10.png"]
    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == [1, 2, 0]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.rgb.shape[:2] for frame in frames] == [(4, 6), (8, 9), (4, 6)]
    assert [frame.name for frame in source] == [frame.name for frame in frames]


def test_part_of_a_folder(tmp_path: Path) -> None:
    source = open_source(make_folder(tmp_path / "frames"))
    assert [frame.index for frame in source.frames(1)] == [1, 2]
    assert [frame.name for frame in source.frames(1, 2)] == ["a 2.PNG"]
    assert list(source.frames(3)) == []


def test_pictures_left_out_are_not_opened(tmp_path: Path) -> None:
    source = open_source(make_folder(tmp_path / "frames"))
    (tmp_path / "frames" / "a 2.PNG").write_text("spoilt meanwhile")
    assert [frame.index for frame in source.frames(only={0, 2})] == [0, 2]
    assert [frame.name for frame in source.frames(1, only={0, 2})] == ["a 10.png"]
    with pytest.raises(MediaError, match=r"a 2\.PNG is not a picture"):
        list(source.frames(only={1}))


def test_frames_are_read_one_at_a_time(tmp_path: Path) -> None:
    source = open_source(make_folder(tmp_path / "frames"))
    stream = iter(source)
    next(stream)
    (tmp_path / "frames" / "a 2.PNG").write_text("spoilt meanwhile")
    with pytest.raises(MediaError, match=r"a 2\.PNG is not a picture"):
        next(stream)


def test_same_names_and_sizes_come_out(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "frames")
    copy(source, tmp_path / "deep" / "out.v2")
    assert names(tmp_path / "deep" / "out.v2") == ["a 1.png", "a 10.png", "a 2.PNG"]
    for path in (tmp_path / "deep" / "out.v2").iterdir():
        with Image.open(path) as out, Image.open(source / path.name) as original:
            np.testing.assert_array_equal(np.asarray(out), np.asarray(original))


def test_each_format_comes_out_as_it_was(tmp_path: Path) -> None:
    source = tmp_path / "frames"
    source.mkdir()
    for suffix in ("jpg", "webp", "tif", "bmp", "png"):
        Image.fromarray(picture(90, (16, 16))).save(source / f"1.{suffix}")
    cv2.imwrite(str(source / "2.png"), np.full((4, 4), 40000, np.uint16))
    copy(source, tmp_path / "out", quality=95)
    formats = {}
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as image:
            formats[path.name] = image.format
    assert formats == {
        "1.jpg": "JPEG", "1.webp": "WEBP", "1.tif": "TIFF", "1.bmp": "BMP",
        "1.png": "PNG", "2.png": "PNG",
    }  # fmt: skip
    deep = cv2.imread(str(tmp_path / "out" / "2.png"), cv2.IMREAD_UNCHANGED)
    assert deep is not None
    assert (deep.dtype, int(deep[0, 0, 0])) == (np.uint16, 40000)


def test_existing_folder_keeps_its_other_files(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "frames")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    (tmp_path / "out" / "a 1.png").write_text("replace")
    copy(source, tmp_path / "out")
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"
    with Image.open(tmp_path / "out" / "a 1.png") as image:
        assert image.size == (6, 4)


def test_written_files_are_as_readable_as_any(tmp_path: Path) -> None:
    copy(make_folder(tmp_path / "frames"), tmp_path / "out")
    (tmp_path / "plain").write_text("")
    expected = (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "out" / "a 1.png").stat().st_mode == expected


def test_what_was_done_stays_after_an_error(tmp_path: Path) -> None:
    source = open_source(make_folder(tmp_path / "frames"))

    def write_one_and_fail() -> None:
        with open_sink(tmp_path / "out", like=source) as sink:
            sink.write(next(iter(source)))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_one_and_fail()
    assert names(tmp_path / "out") == ["a 1.png"]


def test_full_disk(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "frames" / "1.png")
    message = r"cannot write .*out.1\.png: File too large; free some space"
    with pytest.raises(MediaError, match=message), limited_files(4096):
        copy(tmp_path / "frames", tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_long_and_strange_names(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    name = "кадр %05d 'x' " + "漫" * 70 + ".png"
    Image.fromarray(picture(7)).save(tmp_path / "frames" / name)
    copy(tmp_path / "frames", tmp_path / "out")
    assert names(tmp_path / "out") == [name]


def test_single_image(tmp_path: Path) -> None:
    Image.fromarray(picture(7)).save(tmp_path / "in.png")
    source = open_source(tmp_path / "in.png")
    assert (source.kind, source.count, source.size) == ("image", 1, (4, 6))
    copy(tmp_path / "in.png", tmp_path / "new" / "out.webp", quality=100)
    with Image.open(tmp_path / "new" / "out.webp") as image:
        assert image.format == "WEBP"
        assert np.asarray(image)[0, 0].tolist() == [7, 7, 7]
    assert names(tmp_path / "new") == ["out.webp"]


def test_a_plain_picture_needs_no_note(tmp_path: Path) -> None:
    Image.fromarray(picture(90)).save(tmp_path / "a.png")
    assert open_source(tmp_path / "a.png").notes == ()


def test_a_colour_profile_other_than_srgb(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(picture(90)).save(tmp_path / "srgb.png", icc_profile=srgb)
    Image.fromarray(picture(90)).save(tmp_path / "frames" / "1.png", icc_profile=lab)
    assert open_source(tmp_path / "srgb.png").notes == ()
    (note,) = open_source(tmp_path / "frames").notes
    assert re.search(r"1\.png has a colour profile other than sRGB, .* convert it to sRGB", note)
