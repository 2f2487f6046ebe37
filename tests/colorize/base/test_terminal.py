"""Bars where somebody watches, lines in a log, and which of them are shown."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator

import pytest

from colorize.base import terminal as module
from colorize.base.progress import LOGGER, Progress, Remark, listening, say, task, tracked
from colorize.base.terminal import Bars, Lines, print_result, terminal


class Screen(io.StringIO):
    """Standard error of somebody who watches."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """What stands on the screen in the end: a carriage return writes over its line."""
        shown = []
        for line in self.getvalue().split("\n"):
            cells: list[str] = []
            for piece in line.split("\r"):
                cells[: len(piece)] = piece
            shown.append("".join(cells).rstrip())
        return [line for line in shown if line]


def watched(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Let somebody watch from now on; in a fixture pytest would set its own stream again."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def test_a_bar_shows_the_task_its_count_and_its_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    monkeypatch.setattr(module, "_LONG", 0.0)
    with terminal(), task("colouring", total=8, unit="frame", done=3) as bar:
        assert re.search(r"colouring:  38%\|.*\| 3/8 \[", screen.getvalue())
        bar.advance(5, detail="shot 2/2")
    (left,) = screen.lines()
    assert re.match(r"colouring: 100%\|.*\| 8/8 \[.*frame.*, shot 2/2\]", left)


def test_a_short_bar_goes_and_a_long_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    with terminal():
        list(tracked("abc", "short"))
        assert screen.lines() == []
        monkeypatch.setattr(module, "_LONG", 0.0)
        list(tracked("abc", "long"))
    (left,) = screen.lines()
    assert re.match(r"long: 100%\|.*\| 3/3 \[", left)


def test_remarks_stand_whole_above_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    with terminal(), task("outer", total=2):
        say("a remark")
        say("another")
    assert screen.lines() == ["a remark", "another"]


def test_results_on_standard_output_stand_above_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    monkeypatch.setattr(sys, "stdout", screen)
    with terminal(), task("classifying", total=2):
        print_result("cat.png: cat")
    assert screen.lines() == ["cat.png: cat"]


def test_an_error_closes_the_bars_that_it_holds_open(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)

    def items() -> Iterator[int]:
        yield from tracked(range(3), "reading")

    def work() -> None:
        with terminal():
            for _ in items():
                raise KeyError("held by its traceback")

    with pytest.raises(KeyError):
        work()
    print("error: after the bar", file=sys.stderr)
    assert screen.lines() == ["error: after the bar"]


def test_a_log_has_remarks_and_long_tasks_as_lines_of_their_own(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 20.0, 45.0, 50.0, 90.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    lines = Lines()
    for done, seconds in ((1, 20.0), (2, 45.0), (3, 50.0)):
        lines(Progress("training", done, 9, "step", "loss=1", seconds=seconds))
    lines(Remark("saved"))
    lines(Progress("training", 9, 9, "step", "loss=0.5", finished=True, seconds=90.0))
    shown = capsys.readouterr().err.splitlines()
    assert [re.sub(r"\|.*\|", "|", line) for line in shown] == [
        "training:  22%| 2/9 [00:45<02:37, 22.50s/step, loss=1]",
        "saved",
        "training: 100%| 9/9 [01:30<00:00, 10.00s/step, loss=0.5]",
    ]


def test_nothing_of_short_tasks_goes_to_a_log(capsys: pytest.CaptureFixture) -> None:
    with terminal():
        list(tracked(range(100), "short"))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("loudness", "expected"),
    [
        ({}, "a remark\n"),
        ({"quiet": True}, ""),
        ({"verbose": True}, "a remark\nstep: 0 steps in 0.0 s\na detail\n"),
    ],
)
def test_loudness(loudness, expected: str, capsys: pytest.CaptureFixture) -> None:
    before = list(LOGGER.handlers), LOGGER.level
    with terminal(**loudness):
        say("a remark")
        task("step").close()
        LOGGER.debug("a detail")
    assert capsys.readouterr() == ("", expected)
    assert (list(LOGGER.handlers), LOGGER.level) == before


def test_a_task_that_began_unheard_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    monkeypatch.setattr(module, "_LONG", 0.0)
    begun = task("colouring", total=4, unit="frame")
    shown = Bars()
    with listening(shown):
        begun.advance(2)
    shown.close()
    assert re.match(r"colouring:  50%\|.*\| 2/4 \[", screen.lines()[0])
