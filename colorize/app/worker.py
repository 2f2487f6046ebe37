"""``python -m colorize.app.worker``: the process that does what takes long, one thing at a time.

It reads requests from standard input and writes events to standard output, a line of JSON each. It
may be killed at any moment; what it works on is written so that the same request goes on.
"""

from __future__ import annotations

import io
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TextIO

from colorize.app.bars import read_bars
from colorize.base.errors import line_for_user


class Events:
    """Writes events to the server, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def send(self, kind: str, value: object) -> None:
        """Write an event."""
        with self._lock:
            self._stream.write(json.dumps({kind: value}) + "\n")
            self._stream.flush()

    def say(self, text: str) -> None:
        """Tell the user something."""
        self.send("say", text)


class Lines(io.TextIOBase):
    """Standard output of the programs: every line is something that they tell."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._open = say, ""

    def write(self, text: str) -> int:
        """Tell the lines that are complete."""
        *lines, self._open = (self._open + text).split("\n")
        for line in filter(str.strip, lines):
            self._say(line)
        return len(text)


class Bars(io.TextIOBase):
    """Standard error of the programs: their progress bars; what else they write is passed on."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def write(self, text: str) -> int:
        """Send the bars in ``text``."""
        bars = read_bars(text)
        for bar in bars:
            self._events.send("progress", asdict(bar))
        if not bars and text.strip() and sys.__stderr__ is not None:
            sys.__stderr__.write(text)
        return len(text)


def main() -> None:
    """Do what is asked for until standard input ends."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not come between the events
    events = Events(output)
    sys.stdout, sys.stderr = Lines(events.say), Bars(events)
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    # PyTorch takes seconds to import: the server has been answered by then.
    from colorize.app.tasks import TASKS, Models

    models = Models()
    while True:
        request = json.loads(requests.get())
        _do(TASKS[request.pop("task")], request, models, events)


def _listen(requests: queue.SimpleQueue[str]) -> None:
    """Take requests; when the server is gone, so is this process, whatever it is doing."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _do(
    task: Callable[..., object], request: Mapping[str, Any], models: object, events: Events
) -> None:
    """Do one request and tell how it ended."""
    try:
        events.send("done", task(models, events.say, **request))
    except Exception as error:  # noqa: BLE001 - a defect must not end the page
        line = line_for_user(error)
        if line is None:
            traceback.print_exception(error, file=sys.__stderr__)
            line = f"a defect ({type(error).__name__}): the terminal of colorize-app says more"
        events.send("failed", line)


if __name__ == "__main__":
    main()
