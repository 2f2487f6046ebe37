"""What is uploaded is counted, named plainly, and is what its name says; else nothing stays."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.app.uploads import Limits
from tests.colorize.app.pages import Page, film_bytes, gray_frames, png
from tests.colorize.films.drawn import tinted

SMALL = png(gray_frames()[0])


@pytest.fixture
def job(page: Page) -> str:
    return f"/api/jobs/{page.post('/api/jobs', status=201)['id']}"


def left(page: Page) -> list[str]:
    """All files that uploads have left in the page's own folder."""
    jobs = page.studio.work / "jobs"
    return sorted(p.name for p in jobs.rglob("*") if p.is_file() and p.name != "page.json")


def test_a_picture_and_a_film_arrive_whole(page, job, tmp_path):
    film = film_bytes(tmp_path)
    page.put(f"{job}/input/a film ä.mkv", film)
    page.put(f"{job}/references/one.png", png(tinted(gray_frames()[0])[..., ::-1]))
    assert left(page) == ["a film ä.mkv", "one.png"]
    assert next((page.studio.work / "jobs").rglob("*.mkv")).read_bytes() == film


def test_three_gigabytes_are_refused_by_their_announcement(page, job):
    answer = page.client.put(
        f"{job}/input/film.mp4", content=b"x", headers={"Content-Length": str(3 * 2**30)}
    )
    assert answer.status_code == 413
    assert "film.mp4 has more than 2 GiB" in answer.json()["error"]
    assert left(page) == []


def test_more_than_announced_is_refused_while_it_comes(tmp_path):
    page = Page(tmp_path, limits=Limits(file_bytes=3 * 2**20))
    job = f"/api/jobs/{page.post('/api/jobs', status=201)['id']}"
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * 2**20:
            sent += 2**18
            yield bytes(2**18)

    answer = page.client.put(f"{job}/input/film.mp4", content=endless())
    assert answer.status_code == 413
    assert "more than 0.00293 GiB" in answer.json()["error"]
    assert left(page) == []


def test_a_set_is_limited_in_count_and_size(tmp_path):
    page = Page(tmp_path, limits=Limits(files=2, set_bytes=3 * len(SMALL)))
    job = f"/api/jobs/{page.post('/api/jobs', status=201)['id']}"
    page.put(f"{job}/input/1.png", SMALL)
    page.put(f"{job}/input/2.png", SMALL)
    assert "more than 2 files" in page.put(f"{job}/input/3.png", SMALL, 413)["error"]
    page.delete(f"{job}/input/2.png")
    large = png(np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8))
    assert "all files together" in page.put(f"{job}/input/3.png", large, 413)["error"]
    page.put(f"{job}/input/2.png", SMALL)


@pytest.mark.parametrize(
    "name", ["..%2Fx.png", "%2Fetc%2Fx.png", ".hidden.png", "a%5Cb.png", "C:x.png"]
)
def test_a_name_that_is_more_than_a_name_is_refused(page, job, name):
    answer = page.client.put(f"{job}/input/{name}", content=SMALL)
    assert answer.status_code in (400, 404)
    assert left(page) == []


def test_an_html_page_named_png_is_refused(page, job):
    html = b"<!doctype html><script>alert(1)</script>"
    said = page.put(f"{job}/input/drawing.png", html, 415)["error"]
    assert said == "drawing.png is no picture, whatever its name says"
    assert left(page) == []


def test_a_jpeg_named_png_is_refused(page, job):
    content = io.BytesIO()
    Image.fromarray(gray_frames()[0]).save(content, "JPEG")
    assert "is a JPEG file" in page.put(f"{job}/input/a.png", content.getvalue(), 415)["error"]


def test_a_play_list_named_mp4_is_refused(page, job):
    lists = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    said = "is not a video, whatever its name says"
    assert page.put(f"{job}/input/a.mp4", lists, 415)["error"] == f"a.mp4 {said}"
    listed = page.put(f"{job}/input/b.mkv", b"ffconcat version 1.0", 415)["error"]
    assert listed == f"b.mkv {said}"


def test_a_film_of_another_kind_and_an_empty_file_are_called_so(page, job, tmp_path):
    said = page.put(f"{job}/input/a.mp4", film_bytes(tmp_path), 415)["error"]
    assert said == "a.mp4 is a video of another kind; name it .mkv or .webm"
    for name in ("a.mp4", "a.png"):
        said = page.put(f"{job}/input/{name}", b"", 415)["error"]
        assert said == f"{name} is empty; copy it again"
    assert left(page) == []


def test_a_picture_that_unpacks_to_too_much_is_refused(page, job):
    """A PNG of some kilobytes that stands for 20000 x 20000 pixels: a bomb."""
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(20_000 * 2501), 9)
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )
    assert len(bomb) < 100_000
    said = page.put(f"{job}/input/bomb.png", bomb, 413)["error"]
    assert "20000×20000 pixels" in said or "unpacks to far more" in said
    assert left(page) == []


def test_pictures_and_films_of_more_pixels_than_the_limit_are_refused(tmp_path):
    page = Page(tmp_path, limits=Limits(pixels=6000))
    job = f"/api/jobs/{page.post('/api/jobs', status=201)['id']}"
    assert "a.png has 96×64 pixels" in page.put(f"{job}/input/a.png", SMALL, 413)["error"]
    film = film_bytes(tmp_path)
    assert "a.mkv has 96×64 pixels" in page.put(f"{job}/input/a.mkv", film, 413)["error"]
    assert left(page) == []


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.png", "bomb.mp4"])
def test_a_zip_bomb_is_refused_under_any_name(page, job, name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("frames.bin", bytes(50 * 2**20))
    assert len(content.getvalue()) < 100_000
    page.put(f"{job}/input/{name}", content.getvalue(), 415)
    assert left(page) == []


def test_a_cut_off_picture_is_refused(page, job):
    noise = png(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    assert "damaged" in page.put(f"{job}/input/a.png", noise[:-600], 415)["error"]


def test_two_files_of_one_name_do_not_replace_each_other(page, job):
    page.put(f"{job}/input/a.png", SMALL)
    assert "two files are called A.png" in page.put(f"{job}/input/A.png", SMALL, 409)["error"]


def test_a_reference_replaces_one_of_its_name_once_it_is_whole(page, job):
    old, new = (png(tinted(gray_frames()[n])[..., ::-1]) for n in (0, 1))
    page.put(f"{job}/references/a.png", old)
    page.put(f"{job}/references/a.png", new[:-40], 415)
    path = next((page.studio.work / "jobs").rglob("a.png"))
    assert path.read_bytes() == old
    page.put(f"{job}/references/a.png", new)
    assert path.read_bytes() == new
    page.put(f"{job}/references/A.png", new, 409)  # another name to us, the same to some disks


def test_a_broken_upload_leaves_nothing_and_can_be_repeated(page, job):
    page.client.put(f"{job}/input/a.png", content=SMALL[:50])
    assert left(page) == []
    page.put(f"{job}/input/a.png", SMALL)
    assert left(page) == ["a.png"]


def test_a_full_disk_is_one_line(page, job, monkeypatch):
    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    said = page.put(f"{job}/input/a.png", SMALL, 400)["error"]
    assert "No space left on device; free some space" in said
    assert str(page.folder) not in said
