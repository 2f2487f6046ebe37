"""Do one thing at a time on every device, in the order in which it was asked for."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from colorize.app.error import PageError

State: TypeAlias = Literal["waiting", "running", "done", "failed", "stopped"]

_LINES = 2000  # of a log that are kept
_KEPT = 200  # tickets that have ended and can still be asked about
_IDLE = 600.0  # seconds after which a worker's memory is given back


@runtime_checkable
class Works(Protocol):
    """What does the work of one device: see :class:`colorize.app.process.Worker`."""

    def start(self) -> None:
        """Get ready before the first request."""

    def ask(self, request: Mapping[str, Any]) -> Any:
        """Yield the events of a request."""

    def stop(self) -> None:
        """End what is going on."""

    def close(self) -> None:
        """End altogether."""


@dataclass(eq=False)
class Ticket:
    """One thing to do, and how far it is; ``first_line`` is the number of the oldest kept line."""

    request: Mapping[str, Any]
    device: str
    on_end: Callable[[Ticket], None]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: State = "waiting"
    progress: Mapping[str, Any] | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))
    said: int = 0
    result: Any = None
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self.state in ("done", "failed", "stopped")

    def say(self, line: str) -> None:
        """Add a line to the log, unless it stands there already as the last one."""
        if not self.lines or self.lines[-1] != line:
            self.lines.append(line)
            self.said += 1

    def log(self, since: int) -> list[str]:
        """Return the lines from number ``since`` on, as far as they are kept."""
        first = self.said - len(self.lines)
        return list(self.lines)[max(0, since - first) :]


class Queue:
    """The queue of every device, each with a thread and a worker; both start when needed."""

    def __init__(self, devices: Sequence[str], make_worker: Callable[[], Works]) -> None:
        self.devices = list(devices)
        self._make_worker = make_worker
        self._waiting: dict[str, list[Ticket]] = {device: [] for device in devices}
        self._running: dict[str, Ticket | None] = dict.fromkeys(devices)
        self._workers: dict[str, Works] = {}
        self._tickets: dict[str, Ticket] = {}
        self._change = threading.Condition()
        self._closing = False

    def submit(
        self, request: Mapping[str, Any], *, device: str, on_end: Callable[[Ticket], None]
    ) -> Ticket:
        """Add something to do on a device; ``on_end`` is called once when it has ended.

        Raises:
            PageError: There is no such device.
        """
        if device not in self._waiting:
            raise PageError(f"device {device!r}: expected one of {', '.join(self.devices)}")
        ticket = Ticket({**request, "device": device}, device, on_end)
        with self._change:
            self._forget_old()
            self._tickets[ticket.id] = ticket
            self._waiting[device].append(ticket)
            self._prepare(device)
            self._change.notify_all()
        return ticket

    def warm_up(self) -> None:
        """Start the worker of the first device, so that nobody waits for PyTorch later."""
        with self._change:
            self._prepare(self.devices[0])
            self._workers[self.devices[0]].start()

    def _prepare(self, device: str) -> None:
        """Let a device have its worker and its thread."""
        if device not in self._workers:
            self._workers[device] = self._make_worker()
            threading.Thread(target=self._serve, args=(device,), daemon=True).start()

    def ticket(self, name: str) -> Ticket:
        """Return a ticket by its id.

        Raises:
            PageError: There is none, or it ended long ago.
        """
        if name not in self._tickets:
            raise PageError("nothing is known of this any more; start it again", status=404)
        return self._tickets[name]

    def ahead(self, ticket: Ticket) -> int:
        """Return how many others come first."""
        with self._change:
            waiting = self._waiting[ticket.device]
            if ticket not in waiting:
                return 0
            running = self._running[ticket.device]
            return waiting.index(ticket) + (running is not None)

    def stop(self, ticket: Ticket) -> None:
        """End something, whether it has started or not."""
        with self._change:
            if ticket in self._waiting[ticket.device]:
                self._waiting[ticket.device].remove(ticket)
                ticket.state = "stopped"
                ended = True
            else:
                ended = False
                if ticket.state == "running":
                    ticket.state = "stopped"
                    self._workers[ticket.device].stop()
        if ended:
            self._end(ticket)

    def close(self) -> None:
        """End all work; tickets that have not ended stay as they are."""
        with self._change:
            self._closing = True
            self._change.notify_all()
            for worker in self._workers.values():
                worker.stop()

    def _serve(self, device: str) -> None:
        """Work for a device until the queue closes."""
        worker = self._workers[device]
        while True:
            with self._change:
                while not self._waiting[device] and not self._closing:
                    if not self._change.wait(_IDLE):
                        worker.close()
                if self._closing:
                    break
                ticket = self._waiting[device].pop(0)
                ticket.state, self._running[device] = "running", ticket
            for kind, value in worker.ask(ticket.request):
                self._note(ticket, kind, value)
            with self._change:
                self._running[device] = None
            if not self._closing:
                self._end(ticket)
        worker.close()

    def _end(self, ticket: Ticket) -> None:
        """Tell the end of a ticket; a full disk must not end the queue."""
        try:
            ticket.on_end(ticket)
        except OSError as error:
            ticket.say(f"cannot be written down: {error.strerror}")

    def _note(self, ticket: Ticket, kind: str, value: Any) -> None:
        with self._change:
            match kind:
                case "say":
                    ticket.say(value)
                case "progress":
                    ticket.progress = value
                case "done" | "failed" if ticket.state == "running" and not self._closing:
                    ticket.state = "done" if kind == "done" else "failed"
                    ticket.result = value if kind == "done" else None
                    ticket.message = value if kind == "failed" else ""

    def _forget_old(self) -> None:
        ended = [name for name, ticket in self._tickets.items() if ticket.ended]
        for name in ended[:-_KEPT]:
            del self._tickets[name]
