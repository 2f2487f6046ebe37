"""The command that suggests frames: what it prints, and what it says to run next."""

from __future__ import annotations

from pathlib import Path

import pytest

from colorize.films import suggest_command
from colorize.films.command import parser as colour_parser
from tests.colorize.films.drawn import moving_blocks, write_frames


def test_a_table_and_the_next_command_are_printed(tmp_path: Path, capsys) -> None:
    film = write_frames(tmp_path / "in", moving_blocks([5, 4]))
    folder = tmp_path / "to-colour"
    words = [str(film), "-n", "2", "-o", str(folder), "--size", "64", "--device", "cpu"]
    suggest_command.main(words)
    head, first, second, _, told, following = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["frame", "file", "newly", "covered"]
    names = sorted(path.name for path in folder.glob("*.png") if path.name != "suggestions.png")
    assert sorted(line.split()[1] for line in (first, second)) == names
    assert all(f"{line.split()[0]}.png" == line.split()[1] for line in (first, second))
    assert first.split()[2].endswith("%")
    assert "1 (" in first
    assert str(folder) in told
    program, *arguments = following.split()
    assert program == "colorize"
    options = colour_parser().parse_args(arguments)
    assert (options.input, options.reference) == (film, [folder])


def test_a_file_is_no_folder(tmp_path: Path, capsys) -> None:
    film = write_frames(tmp_path / "in", moving_blocks([3]))
    (tmp_path / "taken").write_text("")
    with pytest.raises(SystemExit) as ended:
        suggest_command.main([str(film), "-o", str(tmp_path / "taken")])
    assert ended.value.code == 2
    assert "taken is a file; name a folder" in capsys.readouterr().err
