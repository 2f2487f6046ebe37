"""The command ``classify``: what it prints, and the one line that says what is wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from classify import cli
from tests.classify.samples import class_folders, png, tinted
from tests.classify.tiny import write_checkpoint


@pytest.fixture
def run(tmp_path: Path, capsys):
    checkpoint = write_checkpoint(tmp_path / "model.safetensors")

    def classify(*words: object) -> str:
        options = ["--checkpoint", str(checkpoint), "--device", "cpu"]
        cli.main([*map(str, words), *options])
        return capsys.readouterr().out

    return classify


def test_one_picture_prints_class_and_probabilities(tmp_path: Path, run) -> None:
    (tmp_path / "one.png").write_bytes(png(tinted(1, 3)))
    printed = run(tmp_path / "one.png")
    assert printed.startswith(f"{tmp_path / 'one.png'}: dog (dog 0.9")
    chances = [float(word.strip(",()\n").split()[-1]) for word in printed.split(", ")]
    assert chances[0] + float(printed.rsplit(" ", 1)[1].strip(")\n")) == pytest.approx(1, abs=1e-3)
    assert run(tmp_path / "one.png", "--top", 1).count("cat") == 0


def test_a_folder_and_its_table(tmp_path: Path, run, capsys) -> None:
    root = class_folders(tmp_path / "pets", count=3)
    (root / "broken.png").write_bytes(b"x")
    with pytest.raises(SystemExit) as ended:
        run(root, "--csv", tmp_path / "out.csv")
    assert ended.value.code == 1
    assert "unreadable: " in capsys.readouterr().out
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7
    assert all(Path(row["file"]).parent.name == row["class"] for row in rows if row["class"])
    assert [row["problem"] for row in rows if not row["class"]] == [
        f"{root / 'broken.png'} is not a picture that can be read"
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.png", "--checkpoint", "nowhere.ckpt"], "nowhere.ckpt: no such checkpoint"),
        (["x.png"], "the following arguments are required: --checkpoint; see classify --help"),
        (["x.png", "--checkpoint", "y", "--top", "0"], "'0' is not a positive whole number"),
    ],
)
def test_a_mistake_is_one_line(words, message, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    errors = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in errors
    assert errors.count("\n") == 1
