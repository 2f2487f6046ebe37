"""Questions of a person who waits: the newest is answered, older ones that wait are dropped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from colorize.app.error import PageError
from colorize.app.live import Live


class Slow:
    """A worker that waits for a word before each answer."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.go, self.begun = threading.Semaphore(0), threading.Semaphore(0)

    def start(self) -> None: ...

    def ask(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        self.asked.append(request["what"])
        self.begun.release()
        yield "say", "thinking"
        assert self.go.acquire(timeout=10)
        if request["what"] == "bad":
            yield "failed", "no such frame"
        else:
            yield "done", (request["what"], request["device"])

    def stop(self) -> None: ...

    def close(self) -> None: ...


def asking(live: Live, what: str, topic: str, answers: dict[str, Any]) -> threading.Thread:
    def ask() -> None:
        try:
            answers[what] = live.ask({"what": what}, topic=topic)
        except PageError as error:
            answers[what] = error.status

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_the_newest_of_a_topic_is_answered_and_other_topics_are_left_alone() -> None:
    worker = Slow()
    live = Live(lambda: worker, device="cpu")
    answers: dict[str, Any] = {}
    threads = [asking(live, "first", "a", answers)]
    assert worker.begun.acquire(timeout=10)
    for what, topic in (("second", "a"), ("third", "a"), ("other", "b")):
        known = live._newest.get(topic)
        threads.append(asking(live, what, topic, answers))
        while live._newest.get(topic) == known:
            time.sleep(0.01)
    for _ in range(3):
        worker.go.release()
    for thread in threads:
        thread.join(10)
    assert answers == {
        "first": ("first", "cpu"),
        "second": 409,
        "third": ("third", "cpu"),
        "other": ("other", "cpu"),
    }
    assert "second" not in worker.asked
    live.close()


def test_what_fails_is_told_and_the_next_question_is_answered() -> None:
    worker = Slow()
    live = Live(lambda: worker, device="cpu")
    worker.go.release()
    worker.go.release()
    with pytest.raises(PageError, match="no such frame"):
        live.ask({"what": "bad"}, topic="a")
    assert live.ask({"what": "good"}, topic="a") == ("good", "cpu")
    live.close()
    with pytest.raises(PageError):
        live.ask({"what": "late"}, topic="a")
