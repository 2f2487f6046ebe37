"""When each frame of a film is shown, decided over all its frames at once.

FFmpeg guesses the times that a container does not store, and where it guesses wrong the frames run
back: XviD and H.264 in AVI, FLV, RealMedia. Then the times of decoding run on evenly.

Source: FFmpeg's guess_correct_pts, libavcodec/decode.c (best_effort_timestamp).
Differs: FFmpeg decides at every frame by those before it, so that a film may begin by one series of
times and go on by the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

# With more faulty times than one in ten, a series of times is none.
_FAULTY = 10


@dataclass(frozen=True)
class Stamp:
    """What the decoder says of a frame, in seconds; None where it says nothing.

    ``shown`` is the time of showing, ``decoded`` that of decoding (pts and dts).
    """

    shown: Fraction | None
    decoded: Fraction | None
    duration: Fraction | None


@dataclass(frozen=True)
class Times:
    """Strictly rising times in seconds, one a frame; ``mended`` are the frames that had none."""

    times: tuple[Fraction, ...]
    mended: tuple[int, ...] = ()


def frame_times(stamps: Sequence[Stamp], *, tick: Fraction, rate: Fraction) -> Times:
    """Return when the frames are shown.

    Of the two series of times the one with fewer faults counts, of two with equally many that of
    showing. A frame without a time of its own, or with one that is not later than the time before
    it, follows the frame before it by that one's duration, which is ``1 / rate`` where it is not
    told. Two frames are ``tick`` apart at least.
    """
    shown = [stamp.shown for stamp in stamps]
    decoded = [stamp.decoded for stamp in stamps]
    lasting = [_exact(stamp.duration or 1 / rate, tick, rate) for stamp in stamps]
    # The last frames come out of the decoder's delay, without a time of decoding.
    told = len(decoded) - next((n for n, t in enumerate(reversed(decoded)) if t is not None), 0)
    by_showing = _faults(shown)
    by_decoding = _faults(decoded[:told]) if any(t is not None for t in decoded) else len(stamps)
    chosen = shown if by_showing <= by_decoding else decoded
    if _FAULTY * min(by_showing, by_decoding) > len(stamps):
        first = next((time for time in chosen if time is not None), Fraction(0))
        chosen = [first, *[None] * (len(stamps) - 1)]
    found = _rising(chosen, lasting, tick)
    if chosen is decoded:  # that they follow one another is then no loss
        return Times(found.times, tuple(index for index in found.mended if index < told))
    return found


def _exact(duration: Fraction, tick: Fraction, rate: Fraction) -> Fraction:
    """Return a duration less the rounding to ticks, which adds up over a film: whole fields."""
    fields = round(duration * 2 * rate) / (2 * rate)
    return fields if fields and abs(fields - duration) < tick else duration


def _faults(times: Sequence[Fraction | None]) -> int:
    """Return how many times are missing or not later than the one before."""
    faults, last = 0, None
    for time in times:
        if time is None or (last is not None and time <= last):
            faults += 1
        last = last if time is None else time
    return faults


def _rising(times: Sequence[Fraction | None], lasting: Sequence[Fraction], tick: Fraction) -> Times:
    """Give the frames without a usable time one, and let the others go on from there."""
    found: list[Fraction] = []
    mended: list[int] = []
    offset = Fraction(0)  # of what follows a jump back
    for index, own in enumerate(times):
        time = None if own is None else own + offset
        if not found:
            found.append(Fraction(0) if time is None else time)
            continue
        last = found[-1]
        if time is not None and time > last:
            found.append(time)
            continue
        following = times[index + 1] if index + 1 < len(times) else None
        next_time = None if following is None else following + offset
        placed = last + lasting[index - 1]
        if next_time is not None and next_time > last:  # this frame alone is wrong
            placed = min(placed, (last + next_time) / 2 // tick * tick)
        elif time is not None:
            offset += placed - time
        found.append(max(placed, last + tick))
        mended.append(index)
    return Times(tuple(found), tuple(mended))
