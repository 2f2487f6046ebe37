"""What the process that works tells its server; the process itself is tried with its queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest

from colorize.app import worker
from colorize.app.worker import Events, Listener, course_of
from colorize.base.progress import Progress, Remark
from tests.places import ROOT


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[TextIO]:
    with (tmp_path / "pipe").open("w", encoding="utf-8") as stream:
        yield stream


def sent(pipe: TextIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(pipe.name).read_text("utf-8").splitlines()]


def test_remarks_and_tasks_go_through_the_pipe_with_speed_and_time_left(pipe) -> None:
    listener = Listener(Events(pipe))
    listener(Remark("3 shots"))
    listener(Progress("colouring", 15, 20, "frame", "shot 2/3", True, before=5, seconds=1.0))
    listener(Progress("finding shots", 0, None, "frame"))
    remark, colouring, finding = sent(pipe)
    assert remark == {"say": "3 shots"}
    assert colouring["progress"]["task"] == "colouring"
    assert (colouring["progress"]["rate"], colouring["progress"]["left"]) == (10.0, 0.5)
    assert (finding["progress"]["rate"], finding["progress"]["left"]) == (None, None)


def test_a_job_is_one_way_and_what_has_nothing_to_do_is_no_news(pipe) -> None:
    listener = Listener(Events(pipe))
    listener.course = course_of({"task": "colour", "plan_only": False})
    listener(Progress("finding shots", 50, 100, "frame", finished=True))
    listener(Progress("following references", 0, 0, "frame", finished=True))
    listener.course = course_of({"task": "classify"})
    listener(Progress("classifying", 1, 4, "picture", finished=True))
    finding, classifying = (event["progress"] for event in sent(pipe))
    assert finding["share"] == 0.04  # half of the eight hundredths that finding shots is given
    assert classifying["task"] == "classifying"
    assert "share" not in classifying
    script = (ROOT / "colorize/app/static/js/progress.js").read_text()
    assert "progress.share" in script


def test_a_fast_task_does_not_flood_the_pipe(pipe, monkeypatch) -> None:
    now = iter([1.0, 1.1, 1.2, 1.3, 1.31])
    monkeypatch.setattr(worker.time, "monotonic", lambda: next(now))
    listener = Listener(Events(pipe))
    for done in range(4):
        listener(Progress("colouring", done, 4, "frame"))
    listener(Progress("colouring", 4, 4, "frame", finished=True))
    assert [event["progress"]["done"] for event in sent(pipe)] == [0, 3, 4]


def test_the_page_reads_what_is_sent(pipe) -> None:
    Listener(Events(pipe))(Progress("colouring", 1, 2, "frame"))
    script = (ROOT / "colorize/app/static/js/progress.js").read_text()
    for name in ("task", "done", "total", "unit", "detail", "rate", "left"):
        assert f"progress.{name}" in script
        assert name in sent(pipe)[0]["progress"]
