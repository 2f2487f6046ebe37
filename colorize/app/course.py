"""How far a job of the page is as a whole: one share from the first second, and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from colorize.base.progress import Progress

# Where the stages of a job end on the whole way, as they take time on processors. The last
# hundredths are for putting a film together.
_TO_COLOUR = {
    "finding shots": 0.08,
    "choosing references": 0.12,
    "drawing": 0.2,
    "colouring": 0.98,
}
_TO_PLAN = {"finding shots": 0.4, "choosing references": 0.6, "drawing": 1.0}
_ENOUGH = 0.01  # of the way, from which on its speed says something
_INSIDE = "following references"  # a part of drawing and of colouring
_FOLLOWING = 0.4  # of the time of a frame's colouring, where references are followed to it


class Course:
    """The share of a job that is done, from the events of its tasks; it never goes back.

    ``clock`` gives seconds.
    """

    def __init__(self, *, plan_only: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._ends = _TO_PLAN if plan_only else _TO_COLOUR
        self._clock = clock
        self._first: tuple[float, float] | None = None  # the first share, and when it was told
        self._colouring: Progress | None = None
        self._colouring_begun = 0.0
        self.share = 0.0
        self.left: float | None = None

    def see(self, event: Progress) -> None:
        """Take an event of a task of the job: bring ``share`` (0 to 1) and ``left`` up to date.

        ``left`` are seconds, None until something is done.
        """
        now = self._clock()
        if event.task == "colouring":
            if self._colouring is None:
                self._colouring_begun = now
            self._colouring = event
            self._colour(float(event.done), now)
        elif event.task == _INSIDE and self._colouring is not None and event.total:
            done, total = self._colouring.done, self._colouring.total or 0
            ahead = _FOLLOWING * min(event.total, total - done) * event.done / event.total
            self._colour(done + ahead, now)
        elif event.task in self._ends and event.total:
            self._advance(event.task, event.done / event.total)
            self._guess(now)

    def _colour(self, done: float, now: float) -> None:
        """Take how many frames are coloured, parts of frames among them."""
        assert self._colouring is not None
        if not self._colouring.total:
            return
        self._advance("colouring", done / self._colouring.total)
        made = done - self._colouring.before
        if made > 0 and now > self._colouring_begun:
            rate = made / (now - self._colouring_begun)
            self.left = (self._colouring.total - done) / rate
        else:
            self._guess(now)

    def _advance(self, task: str, done: float) -> None:
        names = list(self._ends)
        place = names.index(task)
        low = self._ends[names[place - 1]] if place else 0.0
        self.share = max(self.share, low + (self._ends[task] - low) * min(1.0, done))
        if self._first is None:
            self._first = self.share, self._clock()

    def _guess(self, now: float) -> None:
        """Take the time left from what the way so far has taken."""
        assert self._first is not None, "something was told"
        share, begun = self._first
        gone = self.share - share
        if gone >= _ENOUGH and now > begun:
            self.left = (now - begun) * (1 - self.share) / gone
