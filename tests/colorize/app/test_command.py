"""The command line of the page: folders by name, devices, and mistakes in one line."""

from __future__ import annotations

import pytest

from colorize.app.command import devices, main, make_studio, parser, roots


def test_folders_are_called_by_their_last_part_or_as_one_likes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    assert {name: path.resolve() for name, path in roots(["films", "old=films"]).items()} == {
        "films": tmp_path / "films",
        "old": tmp_path / "films",
    }
    assert roots([]) == {}
    (tmp_path / "runs").mkdir()
    assert list(roots([])) == ["runs"]
    assert list(roots(["."])) == [tmp_path.name]


def test_two_folders_of_one_name_are_refused(tmp_path):
    for name in ("a/films", "b/films"):
        (tmp_path / name).mkdir(parents=True)
    words = [str(tmp_path / "a/films"), str(tmp_path / "b/films")]
    with pytest.raises(ValueError, match="two folders are called films; write NAME=FOLDER"):
        roots(words)


def test_devices_are_those_named_or_all_there_are():
    assert devices("cpu, cuda:1") == ["cpu", "cuda:1"]
    assert devices("auto")


def test_what_the_command_line_says_is_what_the_page_gets(tmp_path):
    words = [f"films={tmp_path}", "--work", str(tmp_path / "work"), "--upload-limit", "0.5"]
    studio = make_studio(parser().parse_args([*words, "--device", "cpu"]))
    assert studio.roots.names == ["films"]
    assert studio.uploads.limits.file_bytes == 2**29
    assert studio.queue.devices == ["cpu"]
    assert (tmp_path / "work/jobs").is_dir()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing-here"], "root nothing-here=nothing-here: no such folder"),
        (["--device", "abacus"], "expected auto, cpu, cuda"),
        (["--port", "x"], "'x' is not a positive whole number"),
        (["--upload-limit", "0"], "not a number from 0.001 to 1024"),
    ],
)
def test_mistakes_are_one_line(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_it_listens_to_this_machine_alone_unless_told_otherwise():
    assert parser().parse_args([]).host == "127.0.0.1"
