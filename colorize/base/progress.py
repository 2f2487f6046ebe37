"""What long work tells while it goes on: events, for whoever listens; without a listener, nothing.

Whoever works says ``with task(…)``, ``tracked`` and ``say``; whoever shows it — a terminal, the
page, a log — registers with ``listening``. Listeners are called in the thread that works, since
stages of a film run in threads of their own: they must take events from any thread, and be quick.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

Item = TypeVar("Item")

# Remarks go here at INFO; what only explains a defect is written to it at DEBUG.
LOGGER = logging.getLogger("tooncolor")


@dataclass(frozen=True)
class Progress:
    """How far a task is: ``done`` of ``total`` (None: not known) in ``unit``.

    An earlier run did ``before`` of them; this one has been at it for ``seconds``. The last event
    of a task is ``finished``, with fewer ``done`` than ``total`` when it was broken off.
    """

    task: str
    done: int
    total: int | None
    unit: str
    detail: str = ""
    finished: bool = False
    before: int = field(default=0, compare=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def rate(self) -> float | None:
        """How much this run does in a second; None before it is known."""
        made = self.done - self.before
        return made / self.seconds if made > 0 and self.seconds > 0 else None

    @property
    def left(self) -> float | None:
        """The seconds left; None where they are not known."""
        rate = self.rate
        return None if self.total is None or rate is None else (self.total - self.done) / rate


@dataclass(frozen=True)
class Remark:
    """One line for the user."""

    text: str


Event = Progress | Remark
Listener = Callable[[Event], object]

_listeners: tuple[Listener, ...] = ()
_registering = threading.Lock()


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let ``listener`` hear every event, of all threads, until the block ends."""
    global _listeners
    with _registering:
        _listeners = (*_listeners, listener)
    try:
        yield
    finally:
        with _registering:
            index = len(_listeners) - 1 - _listeners[::-1].index(listener)
            _listeners = _listeners[:index] + _listeners[index + 1 :]


def say(text: str) -> None:
    """Tell the user one line."""
    LOGGER.info("%s", text)
    _emit(Remark(text))


class Task:
    """Work that goes on: :func:`task` begins it, ``close`` or the end of its block ends it.

    ``done`` is how much of it is, with what an earlier run did.
    """

    def __init__(self, name: str, *, total: int | None, unit: str, done: int) -> None:
        self._name, self._total, self._unit = name, total, unit
        self._before, self._begun = done, time.monotonic()
        self.done, self._detail, self._finished = done, "", False
        self._lock = threading.Lock()  # events of a task arrive in the order of its count
        self._tell()

    def advance(self, count: int = 1, *, detail: str | None = None) -> None:
        """Count ``count`` more as done; ``detail`` stays until another is given."""
        with self._lock:
            self.done += count
            self._detail = self._detail if detail is None else detail
            self._tell()

    def close(self) -> None:
        """End the task, once."""
        with self._lock:
            if not self._finished:
                self._finished = True
                told = self._tell()
                LOGGER.debug("%s: %d %ss in %.1f s", told.task, told.done, told.unit, told.seconds)

    def __enter__(self) -> Task:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _tell(self) -> Progress:
        event = Progress(
            self._name,
            self.done,
            self._total,
            self._unit,
            self._detail,
            self._finished,
            self._before,
            time.monotonic() - self._begun,
        )
        _emit(event)
        return event


def task(name: str, *, total: int | None = None, unit: str = "step", done: int = 0) -> Task:
    """Begin a task of ``total`` (None: not known) in ``unit``, ``done`` of them before."""
    return Task(name, total=total, unit=unit, done=done)


def tracked(
    items: Iterable[Item], name: str, *, total: int | None = None, unit: str = "step"
) -> Iterator[Item]:
    """Yield the items as a task, of as many as they are; a caller that stops early ends it."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with task(name, total=total, unit=unit) as bar:
        for item in items:
            yield item
            bar.advance()


def _emit(event: Event) -> None:
    for listener in _listeners:
        listener(event)
