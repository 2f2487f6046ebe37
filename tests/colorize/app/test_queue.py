"""One thing at a time on every device, in order; what waits or runs can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from colorize.app.error import PageError
from colorize.app.process import Worker
from colorize.app.queue import Queue, Ticket


class Slow:
    """A worker that goes on when told to."""

    def __init__(self) -> None:
        self.go, self.stopped = threading.Semaphore(0), threading.Event()
        self.running: list[str] = []

    def start(self) -> None: ...

    def ask(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        self.running.append(request["name"])
        yield "progress", {"done": 1}
        self.go.acquire()
        if self.stopped.is_set():
            self.stopped.clear()
            yield "failed", "broken off"
        else:
            yield "say", f"did {request['name']}"
            yield "done", request["name"]

    def stop(self) -> None:
        self.stopped.set()
        self.go.release()

    def close(self) -> None: ...


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def queue(slow) -> Iterator[Queue]:
    made = Queue(["cpu", "other"], lambda: slow)
    yield made
    made.close()
    for _ in range(8):
        slow.go.release()


def submit(queue: Queue, name: str, ended: list[Ticket], device: str = "cpu") -> Ticket:
    return queue.submit({"name": name}, device=device, on_end=ended.append)


def test_things_are_done_one_after_the_other(queue, slow):
    ended: list[Ticket] = []
    tickets = [submit(queue, name, ended) for name in "abc"]
    until(lambda: slow.running == ["a"])
    assert [ticket.state for ticket in tickets] == ["running", "waiting", "waiting"]
    assert [queue.ahead(ticket) for ticket in tickets] == [0, 1, 2]
    for _ in "abc":
        slow.go.release()
    until(lambda: len(ended) == 3)
    assert slow.running == ["a", "b", "c"]
    assert [ticket.result for ticket in ended] == ["a", "b", "c"]
    assert tickets[0].log(0) == ["did a"]
    assert tickets[0].log(1) == []


def test_devices_do_not_wait_for_each_other(queue, slow):
    submit(queue, "a", [])
    submit(queue, "b", [], device="other")
    until(lambda: sorted(slow.running) == ["a", "b"])


def test_what_waits_and_what_runs_can_be_stopped(queue, slow):
    ended: list[Ticket] = []
    first, second, third = (submit(queue, name, ended) for name in "abc")
    until(lambda: first.state == "running")
    queue.stop(second)
    assert (second.state, ended) == ("stopped", [second])
    queue.stop(first)
    until(lambda: third.state == "running")
    assert (first.state, first.message) == ("stopped", "")
    assert ended == [second, first]


def test_an_unknown_device_or_ticket_is_refused(queue):
    with pytest.raises(PageError, match=r"device 'cuda:0': expected one of cpu, other"):
        submit(queue, "a", [], device="cuda:0")
    with pytest.raises(PageError, match="start it again"):
        queue.ticket("nothing")


def test_a_real_worker_shows_progress_survives_a_defect_and_a_kill(tmp_path):
    """The one test with a process of its own: classifying, then two failures, then again."""
    from tests.classify.samples import class_folders
    from tests.classify.tiny import write_checkpoint

    pictures = sorted(class_folders(tmp_path / "in", count=2).rglob("*.png"))
    asked = {
        "task": "classify",
        "pictures": [str(path) for path in pictures],
        "checkpoint": str(write_checkpoint(tmp_path / "cats.safetensors")),
        "device": "cpu",
    }
    worker = Worker()
    try:
        events = list(worker.ask(asked))
        assert events[-1][0] == "done"
        assert [len(each["probabilities"]) for each in events[-1][1]["pictures"]] == [2] * 4
        bars = [value for kind, value in events if kind == "progress"]
        assert bars[-1]["task"] == "classifying"
        assert (bars[-1]["done"], bars[-1]["total"]) == (4, 4)
        kind, line = list(worker.ask({**asked, "checkpoint": str(tmp_path / "gone.ckpt")}))[-1]
        assert (kind, "no such checkpoint" in line) == ("failed", True)
        kind, line = list(worker.ask({**asked, "pictures": [7]}))[-1]
        assert (kind, line[:9]) == ("failed", "a defect ")
        assert list(worker.ask(asked))[-1][0] == "done", "the process goes on after a defect"
        process = worker._process
        assert process is not None
        worker.stop()
        assert process.poll() is not None
    finally:
        worker.close()
