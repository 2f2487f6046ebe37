"""What command lines share: errors of one line, whole numbers."""

from __future__ import annotations

import argparse

import pytest

from classify.command_line import Parser, positive


def test_a_mistake_is_one_line_that_points_to_the_help(capsys) -> None:
    parser = Parser(prog="classify")
    parser.add_argument("--top", type=positive)
    assert parser.parse_args(["--top", "12"]).top == 12
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--tip", "3"])
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err == "error: unrecognized arguments: --tip 3; see classify --help\n"
    )


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", ""])
def test_only_positive_whole_numbers(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a positive whole number"):
        positive(text)
