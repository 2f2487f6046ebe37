"""What open_source and open_sink refuse, each in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from colorize.media import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    MediaError,
    check_output,
    open_sink,
    open_source,
)
from tests.colorize.media.films import make_film


def make_picture(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path)
    return path


def missing(folder: Path) -> Path:
    return folder / "nowhere"


def empty(folder: Path) -> Path:
    (folder / "frames").mkdir()
    return folder / "frames"


def text_as_picture(folder: Path) -> Path:
    (folder / "a.png").write_text("a text\nof two lines")
    return folder / "a.png"


def text_as_film(folder: Path) -> Path:
    (folder / "a.mp4").write_text("a text\nof two lines")
    return folder / "a.mp4"


def empty_film(folder: Path) -> Path:
    (folder / "a.mkv").write_bytes(b"")
    return folder / "a.mkv"


def unknown(folder: Path) -> Path:
    (folder / "a.psd").write_text("")
    return folder / "a.psd"


def only_sound(folder: Path) -> Path:
    make_film(folder / "with.mp4")
    with av.open(str(folder / "with.mp4")) as old, av.open(str(folder / "sound.mp4"), "w") as new:
        track = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(audio=0):
            if packet.size:
                packet.stream = track
                new.mux(packet)
    return folder / "sound.mp4"


def no_frames(folder: Path) -> Path:
    return make_film(folder / "none.mkv", count=0, audio=None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (missing, "nowhere does not exist"),
        (empty, "frames holds no pictures .* name a folder of frames"),
        (text_as_picture, r"a\.png is not a picture"),
        (text_as_film, r"a\.mp4 is not a film that can be read .* check that it plays"),
        (empty_film, r"a\.mkv is empty; copy it again"),
        (unknown, r"a\.psd is neither a folder nor a known kind of file; known are .*\.mkv"),
        (only_sound, r"sound\.mp4 has no video stream"),
        (no_frames, r"none\.mkv.*(no frame could be decoded|not a film)"),
    ],
)
def test_bad_input(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        open_source(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_line_break_in_a_name_stays_out_of_the_message() -> None:
    assert str(MediaError("a\nb.png is bad")) == "a b.png is bad"


def test_an_output_is_checked_before_any_work(tmp_path: Path) -> None:
    film = open_source(make_film(tmp_path / "in.mkv", count=2, subtitles="subrip"))
    folder = open_source(make_picture(tmp_path / "frames" / "1.png").parent)
    before = sorted(tmp_path.rglob("*"))
    for path, like, message in [
        (tmp_path / "in.mkv", film, "is the input"),
        (tmp_path / "new" / "out.xyz", film, "films are written as"),
        (tmp_path / "new" / "out.avi", film, "neither hold subtitle track 2"),
        (tmp_path / "frames" / "out", folder, "lies inside it"),
        (tmp_path / "out.mp4", folder, "names a file, but the input is a folder"),
    ]:
        with pytest.raises(MediaError, match=message):
            check_output(path, like=like)
    check_output(tmp_path / "new" / "out.mp4", like=film)
    check_output(tmp_path / "new", like=folder)
    assert sorted(tmp_path.rglob("*")) == before


def test_output_in_the_input_is_refused(tmp_path: Path) -> None:
    picture = make_picture(tmp_path / "frames" / "1.png")
    (tmp_path / "link").symlink_to(tmp_path / "frames", target_is_directory=True)
    (tmp_path / "link.png").symlink_to(picture)
    folder, image = open_source(tmp_path / "frames"), open_source(picture)
    inside = [tmp_path / "frames", tmp_path / "frames" / "out" / "deep", tmp_path / "link" / "out"]
    inside += [tmp_path / "frames" / ".." / "frames"]
    for path in inside:
        with pytest.raises(MediaError, match=r"is the input .* or lies inside it; name another"):
            open_sink(path, like=folder)
    for path in (picture, tmp_path / "link.png", tmp_path / "link" / "1.png"):
        with pytest.raises(MediaError, match="is the input"):
            open_sink(path, like=image)
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["1.png"]


def test_film_is_not_written_onto_itself(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mp4", count=2, audio=None)
    content = film.read_bytes()
    (tmp_path / "other.mp4").hardlink_to(film)
    for name in ("in.mp4", "other.mp4"):
        with pytest.raises(MediaError, match="is the input"):
            open_sink(tmp_path / name, like=open_source(film))
    assert film.read_bytes() == content


def test_forms_must_agree(tmp_path: Path) -> None:
    folder = open_source(make_picture(tmp_path / "frames" / "1.png").parent)
    image = open_source(tmp_path / "frames" / "1.png")
    film = open_source(make_film(tmp_path / "in.mp4", count=2, audio=None))
    (tmp_path / "file").write_text("")
    (tmp_path / "there").mkdir()
    for path, like, message in [
        (tmp_path / "file", folder, "is a file, but the input is a folder"),
        (tmp_path / "out.mp4", folder, "names a file, but the input is a folder"),
        (tmp_path / "there", image, r"is a folder; name a file, for example .*1\.png"),
        (tmp_path / "out.mp4", image, "images are written as"),
        (tmp_path / "out", film, r"films are written as \.mp4"),
        (tmp_path / "out.xyz", film, r"out\.xyz: films are written as .*\.mkv"),
        (tmp_path / "file" / "out.mp4", film, "cannot write .*(Not a directory|File exists)"),
        (tmp_path / "file" / "out", folder, "cannot write .*(Not a directory|File exists)"),
    ]:
        with pytest.raises(MediaError, match=message) as caught:
            open_sink(path, like=like)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("quality", [0, 101])
def test_quality_is_bounded(tmp_path: Path, quality: int) -> None:
    source = open_source(make_picture(tmp_path / "frames" / "1.png"))
    with pytest.raises(ValueError, match=f"quality must be from 1 to 100, got {quality}"):
        open_sink(tmp_path / "out.jpg", like=source, quality=quality)


def test_suffixes_name_what_is_read() -> None:
    assert {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"} <= IMAGE_SUFFIXES
    assert {".dpx", ".exr", ".tga", ".pgm", ".jp2"} <= IMAGE_SUFFIXES
    assert {".dv", ".m2v", ".y4m", ".gif", ".asf", ".divx", ".rm"} <= VIDEO_SUFFIXES
    assert {".mp4", ".mkv", ".mov", ".webm", ".avi"} <= VIDEO_SUFFIXES
