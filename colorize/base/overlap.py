"""Let the stages of a pipeline run at the same time, each in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from colorize.base.errors import UserError

T = TypeVar("T")
_END: Any = object()  # what is drawn when there is nothing more


@contextmanager
def overlapped(items: Iterable[T], *, ahead: int = 1, name: str = "stage") -> Iterator[Iterator[T]]:
    """Draw ``items`` in a thread of their own while the block works on those drawn before.

    The order stays. At most ``ahead`` items wait besides the one being drawn and the one in work,
    which bounds the memory. An error raised while drawing is raised in the block, where its item
    would have come; leaving the block ends the thread, and closes ``items`` if it is a generator.

    Raises:
        ValueError: ``ahead`` is below 1.
    """
    if ahead < 1:
        raise UserError(f"ahead is {ahead}: expected 1 or more")
    source = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix=name) as thread:
        drawn = deque(thread.submit(next, source, _END) for _ in range(ahead + 1))

        def taken() -> Iterator[T]:
            while drawn and (item := drawn.popleft().result()) is not _END:
                drawn.append(thread.submit(next, source, _END))
                yield item

        try:
            yield taken()
        finally:
            for each in drawn:
                each.cancel()
            if isinstance(items, Generator):
                thread.submit(items.close)  # where it ran
