"""The command ``classify-screen``: a thousand pictures, killed half-way; settings; undo."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from classify import screen
from tests.classify.samples import class_folders, png, tinted
from tests.classify.tiny import write_checkpoint
from tests.forked import Command, run


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model.safetensors", target="cat")


def thousand(root: Path) -> dict[str, bytes]:
    """Write 1 000 pictures, each unlike the others, 20 of them broken; return their contents."""
    written = {}
    for number in range(1000):
        content = png(tinted(number % 2, number))
        if number % 50 == 7:
            content = b"broken " + str(number).encode()
        # Every name is in ten folders.
        path = root / f"{number % 10}" / f"{number // 10:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written[str(path.relative_to(root))] = content
    assert len(written) == 1000
    return written


def test_a_thousand_pictures_killed_half_way_and_restarted(tmp_path: Path, checkpoint) -> None:
    folder, keep, rejected = (tmp_path / name for name in ("in", "keep", "rejected"))
    written = thousand(folder)
    words = [str(folder), "--keep", str(keep), "--rejected", str(rejected), "--move"]
    command = ["classify-screen", *words, "--checkpoint", str(checkpoint), "--device", "cpu"]
    process = Command(*command, "--batch-size", "8")
    process.kill_when(lambda: keep.is_dir() and len(list(keep.glob("*.png"))) > 100)
    halfway = len(list(keep.glob("*.png")))
    assert 100 < halfway < 500
    run(*command)
    found = [
        path.read_bytes() for place in (folder, keep, rejected) for path in place.rglob("*.png")
    ]
    assert sorted(found) == sorted(written.values())  # each once, none lost
    broken = [content for content in written.values() if content.startswith(b"broken")]
    assert sorted(path.read_bytes() for path in folder.rglob("*.png")) == sorted(broken)
    assert len(broken) == 20
    with (keep / "screening.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["file"] for row in rows}) == len(rows) == 1000
    counts = [sum(row["verdict"] == word for row in rows) for word in ("kept", "rejected")]
    assert counts == [len(list(place.glob("*.png"))) for place in (keep, rejected)]
    assert counts == [500, 480]  # the broken ones all have odd numbers
    for row in rows:
        if row["place"]:
            assert Path(row["place"]).read_bytes() == written[row["file"]]
    assert "| unreadable | 20 |" in (keep / "screening.md").read_text()


def test_settings_are_saved_read_and_overridden(tmp_path: Path, checkpoint, capsys) -> None:
    folder = class_folders(tmp_path / "in", count=3)
    words = [str(folder), "--checkpoint", str(checkpoint), "--keep", str(tmp_path / "keep")]
    settings = tmp_path / "mona.json"
    screen.main(
        [*words, "--threshold", "0.9", "--truth", "folders", "--save-settings", str(settings)]
    )
    assert "| absolute accuracy | 100.00 % |" in capsys.readouterr().out
    saved = json.loads(settings.read_text())
    assert saved == {
        "folder": str(folder),
        "checkpoint": str(checkpoint),
        "threshold": 0.9,
        "keep": str(tmp_path / "keep"),
        "truth": "folders",
    }
    screen.main(["--settings", str(settings), "--keep", str(tmp_path / "other"), "--target", "dog"])
    kept = {path.read_bytes() for path in (tmp_path / "other").glob("*.png")}
    assert kept == {path.read_bytes() for path in (folder / "dog").glob("*.png")}
    assert "from 0.9 on" in capsys.readouterr().out


def test_undo_brings_everything_back(tmp_path: Path, checkpoint, capsys) -> None:
    folder = class_folders(tmp_path / "in", count=3)
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    keep = str(tmp_path / "keep")
    screen.main([str(folder), "--checkpoint", str(checkpoint), "--keep", keep, "--move"])
    assert len(list(folder.rglob("*.png"))) == 3
    screen.main(["--undo", "--keep", keep])
    assert "3 undone, 0 not" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before


def test_the_truth_of_a_table(tmp_path: Path, checkpoint, capsys) -> None:
    folder = class_folders(tmp_path / "in", count=2)
    truth = tmp_path / "truth.csv"
    truth.write_text("file,class\ncat/000.png,cat\ndog/000.png,cat\n")
    words = [str(folder), "--checkpoint", str(checkpoint), "--keep", str(tmp_path / "keep")]
    screen.main([*words, "--truth", str(truth)])
    printed = capsys.readouterr().out
    assert "| total number of images | 2 |" in printed
    assert "| missed | 1 |" in printed
    truth.write_text("name,class\n")
    with pytest.raises(SystemExit):
        screen.main([*words, "--truth", str(truth)])
    assert "columns are name, class; expected file,class" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nothing", "no JSON"),
        ("[1]", "expected an object of settings"),
        ('{"treshold": 1}', "unknown setting treshold; did you mean 'threshold'?"),
        ('{"threshold": "high"}', "threshold is 'high': expected float"),
    ],
)
def test_a_wrong_settings_file_is_one_line(tmp_path: Path, content, message, capsys) -> None:
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(SystemExit) as ended:
        screen.main(["--settings", str(tmp_path / "s.json")])
    errors = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in errors
    assert errors.count("\n") == 1


def test_what_must_be_given(tmp_path: Path, capsys) -> None:
    checkpoint = write_checkpoint(tmp_path / "model.safetensors")
    words = [str(tmp_path), "--checkpoint", str(checkpoint)]
    for given, message in (
        ([], "FOLDER is not given"),
        (words, "--keep is not given"),
        ([*words, "--keep", str(tmp_path / "k")], "--target is not given, .* one of cat, dog"),
        (["--undo"], "--keep is not given: name the folder"),
        (["--undo", "--keep", str(tmp_path / "k")], "no such journal"),
    ):
        with pytest.raises(SystemExit):
            screen.main(given)
        assert re.search(message, capsys.readouterr().err)
