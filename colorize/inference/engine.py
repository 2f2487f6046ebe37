"""The shot engine: what films, evaluation, sheets, the page and validation pictures all call."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from colorize.inference.coloring import Coloring
from colorize.inference.effort import Effort
from colorize.inference.joining import Joining
from colorize.inference.library import Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame

LONGEST = 240  # frames of a shot that are coloured together: what a killed job may lose
_SHORTEST = 8
_MEMORY = 512 * 2**20  # bytes of the decoded frames of a piece
_AROUND = 2  # frames before and after that a preview of one is coloured with


class ShotEngine:
    """Colour shots as the settings say, by the references of a film (``library``).

    ``batch_size`` frames go through the network at a time, fewer when memory runs out. ``check`` is
    called between batches and may raise to stop. ``own_luma`` leaves RGB as the network says it, to
    measure a network that predicts it freely as its source does; it needs a stillness of 0.
    """

    def __init__(
        self,
        colorizer: LoadedNetworks,
        settings: RenderSettings,
        *,
        library: Library | None = None,
        batch_size: int = 4,
        check: Callable[[], None] = lambda: None,
        own_luma: bool = False,
    ) -> None:
        self.colorizer, self.settings, self.library = colorizer, settings, library
        self.own_luma = own_luma
        effort = Effort(batch_size, settings.short_side or colorizer.short_side)
        self.coloring = Coloring(
            colorizer, settings, effort=effort, library=library, check=check, own_luma=own_luma
        )

    def joining(self) -> Joining:
        """Return what makes full-size frames of one colouring."""
        return Joining(
            self.settings,
            device=self.colorizer.device,
            library=self.library,
            own_luma=self.own_luma,
        )

    def __call__(
        self, frames: Iterable[Frame], *, names: Sequence[str] = (), variant: int | None = None
    ) -> Iterator[list[Frame]]:
        """Yield the colourings of every frame of a shot: ``variant``, or all K if None.

        ``names`` are the references of the shot, of the library.

        Raises:
            OutOfMemoryError: Memory does not suffice even for one small frame.
        """
        state: dict = {}
        joinings: list[Joining] = []
        for piece in pieces(frames):
            chroma, state = self.coloring(piece, variant=variant, before=state, names=names)
            joinings = joinings or [self.joining() for _ in range(chroma.shape[1])]
            colored = [
                joining(piece, planes, before=joining.state, names=names)
                for joining, planes in zip(joinings, chroma.unbind(1), strict=True)
            ]
            yield from map(list, zip(*colored, strict=True))

    def preview(
        self, frames: Sequence[Frame], index: int, *, names: Sequence[str] = ()
    ) -> list[Frame]:
        """Return the K colourings of frame ``index`` of a shot.

        ``frames`` are those of :func:`preview_window`, in order. In a shot that this window holds
        whole, the result is that of :meth:`__call__` to the bit.
        """
        colored = self(frames, names=names)
        return next(
            each for frame, each in zip(frames, colored, strict=True) if frame.index == index
        )


def preview_window(start: int, stop: int, index: int) -> range:
    """Return the frames of a shot (``start <= index < stop``) that a preview of one looks at."""
    return range(max(start, index - _AROUND), min(stop, index + _AROUND + 1))


def longest_piece(size: tuple[int, int]) -> int:
    """Return how many frames of ``size`` (height, width) are coloured together, for memory."""
    height, width = size
    return max(_SHORTEST, min(LONGEST, _MEMORY // (3 * height * width)))


def pieces(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Cut the frames of a shot into pieces that are coloured together."""
    left = iter(frames)
    for first in left:
        height, width, _ = first.rgb.shape
        yield [first, *itertools.islice(left, longest_piece((height, width)) - 1)]
