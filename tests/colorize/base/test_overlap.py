"""Stages that run at the same time: order, bounded memory, errors, and an end at any moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from colorize.base.overlap import overlapped


def test_the_order_stays_and_all_items_come() -> None:
    with overlapped(range(100), ahead=3) as numbers:
        assert list(numbers) == list(range(100))


def test_drawing_goes_on_while_the_block_works_but_no_further_than_told() -> None:
    drawn: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for number in range(50):
            drawn.append(number)
            if number == 3:
                third.set()
            yield number

    with overlapped(items(), ahead=2) as numbers:
        assert next(numbers) == 0
        # One in work (0), two waiting (1, 2), one in the hand of the thread (3).
        assert third.wait(timeout=10)
        assert not threading.Event().wait(0.3)
        assert drawn == [0, 1, 2, 3]


def test_two_stages_in_a_row() -> None:
    with overlapped(range(10)) as numbers, overlapped(n * n for n in numbers) as squares:
        assert list(squares) == [n * n for n in range(10)]


def test_an_error_comes_where_its_item_would_have() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("broken")

    seen: list[int] = []
    with overlapped(items()) as numbers, pytest.raises(KeyError, match="broken"):
        seen.extend(numbers)
    assert seen == [1, 2]


def test_leaving_the_block_ends_the_thread_and_closes_the_generator() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    with overlapped(items(), name="endless") as numbers:
        assert next(numbers) == 0
    assert closed.is_set()
    assert "endless" not in {thread.name for thread in threading.enumerate()}


def test_nothing_waits_for_nothing() -> None:
    with pytest.raises(ValueError, match="ahead is 0: expected 1 or more"), overlapped([], ahead=0):
        pass
