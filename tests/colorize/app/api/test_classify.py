"""Pictures are dropped, submitted, classified and deleted; each tab has a set of its own."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.classify.samples import png, tinted
from tests.classify.tiny import write_checkpoint
from tests.colorize.app.pages import Page


@pytest.fixture
def tab(page: Page, tmp_path) -> str:
    write_checkpoint(tmp_path / "models/cats.safetensors")
    return f"/api/pictures/{page.post('/api/pictures', status=201)['id']}"


def test_pictures_get_classes_and_probabilities(page, tab):
    page.put(f"{tab}/a.png", png(tinted(0, 1)))
    page.put(f"{tab}/b.png", png(tinted(1, 2)))
    ticket = page.post(f"{tab}/classify", {"checkpoint": "models/cats.safetensors"})
    done = page.wait(f"/api/tickets/{ticket['id']}")
    assert done["result"]["classes"] == ["cat", "dog"]
    first, second = done["result"]["pictures"]
    assert (first["name"], second["name"]) == ("a.png", "b.png")
    assert first["probabilities"][0] > 0.9
    assert second["probabilities"][1] > 0.9
    assert sum(first["probabilities"]) == pytest.approx(1)


def test_a_picture_can_be_seen_and_deleted(page, tab):
    page.put(f"{tab}/a.png", png(tinted(0, 1)))
    assert Image.open(io.BytesIO(page.get(f"{tab}/a.png"))).size == (12, 12)
    page.delete(f"{tab}/a.png")
    assert page.get(tab)["pictures"] == []
    page.delete(f"{tab}/a.png", 404)
    page.get(f"{tab}/a.png", 404)


def test_tabs_do_not_see_each_other(page, tab):
    page.put(f"{tab}/a.png", png(tinted(0, 1)))
    other = f"/api/pictures/{page.post('/api/pictures', status=201)['id']}"
    assert page.get(other)["pictures"] == []
    page.delete(f"{other}/a.png", 404)


def test_nothing_to_classify_is_said(page, tab):
    asked = {"checkpoint": "models/cats.safetensors"}
    assert page.post(f"{tab}/classify", asked, 400)["error"] == "drop pictures first"


@pytest.mark.parametrize("name", ["..", "0123456789abcdeg", "0123456789abcdef", "..%2F..%2Fjobs"])
def test_a_set_that_there_is_not_is_refused(page, tab, name):
    page.get(f"/api/pictures/{name}", 404)


def test_html_named_png_is_refused(page, tab):
    said = page.put(f"{tab}/x.png", b"<html><script>alert(1)</script></html>", 415)["error"]
    assert said == "x.png is no picture, whatever its name says"


def test_a_colorizer_is_no_classifier(page, tab):
    page.put(f"{tab}/a.png", png(tinted(0, 1)))
    ticket = page.post(f"{tab}/classify", {"checkpoint": "models/model.safetensors"})
    done = page.wait(f"/api/tickets/{ticket['id']}")
    assert done["state"] == "failed"
    assert done["message"].startswith(
        "models/model.safetensors: not a checkpoint of classify-train"
    )


def test_weights_are_listed_by_what_they_are_for(page, tab, tmp_path):
    (tmp_path / "models/broken.safetensors").write_bytes(b"\xff" * 100)
    (tmp_path / "models/run/checkpoints").mkdir(parents=True)
    (tmp_path / "models/run/checkpoints/last.ckpt").write_bytes(b"")
    found = {each["path"]: each for each in page.get("/api/weights")}
    assert {path: each["purpose"] for path, each in found.items()} == {
        "models/cats.safetensors": "classify",
        "models/model.safetensors": "colour",
        "models/run/checkpoints/last.ckpt": "unknown",
    }
    assert found["models/cats.safetensors"]["classes"] == ["cat", "dog"]
    assert found["models/run/checkpoints/last.ckpt"]["title"] == "run (last)"
