"""The contact sheet of a job, from its command."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from colorize.films import command as cli
from colorize.films import sheet_command as sheet
from colorize.films.sheet_command import find_job
from colorize.imaging.contact_sheet import FRAME
from tests.colorize.tiny import write_safetensors


@pytest.fixture
def job(tmp_path: Path, capsys) -> Path:
    """A planned job of three shots, the last of them in colour."""
    random = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for number in range(24):
        if number % 8 == 0:
            shape = (6, 8, 3) if number == 16 else (6, 8)
            coarse = random.integers(30, 220, shape, dtype=np.uint8)
            picture = cv2.resize(coarse, (96, 64), interpolation=cv2.INTER_CUBIC)
        Image.fromarray(np.roll(picture, number % 8, axis=1)).save(tmp_path / f"in/{number}.png")
    model = write_safetensors(tmp_path / "model.safetensors")
    options = ["--checkpoint", str(model), "--device", "cpu", "--plan", "--size", "24"]
    cli.main([str(tmp_path / "in"), "-o", str(tmp_path / "out"), *options])
    assert "3 shots in 24 frames: " in capsys.readouterr().out
    return tmp_path / "out"


def pixels(path: Path, color: str) -> int:
    """How many pixels of a picture have a colour."""
    wanted = tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
    return int((np.array(Image.open(path)) == wanted).all(axis=2).sum())


def test_the_sheet_shows_every_shot_and_marks_what_is_chosen(job: Path, capsys) -> None:
    sheet.main([str(job), "--device", "cpu"])
    path = job / ".job" / "sheet.png"
    assert capsys.readouterr().out == f"{path}\n"
    assert pixels(path, FRAME["auto"]) > 1000
    assert pixels(path, FRAME["hand"]) == 0
    manifest = json.loads((job / ".job" / "manifest.json").read_text())
    assert [shot["variant"] for shot in manifest["shots"]] == ["auto"] * 3
    assert manifest["shots"][2]["auto"] == "keep"
    manifest["shots"][1]["variant"] = 1
    (job / ".job" / "manifest.json").write_text(json.dumps(manifest))
    sheet.main([str(job / ".job"), "-o", str(job / "other.png"), "--device", "cpu"])
    assert pixels(job / "other.png", FRAME["hand"]) > 1000


def test_a_job_is_found_by_its_output(job: Path, tmp_path: Path) -> None:
    assert find_job(job) == job / ".job"
    assert find_job(job / ".job") == job / ".job"
    film = tmp_path / ".film.mp4.job"
    film.mkdir()
    (film / "manifest.json").write_text("{}")
    assert find_job(tmp_path / "film.mp4") == film


def test_mistakes_are_one_line(job: Path, tmp_path: Path, capsys) -> None:
    other = write_safetensors(tmp_path / "other.safetensors", seed=1)
    for arguments, message in (
        ([str(tmp_path / "nothing")], "no job lies there; start it with colorize INPUT -o"),
        ([str(job), "--checkpoint", str(other)], "is not the model of this job"),
        ([str(job), "--columns", "0"], "--columns: '0' is not a positive whole number"),
    ):
        with pytest.raises(SystemExit) as stopped:
            sheet.main([*arguments, "--device", "cpu"])
        assert stopped.value.code == 2
        errors = capsys.readouterr().err.splitlines()
        assert errors[-1].startswith("error: ")
        assert message in errors[-1]
