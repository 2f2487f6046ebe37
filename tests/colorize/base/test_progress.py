import logging
import subprocess
import sys
import threading

import pytest

from colorize.base.progress import Event, Progress, Remark, listening, say, task, tracked


def test_a_task_tells_its_beginning_every_step_and_its_end() -> None:
    heard: list[Event] = []
    with listening(heard.append), task("colouring", total=5, unit="frame", done=2) as bar:
        bar.advance(1, detail="shot 1/2")
        bar.advance(2)
    assert heard == [
        Progress("colouring", 2, 5, "frame", "", False),
        Progress("colouring", 3, 5, "frame", "shot 1/2", False),
        Progress("colouring", 5, 5, "frame", "shot 1/2", False),
        Progress("colouring", 5, 5, "frame", "shot 1/2", True),
    ]


def test_a_task_that_is_broken_off_ends_with_what_was_done() -> None:
    heard: list[Event] = []

    def work() -> None:
        with task("reading", total=9) as bar:
            bar.advance(4)
            raise KeyError("broken off")

    with listening(heard.append), pytest.raises(KeyError):
        work()
    assert heard[-1] == Progress("reading", 4, 9, "step", "", True)


def test_items_are_tracked_with_their_number_and_a_caller_may_stop() -> None:
    heard: list[Event] = []
    with listening(heard.append):
        assert list(tracked("ab", "finding shots", unit="frame")) == ["a", "b"]
        assert [(e.done, e.total, e.finished) for e in heard if isinstance(e, Progress)] == [
            (0, 2, False),
            (1, 2, False),
            (2, 2, False),
            (2, 2, True),
        ]
        heard.clear()
        stopped = tracked(iter("abc"), "looking")
        next(stopped)
        stopped.close()  # type: ignore[attr-defined]
    assert heard == [
        Progress("looking", 0, None, "step", "", False),
        Progress("looking", 0, None, "step", "", True),
    ]


def test_remarks_reach_listeners_and_the_log(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []
    with caplog.at_level(logging.INFO, "tooncolor"), listening(heard.append):
        say("100 % done")
    assert heard == [Remark("100 % done")]
    assert [record.getMessage() for record in caplog.records] == ["100 % done"]


def test_nobody_hears_after_the_block_and_each_listener_leaves_alone() -> None:
    one: list[Event] = []
    two: list[Event] = []
    with listening(one.append):
        with listening(two.append):
            say("both")
        say("one")
    say("nobody")
    assert one == [Remark("both"), Remark("one")]
    assert two == [Remark("both")]


def test_threads_are_heard_and_lose_no_count() -> None:
    heard: list[Event] = []

    def work() -> None:
        for _ in range(500):
            bar.advance()

    with listening(heard.append), task("counting", total=2000) as bar:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    counts = [event.done for event in heard if isinstance(event, Progress)]
    assert counts == [*range(2001), 2000]


def test_without_a_listener_nothing_is_printed_and_nothing_heavy_imported() -> None:
    code = (
        "import sys; from colorize.base.progress import say, tracked; say('hidden')\n"
        "list(tracked(range(3), 'hidden'))\n"
        "assert not {'torch', 'tqdm', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
