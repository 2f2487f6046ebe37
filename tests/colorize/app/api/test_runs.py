"""Recorded experiments and local runs: their tables, curves and pictures, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.colorize.app.pages import Page, gray_frames, png
from tests.places import ROOT

EXPERIMENTS = ROOT / "experiments"


@pytest.fixture
def page(tmp_path: Path) -> Page:
    run = tmp_path / "runs/seeds/0"
    run.mkdir(parents=True)
    (run / "history.csv").write_text(
        "epoch,train/total,val/psnr/first\n1,5.5,18\n2,nan,\n3,4,20.5\n"
    )
    (run / "curves.png").write_bytes(png(gray_frames()[0]))
    (run / "evil.png").write_bytes(b"<html><script>alert(1)</script></html>")
    (run / "secret.txt").write_text("secret")
    return Page(tmp_path, runs=tmp_path / "runs", experiments=EXPERIMENTS)


def test_runs_and_recorded_experiments_are_found(page):
    found = {each["path"]: each for each in page.get("/api/runs")}
    assert found["runs/seeds/0"] == {
        "path": "runs/seeds/0",
        "title": "seeds/0",
        "history": True,
        "results": False,
        "readme": False,
    }
    recorded = {path.parent for path in EXPERIMENTS.rglob("results.json")}
    assert {f"experiments/{each.relative_to(EXPERIMENTS).as_posix()}" for each in recorded} <= set(
        found
    )


def test_a_run_has_its_curves(page):
    run = page.get("/api/runs/one?path=runs/seeds/0")
    assert run["history"] == {
        "epoch": [1, 2, 3],
        "train/total": [5.5, None, 4],
        "val/psnr/first": [18, None, 20.5],
    }
    assert "curves.png" in run["pictures"]


def test_a_recorded_table_is_that_of_its_file(page):
    run = page.get("/api/runs/one?path=experiments/first-light")
    recorded = json.loads((EXPERIMENTS / "first-light/results.json").read_text())
    table = run["tables"][0]
    place = table["columns"].index("PSNR (dB) ↑")
    for row, values in recorded["total"].items():
        if "psnr" in values:
            assert table["rows"][row][place] == f"{values['psnr']['mean']:.2f}"
    assert run["readme"].startswith("# First light")
    assert run["history"]["epoch"][:2] == [1, 2]


def test_a_classifier_has_its_confusion(page):
    table = page.get("/api/runs/one?path=experiments/classifiers/mnist-augmented")["tables"][0]
    assert table["title"] == "accuracy 0.9874"
    assert table["heat"]
    assert sum(map(sum, table["rows"].values())) == 10_000


def test_every_recorded_experiment_can_be_read(page):
    for each in page.get("/api/runs"):
        assert page.get(f"/api/runs/one?path={each['path']}")["path"] == each["path"]


def test_pictures_are_sent_and_nothing_else(page):
    assert page.get("/api/runs/picture?path=runs/seeds/0/curves.png").startswith(b"\x89PNG")
    for name in ("evil.png", "secret.txt", "history.csv"):
        said = page.get(f"/api/runs/picture?path=runs/seeds/0/{name}", 415)["error"]
        assert said == f"{name} is no picture of a record"


@pytest.mark.parametrize("path", ["../../etc", "/etc/passwd", "runs/../work", "runs/seeds"])
def test_other_folders_are_refused(page, path):
    answer = page.client.get("/api/runs/one", params={"path": path})
    assert answer.status_code in (403, 404)
    assert page.client.get("/api/runs/picture", params={"path": path}).status_code >= 400
