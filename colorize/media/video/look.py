"""What a coloured film takes over from its source, besides the frames."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

# Interlaced: which of the two fields of a frame, top or bottom, is shown first.
Fields: TypeAlias = Literal["progressive", "tff", "bff"]


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
