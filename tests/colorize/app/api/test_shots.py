"""The shots of a job: the same manifest as the command line's, and only what changed is redone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from colorize.films.command import main as colorize
from colorize.films.plan.manifest import read_manifest
from tests.colorize.app.pages import LENGTHS, frame_files, gray_frames, png
from tests.colorize.films.drawn import tinted
from tests.colorize.tiny import write_reference_safetensors

STARTS = [0, 9, 16]


@pytest.fixture
def job(page) -> str:
    job = page.job(frame_files())
    page.post(f"{job}/start")
    assert page.wait(job)["state"] == "done"
    return job


def manifest(page, job: str) -> Path:
    return page.studio.jobs.get(job.split("/")[-1]).store(page.studio.roots).manifest


def test_every_shot_has_its_colourings(page, job):
    found = page.get(f"{job}/shots")
    assert [shot["start"] for shot in found["shots"]] == STARTS
    assert (found["outputs"], found["changed"], found["frames"]) == (2, 0, 0)
    for shot in found["shots"]:
        assert (shot["variant"], shot["chosen"], len(shot["pictures"])) == ("auto", 0, 2)
        for picture in shot["pictures"]:
            assert Image.open(io.BytesIO(page.get(f"{job}/shots/{picture}"))).size == (96, 64)


def test_another_colouring_of_shot_two_renders_shot_two_alone(page, job):
    output = manifest(page, job).parents[1]
    before = {path.name: path.read_bytes() for path in output.glob("*.png")}
    found = page.post(f"{job}/shots/choose", {"start": 9, "variant": 1})
    assert [shot["changed"] for shot in found["shots"]] == [False, True, False]
    assert (found["changed"], found["frames"]) == (1, LENGTHS[1])
    page.get(f"{job}/result/9.jpg", 404)
    page.get(f"{job}/result/8.jpg")
    assert read_manifest(manifest(page, job)).shots[1].variant == 1
    page.post(f"{job}/start")
    assert page.wait(job)["ticket"]["result"]["rendered"] == LENGTHS[1]
    after = {path.name: path.read_bytes() for path in output.glob("*.png")}
    assert {name for name in after if after[name] != before[name]} == {
        f"{number:02d}.png" for number in range(9, 16)
    }
    assert page.get(f"{job}/shots")["changed"] == 0


def test_choosing_back_costs_one_shot_again_and_ends_as_before(page, job):
    output = manifest(page, job).parents[1]
    before = {path.name: path.read_bytes() for path in output.glob("*.png")}
    for variant in (1, 0):
        page.post(f"{job}/shots/choose", {"start": 9, "variant": variant})
        page.post(f"{job}/start")
        assert page.wait(job)["ticket"]["result"]["rendered"] == LENGTHS[1]
    assert {path.name: path.read_bytes() for path in output.glob("*.png")} == before


def test_shots_are_split_and_merged(page, job):
    found = page.post(f"{job}/shots/split", {"start": 9, "frame": 12})
    assert [shot["start"] for shot in found["shots"]] == [0, 9, 12, 16]
    page.wait(job)
    assert all(len(shot["pictures"]) == 2 for shot in page.get(f"{job}/shots")["shots"])
    found = page.post(f"{job}/shots/merge", {"start": 9})
    page.wait(job)
    assert [shot["start"] for shot in found["shots"]] == STARTS
    assert page.get(f"{job}/shots")["changed"] == 0, "the parts are those that are finished"
    assert page.get(job)["state"] == "done"


def test_a_shot_can_stay_as_it_is(page, job):
    output = manifest(page, job).parents[1]
    page.post(f"{job}/shots/choose", {"start": 0, "variant": "keep"})
    page.post(f"{job}/start")
    page.wait(job)
    assert (output / "03.png").read_bytes() == frame_files()["03.png"]


def test_the_look_of_all_shots_is_set_at_once(page, job):
    found = page.post(f"{job}/shots/look", {"saturation": 0.5, "stillness": 0.25})
    assert (found["changed"], found["saturation"], found["stillness"]) == (3, 0.5, 0.25)
    page.post(f"{job}/start")
    page.wait(job)
    settings = read_manifest(manifest(page, job)).settings
    assert (settings.saturation, settings.stillness) == (0.5, 0.25)
    found = page.post(f"{job}/shots/look", {"stillness": 1})
    assert (found["changed"], found["saturation"], found["stillness"]) == (3, 0.5, 1.0)


def test_a_refused_look_changes_nothing(page, job, monkeypatch):
    monkeypatch.setattr(page.studio, "is_active", lambda job: True)
    page.post(f"{job}/shots/look", {"saturation": 0.5, "stillness": 0.25}, 409)
    asked = page.studio.jobs.get(job.split("/")[-1]).asked
    assert (asked.saturation, asked.stillness) == (1.0, 0.9)


def test_done_is_said_only_while_all_that_is_asked_for_is_there(page, job):
    page.post(f"{job}/shots/choose", {"start": 9, "variant": 1})
    assert page.get(job)["state"] == "changed"
    assert [each["state"] for each in page.get("/api/jobs")] == ["changed"]
    assert "colour them first" in page.get(f"{job}/download", 409)["error"]
    page.post(f"{job}/start")
    assert page.wait(job)["state"] == "done"
    for path in manifest(page, job).parents[1].glob("12.png"):
        path.unlink()
    assert page.get(job)["state"] == "changed"


def test_a_shot_is_given_a_reference_beside_those_that_are_chosen(page, tmp_path):
    write_reference_safetensors(tmp_path / "models/guided.safetensors")
    job = page.job(frame_files(), checkpoint="models/guided.safetensors")
    for name, frame in (("10.png", 10), ("sheet.png", 20)):
        page.put(f"{job}/references/{name}", png(tinted(gray_frames()[frame])[..., ::-1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("colorize.inference.choice.LEAST_LIKENESS", 2.0)
        page.post(f"{job}/start")
        assert page.wait(job)["state"] == "done"
        served = [shot["references"] for shot in page.get(f"{job}/shots")["shots"]]
        assert served == [[], ["10.png"], []]
        asked = {"start": 9, "name": "sheet.png", "serves": True}
        found = page.post(f"{job}/shots/references", asked)
        assert found["shots"][1]["references"] == ["10.png", "sheet.png"]
        assert found["changed"] == 1
        page.wait(job)
        # One that came after the plan: the next run looks at it.
        page.put(f"{job}/references/late.png", png(tinted(gray_frames()[1])[..., ::-1]))
        page.post(f"{job}/shots/references", {"start": 0, "name": "late.png", "serves": True})
        page.wait(job)
        assert page.get(job)["served"]["late.png"]["shots"] == [1]
        page.post(f"{job}/start")
        assert page.wait(job)["state"] == "done"
        assert read_manifest(manifest(page, job)).shots[1].guided_by == ("10.png", "sheet.png")
        page.post(f"{job}/shots/references", {**asked, "serves": False})
        page.wait(job)
        page.delete(f"{job}/references/late.png")
        page.post(f"{job}/start")
        assert page.wait(job)["state"] == "done"
    served = [shot["references"] for shot in page.get(f"{job}/shots")["shots"]]
    assert served == [[], ["10.png"], []]
    assert (
        "no reference gone.png any more"
        in page.post(
            f"{job}/shots/references", {"start": 0, "name": "gone.png", "serves": True}, 404
        )["error"]
    )


@pytest.mark.parametrize(
    ("what", "content", "status", "said"),
    [
        ("choose", {"start": 9, "variant": 2}, 400, "there is no colouring 2: choose 0 to 1"),
        ("choose", {"start": 9, "variant": "best"}, 400, "expected a number, auto or keep"),
        ("choose", {"start": 10, "variant": 1}, 409, "no shot begins at frame 10 any more"),
        ("choose", {"start": True, "variant": 1}, 400, "start is True: expected a whole number"),
        ("split", {"start": 9, "frame": 9}, 400, "expected one from 10 to 15"),
        ("split", {"start": 9, "frame": 16}, 400, "expected one from 10 to 15"),
        ("merge", {"start": 16}, 400, "this is the last shot"),
        ("look", {"saturation": -1, "stillness": 0}, 400, "saturation is -1.0: expected 0 to 10"),
    ],
)
def test_what_cannot_be_is_refused(page, job, what, content, status, said):
    before = manifest(page, job).read_bytes()
    assert said in page.post(f"{job}/shots/{what}", content, status)["error"]
    assert manifest(page, job).read_bytes() == before


def test_the_command_line_takes_up_what_the_page_has_chosen(page, job, tmp_path, capsys):
    page.post(f"{job}/shots/choose", {"start": 16, "variant": 1})
    folder = manifest(page, job).parents[2]
    checkpoint = tmp_path / "models/model.safetensors"
    words = [folder / "input", "-o", folder / "output", "--checkpoint", checkpoint]
    colorize([str(word) for word in words])
    assert "24 frames coloured" in capsys.readouterr().out
    assert page.get(f"{job}/shots")["changed"] == 0
    assert json.loads(manifest(page, job).read_text())["shots"][2]["variant"] == 1


def test_the_page_shows_what_the_command_line_has_chosen(page, job):
    path = manifest(page, job)
    path.write_text(
        path.read_text().replace(
            '"start": 9, "stop": 16, "variant": "auto"', '"start": 9, "stop": 16, "variant": 1'
        )
    )
    found = page.get(f"{job}/shots")
    assert [shot["chosen"] for shot in found["shots"]] == [0, 1, 0]
    assert [shot["changed"] for shot in found["shots"]] == [False, True, False]
