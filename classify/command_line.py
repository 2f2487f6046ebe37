"""What the ordinary command lines of this package share."""

from __future__ import annotations

import argparse
from typing import NoReturn

from colorize.errors import fail


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all others are; argparse adds the whole usage."""

    def error(self, message: str) -> NoReturn:
        """End with one line and exit code 2."""
        fail(f"{message}; see {self.prog} --help")


def positive(text: str) -> int:
    """Return a positive whole number of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)
