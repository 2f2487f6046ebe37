"""What an output film takes over from its source, and the ticks that times are put on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal, TypeAlias

from colorize.base.errors import UserError

# Interlaced: which of the two fields of a frame, top or bottom, is shown first.
Fields: TypeAlias = Literal["progressive", "tff", "bff"]

_MILLISECOND = Fraction(1, 1000)
# MP4 stores ticks per second as a signed 32-bit number.
LARGEST_TIMESCALE = 2**31 - 1


@dataclass(frozen=True)
class VideoLook:
    """What the output takes over from a film, besides its frames.

    ``time_base`` is the film's tick in seconds, ``start`` the time of its first frame, ``bits``
    those of a channel, ``aspect`` the shape of an upright pixel (width / height); primaries and
    transfer are FFmpeg's numbers (2: unknown).
    """

    time_base: Fraction
    rate: Fraction
    start: Fraction = Fraction(0)
    bits: int = 8
    aspect: Fraction = Fraction(1)
    primaries: int = 1
    transfer: int = 1
    fields: Fields = "progressive"


@dataclass(frozen=True)
class Clock:
    """The ticks of an output film: ``tick`` in seconds, and a rate whose grid times are put on.

    MP4 and MOV keep the ticks of the source, so its times stay exact. Matroska and WebM count
    milliseconds; on the way to a finer clock their times return to the grid of the film's rate, at
    most 1 ms away. AVI knows one rate only (``constant``).
    """

    tick: Fraction
    grid: Fraction | None = None
    constant: bool = False

    @classmethod
    def choose(cls, suffix: str, look: VideoLook) -> Clock:
        """Return the clock for a container."""
        if suffix == ".avi":
            return cls(1 / look.rate, look.rate, constant=True)
        if suffix in (".mkv", ".webm") or look.time_base != _MILLISECOND:
            return cls(look.time_base)
        ticks = lcm(1000, look.rate.numerator)
        if ticks > LARGEST_TIMESCALE:
            return cls(_MILLISECOND)
        return cls(Fraction(1, ticks), look.rate)

    def ticks(self, time: Fraction, start: Fraction) -> int:
        """Return the tick of ``time``, for a film whose first frame is shown at ``start``.

        Raises:
            ValueError: the clock has a constant rate and the time lies between its frames.
        """
        if self.grid is not None:
            on_grid = start + round((time - start) * self.grid) / self.grid
            if self.constant and abs(on_grid - time) > self.tick / 4:
                raise UserError("the frame rate varies, which AVI cannot hold")
            if self.constant or abs(on_grid - time) <= _MILLISECOND:
                time = on_grid
        return round(time / self.tick)

    def length(self, duration: Fraction) -> int:
        """Return the ticks of a frame's duration, at least one."""
        if self.grid is not None and abs(duration - 1 / self.grid) <= _MILLISECOND:
            duration = 1 / self.grid
        return max(1, round(duration / self.tick))
