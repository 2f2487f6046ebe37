"""What every source of frames offers: a re-iterable, lazy stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

from colorize.media.frame import Frame


class Source(ABC):
    """Frames of a folder, a video or one image, read one at a time; each iteration starts afresh.

    ``size`` is (height, width) of the first frame, upright. ``count`` is exact for pictures and the
    container's word for a video, None where it is silent. ``rate`` is the exact average rate of a
    video in frames per second, else None. ``notes`` are remarks of one line each for the user: what
    of the source is read otherwise than expected, or cannot be kept.
    """

    kind: Literal["folder", "video", "image"]
    path: Path
    size: tuple[int, int]
    count: int | None
    rate: Fraction | None
    notes: tuple[str, ...]

    @abstractmethod
    def frames(
        self, start: int = 0, stop: int | None = None, *, only: Container[int] | None = None
    ) -> Iterator[Frame]:
        """Yield the frames ``start <= index < stop`` whose index is in ``only`` (None: all).

        In order, each with its own index. A frame left out costs less than one that is yielded.

        Raises:
            MediaError: a frame cannot be read; the message tells how many were.
        """

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go: every iteration opens its files and closes them itself."""
        return None
