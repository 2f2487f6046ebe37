"""Numbers on command lines, and how a mistake is told."""

from __future__ import annotations

import argparse
from functools import partial

import pytest

from colorize.base.command_line import Parser, number, positive, whole


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (whole, {"0": 0, "12": 12}, ["-1", "1.5", "x", "", "²"]),
        (positive, {"1": 1, "12": 12}, ["0", "-1", "1.5", "²"]),
        (partial(whole, low=1, high=100), {"1": 1, "100": 100}, ["0", "101", "1.5", "²"]),
        (
            partial(number, low=0.0, high=1.0),
            {"0": 0.0, "0.25": 0.25, "1e-2": 0.01, "1": 1.0},
            ["-0.1", "1.01", "nan", "inf", "x", ""],
        ),
    ],
)
def test_numbers(kind, good: dict[str, float], bad: list[str]) -> None:
    for text, value in good.items():
        assert kind(text) == value
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
            kind(text)


def test_help_begins_with_a_sentence_and_examples() -> None:
    parser = Parser("tool", "Count.", "examples:\n  tool --count 1\n\nMore to say.\n")
    parser.add_argument("--count", type=positive, help="how many")
    shown = parser.format_help()
    assert shown.startswith("Count.\n\nexamples:\n  tool --count 1\n\nusage: tool [-h]")
    assert shown.index("how many") < shown.index("More to say.")


def test_a_mistake_is_one_line(capsys) -> None:
    parser = Parser("tool", "A tool.", "")
    parser.add_argument("--count", type=positive)
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(["--count", "0"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "error: argument --count: '0' is not a positive whole number; see tool --help\n"
    )
