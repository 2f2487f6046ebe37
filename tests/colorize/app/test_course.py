"""One bar for a whole job: it moves from the first event, never back, and says the time left."""

from __future__ import annotations

import pytest

from colorize.app.course import Course
from colorize.base.progress import Progress


def event(task: str, done: int, total: int, *, before: int = 0) -> Progress:
    return Progress(task, done, total, "frame", before=before)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_shots_references_and_colouring_are_one_way(clock) -> None:
    course = Course(plan_only=False, clock=clock)
    shares = []
    for task, done, total in (
        ("finding shots", 0, 100), ("finding shots", 50, 100), ("finding shots", 100, 100),
        ("choosing references", 1, 2), ("drawing", 1, 4), ("colouring", 0, 100),
        ("colouring", 50, 100), ("colouring", 100, 100),
    ):  # fmt: skip
        clock.now += 1
        course.see(event(task, done, total))
        shares.append(course.share)
    assert shares == pytest.approx([0, 0.04, 0.08, 0.10, 0.14, 0.2, 0.59, 0.98])


def test_following_references_moves_the_bar_before_a_frame_is_coloured(clock) -> None:
    course = Course(plan_only=False, clock=clock)
    course.see(event("colouring", 0, 100))
    clock.now = 10.0
    course.see(event("following references", 25, 50))
    # 0.4 of the work on 50 frames, half of it done: as ten frames of a hundred.
    assert course.share == pytest.approx(0.2 + 0.78 * 0.1)
    assert course.left == pytest.approx(90)  # ten frames in ten seconds, ninety to go
    course.see(event("following references", 0, 50))
    assert course.share == pytest.approx(0.278), "it never goes back"


def test_the_time_left_is_said_from_the_first_share_on(clock) -> None:
    course = Course(plan_only=False, clock=clock)
    assert course.left is None
    course.see(event("finding shots", 0, 100))
    assert course.left is None
    clock.now = 0.5
    course.see(event("finding shots", 50, 100))
    assert course.left == pytest.approx(0.5 * 0.96 / 0.04)


def test_what_an_earlier_run_did_is_no_speed_of_this_one(clock) -> None:
    course = Course(plan_only=False, clock=clock)
    course.see(event("colouring", 60, 100, before=60))
    assert course.left is None
    clock.now = 4.0
    course.see(event("colouring", 80, 100, before=60))
    assert course.left == pytest.approx(4)


def test_a_plan_alone_ends_with_its_drawings(clock) -> None:
    course = Course(plan_only=True, clock=clock)
    course.see(event("finding shots", 100, 100))
    assert course.share == pytest.approx(0.4)
    course.see(event("drawing", 4, 4))
    assert course.share == pytest.approx(1)
    course.see(event("classifying", 1, 2))  # of nobody's way
    assert course.share == pytest.approx(1)
