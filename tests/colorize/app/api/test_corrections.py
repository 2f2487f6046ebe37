"""A frame is taken away under its name, corrected, and brought back to the same frame."""

from __future__ import annotations

import io
import urllib.parse
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from colorize.media.pictures.openraster import Layer, encode_openraster
from tests.colorize.app.pages import LENGTHS, Page, film_bytes, frame_files, gray_frames, png
from tests.colorize.films.drawn import tinted
from tests.colorize.tiny import write_reference_safetensors

COUNT = sum(LENGTHS)


@pytest.fixture
def guided(page: Page, tmp_path: Path) -> str:
    write_reference_safetensors(tmp_path / "models/guided.safetensors")
    return "models/guided.safetensors"


def coloured(number: int) -> np.ndarray:
    """Frame ``number`` of the clip in colour, RGB."""
    return tinted(gray_frames()[number])


def as_png(rgb: np.ndarray) -> bytes:
    return png(rgb[..., [2, 1, 0, 3][: rgb.shape[2]]])


def reference(page: Page, job: str, name: str) -> np.ndarray:
    held = page.studio.jobs.get(job.split("/")[-1])
    return np.asarray(Image.open(held.references / name))


@pytest.mark.parametrize("film", [True, False])
def test_a_frame_is_saved_by_the_name_that_leads_back_to_it(page, tmp_path, guided, film):
    files = {"a film.mkv": film_bytes(tmp_path)} if film else frame_files()
    job = page.job(files, checkpoint=guided)
    page.get(f"{job}/result/10.png", 409)
    page.post(f"{job}/start")
    assert page.wait(job)["state"] == "done"
    names = []
    for side in ("original", "result"):
        answer = page.client.get(f"{job}/{side}/10.png")
        names.append(urllib.parse.unquote(answer.headers["content-disposition"].split("''")[1]))
        picture = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)
        assert picture.shape == (64, 96, 3)
        assert np.abs(picture @ [0.299, 0.587, 0.114] - gray_frames()[10]).mean() < 4
        assert (np.ptp(picture, axis=2).max() > 8) == (side == "result")
    stem = "a film_0010" if film else "10"
    assert names == [f"{stem}_gray.png", f"{stem}.png"]
    for name in names:  # dropped anywhere, each is frame 10 again
        taken = page.put(f"{job}/references/{name}", as_png(coloured(10)))
        assert (taken["frame"], taken["said"]) == (10, [])
    page.get(f"{job}/original/{COUNT}.png", 404)


def test_a_corrected_frame_is_its_frame_whatever_its_file_is_called(page, guided):
    job = page.job(frame_files(), checkpoint=guided)
    taken = page.put(f"{job}/corrections/10/my%20best%203.png", as_png(coloured(10)))
    assert (taken["name"], taken["frame"]) == ("10.png", 10)
    # Another correction of it takes its place, whatever form it has.
    again = io.BytesIO()
    Image.fromarray(coloured(10)).save(again, "WEBP", lossless=True)
    assert page.put(f"{job}/corrections/10/x.webp", again.getvalue())["name"] == "10.webp"
    assert page.get(job)["references"] == ["10.webp"]


def test_a_picture_that_shows_another_frame_is_never_laid_over_this_one(page, guided):
    job = page.job(frame_files(), checkpoint=guided)
    said = page.put(f"{job}/corrections/2/a.png", as_png(coloured(20)), 415)["error"]
    assert said == (
        "a.png does not show frame 2: drop a picture of this frame, or drop it under References to "
        "follow it wherever it fits"
    )
    assert page.get(job)["references"] == []
    taken = page.put(f"{job}/corrections/2/a.png", as_png(coloured(3)))
    assert (taken["frame"], taken["said"]) == (
        3, ["02.png shows frame 3, not 2: it is taken for frame 3"],
    )  # fmt: skip
    assert "they are 0 to 23" in page.put(f"{job}/corrections/24/a.png", b"", 400)["error"]


def test_a_number_beyond_the_film_is_said_when_it_is_dropped(page):
    job = page.job(frame_files())
    taken = page.put(f"{job}/references/frame_0040.png", as_png(coloured(0)))
    assert taken["frame"] is None
    assert taken["said"] == [
        "frame_0040.png is called after frame 40, but the frames are 0 to 23: it serves wherever "
        "it fits"
    ]


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_parts_left_gray_show_nothing_unless_somebody_says_that_they_are_gray(
    page, guided, keep, form
):
    job = page.job(frame_files(), checkpoint=guided)
    half = coloured(10)
    half[:, :48] = gray_frames()[10][:, :48, None]
    content = io.BytesIO()
    Image.fromarray(half).save(content, form, **({"quality": 98} if form == "JPEG" else {}))
    taken = page.put(f"{job}/corrections/10/a.{form.lower()}", content.getvalue())
    assert (taken["name"], taken["frame"], taken["said"]) == ("10.png", 10, [])
    assert 0.3 < taken["gray"] < 0.52, "half, less what is black or white"
    hidden = reference(page, job, "10.png")
    assert hidden.shape == (64, 96, 4)
    assert (hidden[:, 52:, 3] == 255).all(), "what is painted is shown"
    assert (hidden[:, :44, 3] == 0).mean() > 0.7
    small = np.asarray(Image.open(io.BytesIO(page.get(f"{job}/references/10.png"))))
    assert small[hidden[..., 3] == 0].mean() > 235, "what shows nothing is white"
    page.post(f"{job}/references/10.png/gray", {"keep": keep})
    now = reference(page, job, "10.png")
    if keep:
        assert np.abs(now[..., :3].astype(int) - half).max() <= (0 if form == "PNG" else 60)
        assert now.shape == (64, 96, 3)
    else:
        assert np.array_equal(now, hidden)
    held = page.studio.jobs.get(job.split("/")[-1])
    assert [path.name for path in held.references.iterdir()] == ["10.png"]


def test_a_reference_says_before_and_after_the_plan_what_it_serves(page, guided):
    job = page.job(frame_files(), checkpoint=guided)
    page.put(f"{job}/references/10.png", as_png(coloured(10)))
    assert page.get(job)["served"] == {"10.png": {"looked_at": False, "frame": None, "shots": []}}
    page.post(f"{job}/start", {"plan_only": True})
    page.wait(job)
    found = page.get(job)["served"]["10.png"]
    assert (found["looked_at"], found["frame"]) == (True, 10)
    assert 2 in found["shots"]
    page.put(f"{job}/references/10.png", as_png(255 - coloured(10)))
    assert page.get(job)["served"]["10.png"]["looked_at"] is False, "it is another picture now"


def test_a_coat_painted_in_a_gray_frame_is_a_correction(page, guided):
    job = page.job(frame_files(), checkpoint=guided)
    gray = np.repeat(gray_frames()[10][..., None], 3, axis=2)
    gray[40:52, 60:72] = tinted(gray_frames()[10])[40:52, 60:72]  # 2 % of it
    taken = page.put(f"{job}/corrections/10/a.png", as_png(gray))
    assert (taken["name"], taken["frame"]) == ("10.png", 10)
    assert taken["gray"] > 0.7
    for keep in (False, True):
        page.post(f"{job}/references/10.png/gray", {"keep": keep})
        page.post(f"{job}/start")
        done = page.wait(job)
        assert done["state"] == "done", done["message"]
        assert done["served"]["10.png"]["frame"] == 10
        page.put(f"{job}/corrections/10/a.png", as_png(gray))


def test_what_is_no_answer_is_refused(page):
    job = page.job(frame_files())
    page.put(f"{job}/references/a.png", as_png(coloured(0)))
    assert "keep is missing" in page.post(f"{job}/references/a.png/gray", {}, 400)["error"]
    assert cv2.imdecode(np.frombuffer(as_png(coloured(0)), np.uint8), 1).shape == (64, 96, 3)


def test_what_is_painted_in_layers_becomes_a_transparent_reference(page, guided):
    job = page.job(frame_files(), checkpoint=guided)
    gray = np.repeat(gray_frames()[10][..., None], 3, axis=2)
    clear = np.zeros((64, 96), np.uint8)
    shown = clear.copy()
    shown[8:40, 10:60] = 255
    layers = [
        Layer("drawing", gray, None, operation="svg:luminosity"),
        Layer("colours", coloured(10), shown),
    ]
    content = encode_openraster(layers, merged=gray)
    taken = page.put(f"{job}/references/10.ora", content)
    assert (taken["name"], taken["frame"]) == ("10.png", 10)
    kept = reference(page, job, "10.png")
    assert np.array_equal(kept[..., 3], shown)
    assert page.get(job)["references"] == ["10.png"]
    said = page.put(f"{job}/references/11.ora", b"no layers", 415)["error"]
    assert said.startswith("11.ora")
    assert "References" in page.put(f"{job}/input/x.ora", content, 415)["error"]
