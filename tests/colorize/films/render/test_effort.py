"""Memory that runs out: less at a time, then smaller, then an error; never gray frames."""

from __future__ import annotations

import pytest
import torch
from colorize.films.render.effort import Effort, is_out_of_memory

from colorize.films.error import JobError


def cpu_error() -> RuntimeError:
    """The error that PyTorch raises on a CPU: 10**17 bytes are more than any machine has."""
    try:
        torch.empty(10**17, dtype=torch.uint8)
    except RuntimeError as error:
        return error
    raise AssertionError("that much memory?")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (cpu_error(), True),
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("shape '[3]' is invalid for input of size 2"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_which_errors_say_so(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_the_batch_is_halved_then_the_size_and_the_user_is_told() -> None:
    told: list[str] = []
    effort = Effort(batch_size=4, short_side=200, say=told.append)
    tried: list[tuple[int, int]] = []

    def work() -> str:
        tried.append((effort.batch_size, effort.short_side))
        if effort.short_side > 60:
            raise cpu_error()
        return "coloured"

    assert effort.within_memory(work) == "coloured"
    assert tried == [(4, 200), (2, 200), (1, 200), (1, 100), (1, 50)]
    assert told[0] == "memory ran out: going on with 2 frames at a time"
    assert "working size of 100 pixels" in told[2]
    assert len(told) == 4
    assert effort.within_memory(work) == "coloured"  # and stays there
    assert tried[-1] == (1, 50)


def test_in_the_end_it_is_an_error() -> None:
    effort = Effort(batch_size=1, short_side=40, say=lambda text: None)

    def work() -> None:
        raise MemoryError

    with pytest.raises(JobError, match="does not suffice for one frame at 40 pixels"):
        effort.within_memory(work)


def test_other_errors_pass() -> None:
    effort = Effort(batch_size=4, short_side=200, say=lambda text: None)

    def work() -> None:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        effort.within_memory(work)
    assert effort.batch_size == 4
