"""What ordinary command lines share: errors of one line, loudness, and checked numbers."""

from __future__ import annotations

import argparse
from math import inf
from typing import NoReturn

from colorize.base.errors import fail


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all others are; argparse adds the whole usage.

    Its help begins with one sentence and with examples, as those who look for help need them first.

    Args:
        program: What the command is called.
        sentence: What it does.
        epilog: ``examples:`` with one a line, an empty line, and what else there is to say.
    """

    def __init__(self, program: str, sentence: str, epilog: str) -> None:
        examples, _, more = epilog.partition("\n\n")
        super().__init__(
            prog=program, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self._opening = f"{sentence}\n\n{examples}\n\n"

    def format_help(self) -> str:
        """Return the sentence and the examples, then usage, options and the rest."""
        return self._opening + super().format_help()

    def error(self, message: str) -> NoReturn:
        """End with one line and exit code 2."""
        fail(f"{message}; see {self.prog} --help")


def add_loudness(parser: argparse.ArgumentParser) -> None:
    """Add ``--quiet`` and ``--verbose``, as :func:`colorize.base.terminal.terminal` takes them."""
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("--quiet", action="store_true", help="show no progress and no remarks")
    loudness.add_argument("--verbose", action="store_true", help="tell more of what goes on")


def whole(text: str, *, low: int | float = 0, high: int | float = inf) -> int:
    """Return a whole number from ``low``, which is not negative, to ``high``."""
    if not text.isdecimal() or not low <= int(text) <= high:
        name = "positive whole number" if low == 1 and high == inf else "whole number"
        span = "" if high == inf else f" from {low:g} to {high:g}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a {name}{span}")
    return int(text)


def positive(text: str) -> int:
    """Return a positive whole number."""
    return whole(text, low=1)


def number(text: str, *, low: int | float, high: int | float) -> float:
    """Return a number from ``low`` to ``high``."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
    return value
