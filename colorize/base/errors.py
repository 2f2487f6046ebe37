"""End a command with one line for a user's mistake, and with a traceback for a defect of ours."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, get_args


class UserError(ValueError):
    """What a user can mend: one line that says what, where, what was expected and what to do.

    It ends a command with exit code 2. Any other exception is a defect of ours and keeps its
    traceback.
    """


def fail(message: str, *, code: int = 2) -> NoReturn:
    """Print ``error: message`` on standard error, on one line, and exit with ``code``."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(code)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a :class:`UserError`, or an OSError of a file, into one line and exit code 2.

    Anything else is a defect and keeps its traceback, as does everything when ``TOONCOLOR_DEBUG``
    is set. Ctrl-C ends with one line and exit code 130.
    """
    if os.environ.get("TOONCOLOR_DEBUG"):
        yield
        return
    try:
        yield
    except (ValueError, OSError) as error:
        line = line_for_user(error)
        if line is None:
            raise
        fail(line)
    except KeyboardInterrupt:
        print("stopped; the same command continues where it can", file=sys.stderr)
        raise SystemExit(130) from None


def line_for_user(error: BaseException) -> str | None:
    """Return what an error says to the user; None if it is a defect."""
    if isinstance(error, UserError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None


def did_you_mean(word: str, known: Iterable[object]) -> str:
    """Return `` (did you mean X?)`` or the list of valid names, for the end of an error line."""
    names = sorted(str(name) for name in known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; valid: {', '.join(names)}" if names else ""


def require_choice(option: str, value: object, choices: Any) -> None:
    """Refuse a value that is none of the strings of a ``Literal``.

    Raises:
        ValueError: Naming the option and what it can be.
    """
    known = get_args(choices)
    if value not in known:
        raise UserError(f"{option} is {value!r}: expected {', '.join(known[:-1])} or {known[-1]}")


def require(option: str, holds: bool, got: object, expected: str) -> None:
    """Refuse the value of an option unless what is expected of it ``holds``.

    Raises:
        ValueError: Naming the option, what it is and what was expected.
    """
    if not holds:
        raise UserError(f"{option} is {got!r}: expected {expected}")
