"""Ask a worker of its own for what somebody waits for, newest first."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import Any

from colorize.app.error import PageError
from colorize.app.queue import Works

_IDLE = 600.0  # seconds after which the worker's memory is given back


class Live:
    """Answers questions one after the other, beside the queue; older ones give way to newer.

    Of the questions of one ``topic`` only the newest is answered: those that still wait are
    dropped.
    """

    def __init__(self, make_worker: Callable[[], Works], *, device: str) -> None:
        self.device = device
        self._make_worker = make_worker
        self._worker: Works | None = None
        self._numbers = itertools.count()
        self._newest: dict[str, int] = {}
        self._turn = threading.Lock()
        self._closed = False
        self._timer: threading.Timer | None = None

    def ask(self, request: Mapping[str, Any], *, topic: str) -> Any:
        """Return the answer to a request.

        Raises:
            PageError: A newer one of its topic came meanwhile (status 409), or the worker failed.
        """
        number = self._newest[topic] = next(self._numbers)
        with self._turn:
            if self._newest[topic] != number or self._closed:
                raise PageError("a newer one has come", status=409)
            for kind, value in self._ready().ask({**request, "device": self.device}):
                if kind == "done":
                    return value
                if kind == "failed":
                    raise PageError(value)
        raise PageError("the work was broken off; try again")

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._worker is not None:
            self._worker.stop()

    def _ready(self) -> Works:
        """Return the worker, and let it be closed when nobody asks for long."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(_IDLE, self._rest)
        self._timer.daemon = True
        self._timer.start()
        if self._worker is None:
            self._worker = self._make_worker()
        return self._worker

    def _rest(self) -> None:
        with self._turn:
            if self._worker is not None:
                self._worker.close()
