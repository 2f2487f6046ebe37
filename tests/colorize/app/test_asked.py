"""What the page asks for: every setting that the command line knows, unless it says otherwise."""

from __future__ import annotations

import json

import pytest

from colorize.app.asked import Asked, form
from colorize.app.jobs import Jobs
from colorize.base.errors import UserError
from colorize.films.plan.manifest import read_manifest
from colorize.inference.settings import RenderSettings, declared_settings
from tests.colorize.app.pages import frame_files
from tests.colorize.inference.test_settings import all_other
from tests.colorize.tiny import write_safetensors


def test_the_form_has_every_setting_but_those_that_are_left_out_on_purpose():
    named = {each["name"]: each for each in form()}
    assert set(RenderSettings().values()) - set(named) == {"quality", "refine"}
    assert named["short_side"] == {
        "name": "short_side", "kind": "number", "label": "Working size (short side)",
        "default": None, "low": 16, "high": 4096, "step": 8, "empty": "as trained",
        "choices": {}, "numbered": "",
    }  # fmt: skip
    assert named["variant"]["choices"] == {"auto": "choose for each shot"}
    assert (named["saturation"]["kind"], named["saturation"]["high"]) == ("slider", 2)
    assert (named["recolor"]["kind"], named["recolor"]["default"]) == ("check", False)
    json.dumps(form(), allow_nan=False)


def test_the_server_describes_the_form(page):
    assert page.get("/api/about")["settings"] == json.loads(json.dumps(form()))


def test_the_page_takes_no_working_size_that_takes_all_memory():
    assert Asked(short_side=4096).short_side == 4096
    for size in (15, 4097):
        with pytest.raises(UserError, match=f"size is {size}: expected 16 to 4096, or nothing"):
            Asked(short_side=size)
    assert Asked(saturation=10.0).saturation == 10, "as the command line has it"


def test_every_setting_goes_from_the_page_to_the_worker_and_into_the_job(page, tmp_path):
    write_safetensors(tmp_path / "models/refined.safetensors", refiner={"channels": [4, 4]})
    wanted = all_other().values()
    job = page.job(frame_files(), **wanted, checkpoint="models/refined.safetensors")
    page.post(f"{job}/start", {"plan_only": True})
    assert page.wait(job)["state"] == "planned"
    assert page.worker.asked[-1]["settings"] == wanted
    held = page.studio.jobs.get(job.split("/")[-1])
    assert read_manifest(held.store(page.studio.roots).manifest).settings.values() == wanted
    [again] = [each for each in Jobs(page.studio.jobs.folder).all() if each.id == held.id]
    assert again.asked.values() == wanted
    assert len(wanted) == len(declared_settings())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snap": False}, ""),
        ({"snap": True}, "snap is gone: it was measured to be no gain on real drawings; delete"),
    ],
)
def test_jobs_of_earlier_versions_are_still_there(page, changes, message):
    job = page.job(frame_files(), saturation=0.5)
    path = page.studio.jobs.get(job.split("/")[-1]).folder / "page.json"
    content = json.loads(path.read_text())
    del content["asked"]["refine"], content["asked"]["fast"]
    content["asked"].update(changes)
    path.write_text(json.dumps(content))
    [again] = Jobs(page.studio.jobs.folder).all()
    assert again.asked == Asked(checkpoint="models/model.safetensors", saturation=0.5)
    assert again.message.startswith(message)
