"""Cut runs of numbered things, such as the frames of a shot, or choose a few of them."""

from __future__ import annotations


def pieces(start: int, stop: int, longest: int) -> list[range]:
    """Return ``start <= number < stop`` in order; each piece but the last is the longest."""
    return [range(first, min(first + longest, stop)) for first in range(start, stop, longest)]


def middles(total: int, parts: int) -> list[int]:
    """Return the middles of up to ``parts`` equal parts of ``total`` things in order."""
    parts = min(total, parts)
    return [int((index + 0.5) * total / parts) for index in range(parts)]
