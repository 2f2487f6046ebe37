"""Numbers of threads hold where they are set, whatever other threads set meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch

from colorize.base.threads import compute_with, one_thread


@pytest.fixture(autouse=True)
def _two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def at_work(begin: Callable[[int], None]) -> int:
    """Return the threads of a thread that began with two, after another was set to one."""
    begun, other_set, found = threading.Event(), threading.Event(), []

    def work() -> None:
        begin(2)
        begun.set()
        other_set.wait()
        torch.rand(1000, 1000).exp()  # its first work
        found.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    other = threading.Thread(target=torch.set_num_threads, args=(1,))
    other.start()
    other.join()
    other_set.set()
    thread.join()
    return found[0]


def test_a_number_holds_though_another_thread_sets_its_own():
    assert at_work(torch.set_num_threads) == 1, "PyTorch remembers it now: compute_with may go"
    assert at_work(compute_with) == 2


def test_one_thread_ends_with_its_block_whatever_happens_in_it():
    inside = []

    def fail() -> None:
        with one_thread():
            inside.append(torch.get_num_threads())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert inside == [1]
    assert torch.get_num_threads() == 2
