"""Jobs of the page: coloured, stopped, gone on with, fetched; each tab has its own."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from colorize.app.jobs import references_of
from colorize.app.server import make_app
from colorize.app.studio import Studio
from colorize.films.plan.manifest import read_manifest
from tests.colorize.app.pages import LENGTHS, Page, film_bytes, frame_files, gray_frames, png
from tests.colorize.films.drawn import tinted
from tests.colorize.tiny import write_reference_safetensors, write_safetensors


def test_a_film_is_coloured_and_comes_back_with_its_sound(page, tmp_path):
    job = page.job({"film.mkv": film_bytes(tmp_path)})
    assert page.post(f"{job}/start")["state"] in ("waiting", "running")
    done = page.wait(job)
    assert (done["state"], done["message"]) == ("done", "")
    assert done["view"]["frames"] == sum(LENGTHS)
    assert [part["done"] for part in done["view"]["parts"]] == [True] * 3
    film = page.get(f"{job}/download")
    with av.open(io.BytesIO(film)) as opened:
        assert [stream.type for stream in opened.streams] == ["video", "audio"]
        frames = [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]
    assert len(frames) == sum(LENGTHS)
    assert np.ptp(frames[12].astype(int), axis=2).max() > 8


def test_frames_keep_their_names_in_the_archive(page, tmp_path):
    job = page.job(frame_files())
    page.post(f"{job}/start")
    page.wait(job)
    with zipfile.ZipFile(io.BytesIO(page.get(f"{job}/download"))) as archive:
        assert archive.namelist() == sorted(frame_files())
        first = Image.open(io.BytesIO(archive.read("00.png")))
        assert first.size == (96, 64)
        assert spread(first) > 4
    assert not list(page.studio.work.glob("*.zip"))


def test_one_picture_is_a_job_too(page):
    job = page.job({"scan.png": png(gray_frames()[0])})
    page.post(f"{job}/start")
    assert page.wait(job)["view"]["frames"] == 1
    assert Image.open(io.BytesIO(page.get(f"{job}/download"))).size == (96, 64)


def test_frames_before_and_after_can_be_looked_at(page, tmp_path):
    job = page.job({"film.mkv": film_bytes(tmp_path)})
    first = Image.open(io.BytesIO(page.get(f"{job}/original/0.jpg")))
    assert first.size == (96, 64)
    assert "not found yet" in page.get(f"{job}/result/0.jpg", 409)["error"]
    page.post(f"{job}/start")
    page.wait(job)
    for number in (23, 0, 13):
        gray, colour = (
            Image.open(io.BytesIO(page.get(f"{job}/{side}/{number}.jpg?size=180")))
            for side in ("original", "result")
        )
        assert gray.size == colour.size == (96, 64)
        assert spread(gray) <= 4 < spread(colour)
    page.get(f"{job}/original/24.jpg", 404)
    assert "expected one of 180" in page.get(f"{job}/original/0.jpg?size=9999", 400)["error"]


def spread(image: Image.Image) -> int:
    """The largest difference between channels."""
    return int(np.ptp(np.asarray(image.convert("RGB")).astype(int), axis=2).max())


def test_finding_the_shots_alone_colours_nothing(page):
    job = page.job(frame_files())
    page.post(f"{job}/start", {"plan_only": True})
    done = page.wait(job)
    assert done["state"] == "planned"
    assert not any(part["done"] for part in done["view"]["parts"])
    assert "not finished" in page.get(f"{job}/download", 409)["error"]


def test_nothing_is_coloured_twice(page):
    job = page.job(frame_files())
    for expected in (sum(LENGTHS), 0):
        page.post(f"{job}/start")
        assert page.wait(job)["ticket"]["result"]["rendered"] == expected


def test_another_saturation_colours_all_again(page):
    job = page.job(frame_files())
    page.post(f"{job}/start")
    page.wait(job)
    page.post(f"{job}/settings", {"checkpoint": "models/model.safetensors", "saturation": 0.5})
    page.post(f"{job}/start")
    assert page.wait(job)["ticket"]["result"]["rendered"] == sum(LENGTHS)


def test_a_source_below_a_root_need_not_be_uploaded(page, tmp_path):
    (tmp_path / "pictures/film.mkv").write_bytes(film_bytes(tmp_path))
    new = page.post("/api/jobs", {"source": "pictures/film.mkv"}, 201)
    job = f"/api/jobs/{new['id']}"
    page.post(f"{job}/settings", {"checkpoint": "models/model.safetensors"})
    page.post(f"{job}/start")
    assert page.wait(job)["state"] == "done"
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["film.mkv"]
    assert "make another" in page.put(f"{job}/input/a.png", b"x", 400)["error"]


@pytest.mark.parametrize("source", ["../../etc/passwd", "/etc/passwd", "pictures/../../x", "etc"])
def test_a_source_elsewhere_is_refused(page, source):
    assert page.client.post("/api/jobs", json={"source": source}).status_code in (403, 404)
    assert page.get("/api/jobs") == []


def test_a_link_out_of_the_roots_is_refused(page, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(png(gray_frames()[0]))
    (tmp_path / "pictures/link").symlink_to(outside)
    said = page.post("/api/jobs", {"source": "pictures/link/secret.png"}, 403)["error"]
    assert said == "pictures/link/secret.png leads out of pictures; only what lies in it is open"
    page.get("/api/folders?path=pictures/link", 403)


class Attack:
    """Unpickled, it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("packed", [False, True])
def test_a_checkpoint_that_would_execute_code_is_refused(page, tmp_path, packed):
    harm, path = tmp_path / "harm", tmp_path / "models/evil.ckpt"
    content = pickle.dumps({"state_dict": {}, "tooncolor": Attack(harm)}, protocol=2)
    path.write_bytes(content)
    if packed:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("evil/data.pkl", content)
            archive.writestr("evil/version", "3\n")
    pickle.loads(content)
    assert harm.exists(), "the attack works where a file is unpickled"
    harm.unlink()
    job = page.job(frame_files(), checkpoint="models/evil.ckpt")
    page.post(f"{job}/start")
    done = page.wait(job)
    assert done["state"] == "failed"
    assert "models/evil.ckpt: not a checkpoint of colorize-train" in done["message"]
    assert str(tmp_path) not in json.dumps(done)
    assert not harm.exists()


def test_a_compressed_checkpoint_is_no_bomb(page, tmp_path):
    path = tmp_path / "models/bomb.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(50 * 2**20))
    job = page.job(frame_files(), checkpoint="models/bomb.ckpt")
    page.post(f"{job}/start")
    assert "it is compressed, which PyTorch never does" in page.wait(job)["message"]


def test_films_and_pictures_are_not_mixed(page, tmp_path):
    job = page.job({"film.mkv": film_bytes(tmp_path), "a.png": png(gray_frames()[0])})
    assert "drop one film, or pictures alone" in page.post(f"{job}/start", status=400)["error"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"saturation": 11}, "saturation is 11.0: expected 0 to 10"),
        ({"satuation": 1}, "unknown field 'satuation'; did you mean 'saturation'?"),
        ({"stillness": "much"}, "stillness is 'much': expected a number"),
        ({"variant": "best"}, "expected auto or a whole number"),
        ({"short_side": 8}, "expected 16 to 4096"),
        ({"device": "cuda:7"}, "expected one of cpu"),
    ],
)
def test_settings_that_no_job_can_have_are_refused(page, asked, said):
    job = page.job(frame_files())
    content = {"checkpoint": "models/model.safetensors", **asked}
    answer = page.client.post(f"{job}/settings", json=content)
    if answer.status_code == 200:
        answer = page.client.post(f"{job}/start", json={})
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_a_variant_that_the_model_does_not_have_fails_in_one_line(page):
    job = page.job(frame_files(), variant=5)
    page.post(f"{job}/start")
    assert page.wait(job)["message"] == "variant is 5: this model has 0 to 1"


def test_two_tabs_do_not_mix(page):
    first, second = page.job({"a.png": png(gray_frames()[0])}), page.job(frame_files())
    assert page.get(first)["input"] == ["a.png"]
    assert len(page.get(second)["input"]) == sum(LENGTHS)
    page.post(f"{first}/start")
    page.post(f"{second}/start")
    assert page.wait(second)["view"]["frames"] == sum(LENGTHS)
    assert page.wait(first)["view"]["frames"] == 1
    page.delete(first)
    assert [job["id"] for job in page.get("/api/jobs")] == [second.split("/")[-1]]


def test_a_job_goes_on_when_the_page_is_started_again(page, tmp_path):
    job = page.job(frame_files())
    held = page.studio.jobs.get(job.split("/")[-1])
    held.state = "waiting"
    held.write()
    again = Page(tmp_path)
    again.studio.resume()
    assert again.wait(job)["state"] == "done"
    again.studio.close()


def coloured(number: int) -> bytes:
    """Frame ``number`` of the clip, in colour."""
    content = io.BytesIO()
    Image.fromarray(tinted(gray_frames()[number])).save(content, "PNG")
    return content.getvalue()


def test_references_are_kept_shown_and_removed(page):
    job = page.job(frame_files())
    page.put(f"{job}/references/shot 2.png", coloured(10))
    assert page.get(job)["references"] == ["shot 2.png"]
    held = page.studio.jobs.get(job.split("/")[-1])
    assert [path.name for path in references_of(held)] == ["shot 2.png"]
    assert Image.open(io.BytesIO(page.get(f"{job}/references/shot%202.png"))).size == (96, 64)
    page.delete(f"{job}/references/shot%202.png")
    assert page.get(job)["references"] == []


def test_a_reference_without_colours_and_a_film_are_refused(page, tmp_path):
    job = page.job(frame_files())
    said = page.put(f"{job}/references/a.png", png(gray_frames()[0]), 415)["error"]
    assert said == "a.png has no colours; a reference is a picture in colour"
    said = page.put(f"{job}/references/a.mkv", film_bytes(tmp_path), 415)["error"]
    assert said.startswith("a.mkv is a film: drop the frames that you mean")
    assert page.get(job)["references"] == []


def test_references_guide_the_shots_that_they_show(page, tmp_path):
    write_reference_safetensors(tmp_path / "models/guided.safetensors")
    weights = {each["path"]: each["references"] for each in page.get("/api/weights")}
    assert weights == {"models/guided.safetensors": True, "models/model.safetensors": False}
    outputs = {each["path"]: each["outputs"] for each in page.get("/api/weights")}
    assert outputs == {"models/guided.safetensors": 1, "models/model.safetensors": 2}
    job = page.job(frame_files(), checkpoint="models/guided.safetensors")
    page.put(f"{job}/references/10.png", coloured(10))
    page.post(f"{job}/start")
    done = page.wait(job)
    assert done["state"] == "done", done["message"]
    shots = page.get(f"{job}/shots")["shots"]
    assert shots[1]["references"] == ["10.png"], "it is a frame of the second shot"
    output = page.studio.jobs.get(job.split("/")[-1]).output(page.studio.roots)
    given, got = (
        np.asarray(Image.open(each)) for each in (io.BytesIO(coloured(10)), output / "10.png")
    )
    luma = np.array([0.299, 0.587, 0.114])
    assert np.abs((given - given @ luma[:, None]) - (got - got @ luma[:, None])).mean() < 6
    page.delete(f"{job}/references/10.png")
    page.post(f"{job}/start")
    page.wait(job)
    assert [shot["references"] for shot in page.get(f"{job}/shots")["shots"]] == [[], [], []]


def test_weights_that_take_no_references_work_without_them(page):
    job = page.job(frame_files())
    page.put(f"{job}/references/10.png", coloured(10))
    page.post(f"{job}/start")
    assert page.wait(job)["state"] == "done"


def test_no_answer_shows_where_the_server_keeps_things(page, tmp_path):
    job = page.job({"film.mkv": film_bytes(tmp_path)})
    page.post(f"{job}/start")
    page.wait(job)
    for path in (job, "/api/jobs", f"{job}/shots", "/api/weights", "/api/folders", "/api/about"):
        assert str(tmp_path) not in json.dumps(page.get(path)), path
    manifest = page.studio.jobs.get(job.split("/")[-1]).store(page.studio.roots).manifest
    assert read_manifest(manifest).source.path == str(manifest.parents[2] / "input/film.mkv")


def test_a_device_that_is_not_there_is_refused_at_the_start(tmp_path):
    with pytest.raises(ValueError, match="expected auto, cpu, cuda"):
        Studio(work=tmp_path, roots={}, devices=["abacus"])


def test_without_folders_the_page_still_opens(tmp_path):
    app = make_app(Studio(work=tmp_path / "work", roots={}))
    assert app.routes


def test_a_missing_checkpoint_is_said_before_anything_is_done(page, tmp_path):
    job = page.job(frame_files(), checkpoint="")
    assert "choose a model first" in page.post(f"{job}/start", status=400)["error"]
    page.post(f"{job}/settings", {"checkpoint": "models/gone.safetensors"})
    assert page.post(f"{job}/start", status=404)["error"].startswith("models/gone.safetensors does")
    write_safetensors(tmp_path / "models/gone.safetensors")
    page.post(f"{job}/start")
    page.wait(job)
