"""``python -m colorize.app.worker``: the process that does what takes long, one thing at a time.

It reads requests from standard input and writes events to standard output, a line of JSON each. It
may be killed at any moment; what it works on is written so that the same request goes on.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TextIO

from colorize.app.course import Course
from colorize.base.errors import line_for_user
from colorize.base.progress import Event, Remark, listening
from colorize.base.start import importing

_BETWEEN = 0.25  # seconds between two events of tasks


class Events:
    """Writes events to the server, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def send(self, kind: str, value: object) -> None:
        """Write an event."""
        with self._lock:
            self._stream.write(json.dumps({kind: value}) + "\n")
            self._stream.flush()


class Listener:
    """Sends remarks, and how far tasks are, but not every step of a fast one."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._sent = 0.0
        self.course: Course | None = None  # of a request that is a job of several tasks

    def __call__(self, event: Event) -> None:
        """Send an event."""
        if isinstance(event, Remark):
            self._events.send("say", event.text)
            return
        if event.total == 0:
            return  # where there are no references, none are followed
        if self.course is not None:
            self.course.see(event)
        now = time.monotonic()
        if event.done == event.before or event.finished or now - self._sent >= _BETWEEN:
            self._sent = now
            value = {**asdict(event), "rate": event.rate, "left": event.left}
            if self.course is not None:
                value |= {"share": self.course.share, "left": self.course.left}
            self._events.send("progress", value)


def main() -> None:
    """Do what is asked for until standard input ends."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not come between the events
    events = Events(output)
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    # PyTorch takes seconds to import: the server has been answered by then.
    with importing():
        from colorize.app.tasks import TASKS, Models
    models = Models()
    with listening(listener := Listener(events)):
        while True:
            request = json.loads(requests.get())
            listener.course = course_of(request)
            _do(TASKS[request.pop("task")], request, models, events)


def course_of(request: Mapping[str, Any]) -> Course | None:
    """Return what tells how far a request is as a whole; None for one that is a single task."""
    return Course(plan_only=request["plan_only"]) if request["task"] == "colour" else None


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
        kind, value = "done", task(models, **request)
    except Exception as error:  # noqa: BLE001 - a defect must not end the page
        kind, value = "failed", line_for_user(error)
        if value is None:
            traceback.print_exception(error)
            value = f"a defect ({type(error).__name__}): the terminal of colorize-app says more"
    # Only now: the error held the tasks open, which end with events of their own.
    events.send(kind, value)


if __name__ == "__main__":
    main()
