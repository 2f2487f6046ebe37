"""Show progress on standard error: as bars where somebody watches, as lines in a log."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from colorize.base.progress import LOGGER, Event, Progress, Remark, listening

# tqdm is imported with the first bar: a command that needs none does not wait for it.
if TYPE_CHECKING:
    from tqdm import tqdm

_LONG = 10.0  # seconds after which a finished bar stays, for the time that it took
_BETWEEN_LINES = 30.0  # seconds, in a log


@contextlib.contextmanager
def terminal(*, quiet: bool = False, verbose: bool = False) -> Iterator[None]:
    """Show what goes on in the block; ``quiet`` shows nothing, ``verbose`` details of it too."""
    if quiet:
        yield
        return
    shown = Bars() if sys.stderr.isatty() else Lines()
    details, level = _Details(shown), LOGGER.level
    LOGGER.addHandler(details)
    if verbose:
        LOGGER.setLevel(logging.DEBUG)
    try:
        with listening(shown):
            yield
    finally:
        LOGGER.setLevel(level)
        LOGGER.removeHandler(details)
        shown.close()


def print_result(text: str) -> None:
    """Print a line of results on standard output, above the bars if there are any."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(text)
    else:
        print(text)


class Lines:
    """A listener that writes remarks, and how far long tasks are from time to time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._told = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Write an event that is worth a line."""
        with self._lock:
            if isinstance(event, Remark):
                self.write(event.text)
            else:
                self._hear(event)

    def write(self, text: str) -> None:
        """Write a line."""
        with self._lock:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """End; nothing is open."""

    def _hear(self, event: Progress) -> None:
        now = time.monotonic()
        late = now - self._told >= _BETWEEN_LINES
        if event.seconds >= _BETWEEN_LINES and (late or event.finished):
            self._told = now
            self.write(_line(event))


class Bars(Lines):
    """A listener that draws a bar for every task, by its name, and writes remarks above them."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: dict[str, tqdm] = {}

    def write(self, text: str) -> None:
        """Write a line above the bars."""
        with self._lock:
            bar = next(iter(self._bars.values()), None)
            if bar is None:
                super().write(text)
            else:
                bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """End the bars of tasks that nobody has ended, as those whose frames an error holds."""
        with self._lock:
            while self._bars:
                self._end(next(iter(self._bars)))

    def _hear(self, event: Progress) -> None:
        bar = self._bars.get(event.task)
        if bar is None:
            bar = self._bars[event.task] = _bar(event)
        bar.set_postfix_str(event.detail, refresh=False)
        bar.update(event.done - bar.n)
        if event.finished:
            self._end(event.task)

    def _end(self, task: str) -> None:
        bar = self._bars.pop(task)
        bar.leave = bar.format_dict["elapsed"] >= _LONG
        bar.close()


class _Details(logging.Handler):
    """Writes what the logger is told among the rest, but not remarks, which are heard anyway."""

    def __init__(self, shown: Lines) -> None:
        super().__init__()
        self._shown = shown
        self.addFilter(lambda record: record.levelno != logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self._shown.write(self.format(record))


def _bar(event: Progress) -> tqdm:
    from tqdm import tqdm

    return tqdm(
        desc=event.task,
        total=event.total,
        initial=event.before,
        unit=event.unit,
        dynamic_ncols=True,
        miniters=1,
    )


def _line(event: Progress) -> str:
    """Return what a bar would say, without drawing one."""
    from tqdm import tqdm

    return tqdm.format_meter(
        event.done,
        event.total,
        event.seconds,
        prefix=event.task,
        unit=event.unit,
        postfix=event.detail or None,
        initial=event.before,
    )
