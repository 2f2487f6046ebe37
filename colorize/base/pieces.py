"""Cut a run of numbered things, such as the frames of a shot, into pieces of bounded length."""

from __future__ import annotations


def pieces(start: int, stop: int, longest: int) -> list[range]:
    """Return ``start <= number < stop`` in order; each piece but the last is the longest."""
    return [range(first, min(first + longest, stop)) for first in range(start, stop, longest)]
