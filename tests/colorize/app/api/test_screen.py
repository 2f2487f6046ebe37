"""Screening from the page: settings are remembered, decisions corrected, all of it undone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from classify.journal import NAME
from tests.classify.samples import class_folders
from tests.classify.tiny import write_checkpoint
from tests.colorize.app.pages import Page

SETTINGS = {
    "checkpoint": "models/cats.safetensors",
    "folder": "pictures/all",
    "keep": "pictures/kept",
    "target": "cat",
    "threshold": 0.5,
}


@pytest.fixture
def screened(page: Page, tmp_path: Path) -> Page:
    write_checkpoint(tmp_path / "models/cats.safetensors")
    class_folders(tmp_path / "pictures/all", count=3)
    return page


def run(page: Page, status: int = 200, **changes: object) -> dict:
    ticket = page.post("/api/screening/start", {**SETTINGS, **changes}, status)
    return page.wait(f"/api/tickets/{ticket['id']}") if status == 200 else ticket


def shown(page: Page) -> dict:
    return page.get("/api/screening?keep=pictures/kept")


def test_a_folder_is_screened_with_a_log_of_every_decision(screened, tmp_path):
    ticket = run(screened)
    assert ticket["state"] == "done", ticket["message"]
    assert {key: ticket["result"][key] for key in ("kept", "rejected", "unreadable")} == {
        "kept": 3,
        "rejected": 3,
        "unreadable": 0,
    }
    assert [line.split()[0] for line in ticket["lines"]] == ["kept"] * 3 + ["rejected"] * 3
    assert sorted(p.name for p in (tmp_path / "pictures/kept").glob("*.png")) == [
        "000.png",
        "001.png",
        "002.png",
    ]
    found = shown(screened)
    assert found["counts"] == {"kept": 3, "rejected": 3, "unreadable": 0}
    assert (found["folder"], found["threshold"], found["move"]) == ("pictures/all", 0.5, False)
    picture = screened.get("/api/screening/0.jpg?keep=pictures/kept")
    assert Image.open(io.BytesIO(picture)).size == (12, 12)
    assert str(tmp_path) not in json.dumps([ticket, found])


def test_settings_are_remembered_even_by_another_server(screened, tmp_path):
    assert screened.get("/api/screening/settings") == {}
    run(screened, threshold=0.25)
    remembered = Page(tmp_path).get("/api/screening/settings")
    assert (remembered["threshold"], remembered["keep"]) == (0.25, "pictures/kept")
    assert "anew" not in remembered


def test_another_threshold_needs_an_undo_first(screened):
    run(screened)
    assert "pass another --keep" in run(screened, threshold=0.0)["message"]
    ticket = run(screened, threshold=0.0, anew=True)
    assert ticket["result"]["kept"] == 6
    assert run(screened, threshold=1.0, anew=True)["result"]["kept"] == 0


def test_one_click_corrects_and_undo_takes_all_back(screened, tmp_path):
    run(screened, move=True, rejected="pictures/others")
    correction = {"keep": "pictures/kept", "file": "cat/001.png", "verdict": "rejected"}
    found = screened.post("/api/screening/correct", correction)
    assert found["counts"] == {"kept": 2, "rejected": 4, "unreadable": 0}
    assert len(list((tmp_path / "pictures/others").glob("*.png"))) == 4
    assert not list((tmp_path / "pictures/all").rglob("*.png"))
    assert screened.post("/api/screening/undo", {"keep": "pictures/kept"}) == {"undone": 6}
    assert len(list((tmp_path / "pictures/all").rglob("*.png"))) == 6
    assert "no screening lies in" in screened.get("/api/screening?keep=pictures/kept", 404)["error"]


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"folder": "../../etc"}, 404, "none of the page's folders"),
        ({"folder": "/etc"}, 404, "none of the page's folders"),
        ({"keep": "pictures/../../x"}, 403, "expected a folder's name"),
        ({"rejected": "/tmp/x"}, 404, "none of the page's folders"),
        ({"checkpoint": "models/gone.safetensors"}, 404, "does not exist"),
        ({"threshold": 1.5}, 400, "the threshold is 1.5: expected 0 to 1"),
    ],
)
def test_what_is_not_open_to_the_page_is_refused(screened, changes, status, said):
    assert said in run(screened, status, **changes)["error"]


def test_a_class_that_there_is_not_fails_in_one_line(screened):
    assert "did you mean 'cat'" in run(screened, target="cats")["message"]


def test_a_colorizer_is_no_classifier(screened):
    message = run(screened, checkpoint="models/model.safetensors")["message"]
    assert message.startswith("models/model.safetensors: not a checkpoint of classify-train")


@pytest.mark.parametrize("where", ["folder", "rejected", "place"])
def test_a_journal_that_points_elsewhere_is_not_followed(screened, tmp_path, where):
    """Whoever can put a file into a root must not thereby move files outside it."""
    run(screened)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.png").write_bytes(b"theirs")
    journal = tmp_path / "pictures/kept" / NAME
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    if where == "place":
        lines[1]["place"] = str(outside / "a.png")
    else:
        lines[0][where] = str(outside)
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for answer in (
        screened.get("/api/screening?keep=pictures/kept", 403),
        screened.post("/api/screening/undo", {"keep": "pictures/kept"}, 403),
        run(screened, 403),
    ):
        assert "not open to the page" in answer["error"]
    assert (outside / "a.png").read_bytes() == b"theirs"


def test_a_verdict_must_be_one(screened):
    run(screened)
    wrong = {"keep": "pictures/kept", "file": "cat/001.png", "verdict": "maybe"}
    said = screened.post("/api/screening/correct", wrong, 400)["error"]
    assert said == "verdict is 'maybe': expected kept or rejected"
