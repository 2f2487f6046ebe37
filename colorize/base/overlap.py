"""Let the stages of a pipeline run at the same time, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

from colorize.base.errors import UserError

T = TypeVar("T")
_PATIENCE = 0.1  # seconds after which a waiting stage looks whether it is still wanted


class _End:
    """What a stage sends last: nothing more, or the error it ended with."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Stage(Generic[T]):
    """A thread that draws items and offers them one by one, ``ahead`` of them waiting at most."""

    def __init__(self, items: Iterable[T], ahead: int, name: str) -> None:
        self._items = items
        self._offered: Queue[T | _End] = Queue(maxsize=ahead)
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._offer(item):
                    break
        except BaseException as raised:  # noqa: BLE001 - handed on to the stage that waits for it
            error = raised
        finally:
            if isinstance(self._items, Generator):
                self._items.close()
        self._offer(_End(error))

    def _offer(self, item: T | _End) -> bool:
        """Wait for room; return False when nobody wants the item any more."""
        while not self._unwanted.is_set():
            try:
                self._offered.put(item, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False

    def items(self) -> Iterator[T]:
        """Yield what the thread draws; raise what it ended with."""
        while True:
            item = self._offered.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def stop(self) -> None:
        """Tell the thread that nothing more is wanted, and wait until it has ended."""
        self._unwanted.set()
        while self._thread.is_alive():
            try:
                self._offered.get_nowait()
            except Empty:
                self._thread.join(_PATIENCE)


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
    stage = _Stage(items, ahead, name)
    try:
        yield stage.items()
    finally:
        stage.stop()
