"""Screening: what goes where, and that nothing is lost when it is stopped."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from classify import selection
from classify.journal import NAME, ScreenError, undo
from classify.predict import Classifier
from classify.selection import Screening, screen, write_summary
from colorize.base.progress import Event, Remark, listening
from tests.classify.samples import class_folders
from tests.classify.tiny import write_checkpoint


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> Classifier:
    path = write_checkpoint(tmp_path_factory.mktemp("model") / "model.safetensors")
    return Classifier.load(path, device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = class_folders(tmp_path / "in", count=5)  # cat/000.png and dog/000.png: same names
    (root / "broken.jpg").write_bytes(b"x")
    (root / "notes.txt").write_text("not a picture")
    return root


def screening(folder: Path, **changes) -> Screening:
    settings = {"folder": folder, "keep": folder.parent / "keep", "target": "cat"}
    return Screening(**(settings | changes))


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*.png"))


def test_copies_are_kept_and_the_folder_stays_as_it_is(folder: Path, classifier) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    heard: list[Event] = []
    with listening(heard.append):
        summary = screen(screening(folder), classifier, batch_size=3)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert contents(folder.parent / "keep") == contents(folder / "cat")
    assert [summary.count(word) for word in ("kept", "rejected", "unreadable")] == [5, 5, 1]
    assert any(isinstance(event, Remark) and "kept 0.9" in event.text for event in heard)


def test_moving_sorts_into_two_places_without_overwriting(folder: Path, classifier) -> None:
    expected = contents(folder / "cat"), contents(folder / "dog")
    (folder / "more").mkdir()
    class_folders(folder / "more", count=5, start=7)  # other pictures of the same names
    everything = contents(folder)
    rejected = folder.parent / "rejected"
    screen(screening(folder, rejected=rejected, move=True), classifier)
    kept = contents(folder.parent / "keep")
    assert sorted(kept + contents(rejected)) == everything
    assert set(expected[0]) <= set(kept)
    assert not set(expected[1]) & set(kept)
    assert not list(folder.rglob("*.png"))
    assert (folder / "broken.jpg").exists()
    assert (folder.parent / "keep" / "000-2.png").is_file()
    undo(folder.parent / "keep" / NAME)
    assert contents(folder) == everything
    assert (folder / "cat" / "000.png").is_file()


@pytest.mark.parametrize("move", [False, True])
@pytest.mark.parametrize("stop", [1, 4, 7])
def test_a_stopped_run_is_finished_by_the_same_command(
    folder: Path, classifier, monkeypatch, move: bool, stop: int
) -> None:
    everything, cats = contents(folder), contents(folder / "cat")
    calls = []

    def stopping(*words, **settings) -> None:
        calls.append(words)
        if len(calls) == stop:
            raise KeyboardInterrupt
        original(*words, **settings)

    original = selection.carry_out
    monkeypatch.setattr(selection, "carry_out", stopping)
    wanted = screening(folder, move=move, rejected=folder.parent / "rejected")
    with pytest.raises(KeyboardInterrupt):
        screen(wanted, classifier, batch_size=3)
    monkeypatch.undo()
    summary = screen(wanted, classifier, batch_size=3)
    assert summary.looked_at < 11  # what was decided is not looked at again
    assert contents(folder.parent / "keep") == cats
    sorted_away = contents(folder.parent / "keep") + contents(folder.parent / "rejected")
    assert sorted(sorted_away) == everything
    assert contents(folder) == ([] if move else everything)
    assert len(summary.decisions) == 11
    again = screen(wanted, classifier)
    assert again.looked_at == 0
    assert again.decisions == summary.decisions


def test_a_finished_run_takes_up_new_pictures_only(folder: Path, classifier) -> None:
    wanted = screening(folder, move=True)
    screen(wanted, classifier)
    (folder / "cat" / "000.png").write_bytes((folder.parent / "keep" / "001.png").read_bytes())
    (folder.parent / "keep" / "003.png").unlink()  # the user's own decision
    summary = screen(wanted, classifier)
    assert summary.looked_at == 1
    assert (folder.parent / "keep" / "000-2.png").is_file()
    assert not (folder.parent / "keep" / "003.png").exists()


def test_the_folder_to_keep_may_lie_inside(folder: Path, classifier) -> None:
    wanted = screening(folder, keep=folder / "kept")
    screen(wanted, classifier)
    assert screen(wanted, classifier).looked_at == 0
    assert len(contents(folder / "kept")) == 5


def test_the_report_has_the_rows_of_the_source(folder: Path, classifier) -> None:
    summary = screen(screening(folder), classifier)
    truth = {d.file: d.file.split("/")[0] for d in summary.decisions}
    truth["cat/003.png"] = "dog"
    text = summary.markdown(truth)
    for row in (
        "| total number of images | 10 |",
        "| actually of the class | 4 |",
        "| classified as the class | 5 |",
        "| missed | 0 |",
        "| falsely identified | 1 |",
        "| misclassified | 1 |",
        "| class accuracy | 100.00 % |",
        "| absolute accuracy | 90.00 % |",
        "| precision | 80.00 % |",
    ):
        assert row in text
    assert "broken.jpg is not a picture" in text
    markdown, table = write_summary(summary, truth)
    assert markdown.read_text() == text
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    assert {row["verdict"] for row in rows} == {"kept", "rejected", "unreadable"}
    assert np.isclose(float(rows[1]["probability"]), summary.decisions[1].probability, atol=1e-5)


def test_other_settings_or_places_are_refused(folder: Path, classifier) -> None:
    screen(screening(folder), classifier)
    with pytest.raises(ScreenError, match=r"with threshold=0\.95, not 0\.5: pass another --keep"):
        screen(screening(folder, threshold=0.5), classifier)
    with pytest.raises(ScreenError, match=r"--threshold is 1\.5: expected 0 to 1"):
        screening(folder, threshold=1.5)
    with pytest.raises(ScreenError, match="holds the screened folder"):
        screening(folder, keep=folder.parent)
    with pytest.raises(ScreenError, match="are both"):
        screening(folder, rejected=folder.parent / "keep")
    with pytest.raises(ScreenError, match="is no folder"):
        screening(folder / "nowhere")
    with pytest.raises(ValueError, match="target is 'cot'; did you mean 'cat'"):
        screen(screening(folder, target="cot"), classifier)
