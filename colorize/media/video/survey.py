"""Look through a film once, before anything is made of it: its times, fields, forms and holes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from colorize.base.progress import task
from colorize.media.error import MediaError
from colorize.media.video.clock import Fields
from colorize.media.video.damage import Reading
from colorize.media.video.fields import FieldReader, film_fields
from colorize.media.video.reading import decoded, film_stream, frame_rate, open_input
from colorize.media.video.steady import SteadyClock
from colorize.media.video.timing import Stamp, Times, frame_times

# Width and height, and the shape of the whole picture (width / height as shown).
_Form = tuple[tuple[int, int], Fraction]


@dataclass(frozen=True)
class Survey:
    """What one reading of a whole film finds.

    ``times`` and ``durations`` (None: not told) are of every frame, in seconds; ``fields`` are as
    stored, not yet upright. ``notes`` are remarks for the user.
    """

    times: tuple[Fraction, ...]
    durations: tuple[Fraction | None, ...]
    fields: Fields
    notes: tuple[str, ...]


def survey(path: Path) -> Survey:
    """Decode a film once and return what it is; the same file is read once in a process.

    Damage ends the survey where it is met; whoever reads the frames meets it again.

    Raises:
        MediaError: the file cannot be opened.
    """
    state = path.stat()
    return _survey(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=8)
def _survey(path: Path, size: int, changed: int) -> Survey:
    """Survey a file that is recognised by its size and its time of change."""
    with open_input(path) as container:
        stream = film_stream(path, container)
        clock, reading = SteadyClock(container), Reading(path, container, stream)
        stamps: list[Stamp] = []
        orders: list[Fields] = []
        forms: list[_Form] = []
        reader = FieldReader()
        frames = decoded(path, container, stream, clock, reading)
        total = stream.frames or None
        with (
            task("reading the film", total=total, unit="frame") as bar,
            contextlib.suppress(MediaError),
        ):
            for _, frame in frames:
                stamps.append(_stamp(frame, stream))
                orders.append(reader.order(frame))
                forms.append(_form(frame, stream))
                bar.advance()
        found = _times(container, stream, stamps)
        fields = film_fields(stream, orders)
        notes = (
            *_field_notes(orders, fields, found.times),
            *_form_notes(forms, found.times),
            *_clock_notes(found, clock.jumps),
            *reading.notes(),
        )
        durations = tuple(stamp.duration for stamp in stamps)
        return Survey(found.times, durations, fields, tuple(f"{path} {note}" for note in notes))


def _stamp(frame: VideoFrame, stream: VideoStream) -> Stamp:
    """Return what a decoded frame says of its time."""
    tick = frame.time_base or stream.time_base or Fraction(1, 1000)
    return Stamp(
        None if frame.pts is None else frame.pts * tick,
        None if frame.dts is None else frame.dts * tick,
        frame.duration * tick if frame.duration else None,
    )


def _times(container: InputContainer, stream: VideoStream, stamps: list[Stamp]) -> Times:
    """Return the times of all frames."""
    tick = stream.time_base or Fraction(1, 1000)
    # The rate that the codec tells; the average of a stream without times is an estimate.
    rate = stream.guessed_rate or frame_rate(stream) or Fraction(25)
    found = frame_times(stamps, tick=tick, rate=rate)
    if not found.times:
        return found
    if container.format.name == "avi":
        # AVI stores no times of showing; those that FFmpeg infers start a frame or two late.
        late = found.times[0] - (stream.start_time or 0) * tick
    elif container.start_time is None:  # a bare stream
        late = found.times[0]
    else:
        return found
    return Times(tuple(time - late for time in found.times), found.mended)


def _field_notes(orders: list[Fields], fields: Fields, times: tuple[Fraction, ...]) -> list[str]:
    """Say that a film is interlaced, and where it changes."""
    if fields == "progressive":
        return []
    changes = [
        f"{float(times[index]):.3f} s (frame {index})"
        for index, (one, other) in enumerate(pairwise(orders), start=1)
        if one != other
    ]
    note = (
        "is interlaced: its fields are coloured as one picture and stay interlaced; deinterlace it "
        "first if moving edges come out striped"
    )
    if not changes:
        return [note]
    first = "the top field" if fields == "tff" else "the bottom field"
    return [
        note,
        f"changes its fields at {_some(changes)}: it is written as interlaced throughout, {first} "
        "first",
    ]


def _form(frame: VideoFrame, stream: VideoStream) -> _Form:
    """Return the form of a frame that was just decoded."""
    pixel = stream.codec_context.sample_aspect_ratio or Fraction(1)
    return (frame.width, frame.height), pixel * frame.width / frame.height


def _form_notes(forms: list[_Form], times: tuple[Fraction, ...]) -> list[str]:
    """Say where a film changes its size or the shape of its picture."""
    sizes: list[str] = []
    shapes: list[str] = []
    for index, (one, other) in enumerate(pairwise(forms), start=1):
        place = f"at {float(times[index]):.3f} s (frame {index})"
        if one[0] != other[0]:
            sizes.append(f"to {other[0][0]}×{other[0][1]} {place}")
        if one[1] != other[1]:  # the decoder tells it a frame or so ahead
            shapes.append(f"to {float(other[1]):.3g}:1 near {float(times[index]):.2f} s")
    notes = []
    if sizes:
        width, height = forms[0][0]
        notes.append(f"changes its size {_some(sizes)}: all frames are scaled to {width}×{height}")
    if shapes:
        notes.append(
            f"changes the shape of its picture {_some(shapes)}: all of it is written as "
            f"{float(forms[0][1]):.3g}:1, as it begins; split the film there to keep both"
        )
    return notes


def _clock_notes(found: Times, jumps: list[Fraction]) -> list[str]:
    """Say where a film's clock jumps, and which frames have no time of their own."""
    notes = []
    if jumps:
        places = [f"{float(time):.3f} s" for time in jumps]
        notes.append(f"has a clock that jumps at {_some(places)}: the film goes on from there")
    if found.mended:
        first = found.mended[0]
        notes.append(
            f"tells no usable time for {len(found.mended)} of {len(found.times)} frames, from "
            f"frame {first} at {float(found.times[first]):.3f} s on: each follows the one before "
            "it by that one's duration"
        )
    return notes


def _some(places: list[str]) -> str:
    """Name the first places, and how many there are."""
    more = f" and {len(places) - 3} more places" if len(places) > 3 else ""
    return ", ".join(places[:3]) + more
