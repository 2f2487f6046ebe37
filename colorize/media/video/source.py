"""Frames of a video, decoded lazily through PyAV."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from colorize.media.error import MediaError
from colorize.media.frame import Frame, Source
from colorize.media.video.clock import VideoLook
from colorize.media.video.decoded import orientation, to_rgb
from colorize.media.video.fields import turned
from colorize.media.video.reading import decoded, film_stream, frame_rate, open_input
from colorize.media.video.survey import Survey, survey


class VideoSource(Source):
    """The frames of a film, upright, in presentation order.

    Frames are those that the decoder gives: pre-roll of an edit list left out, first and last kept.
    8-bit films give uint8 frames, deeper ones uint16; the two fields of an ``interlaced`` film are
    one frame. Films without a colour matrix are BT.709 from 720 lines or 1280 columns up, else
    BT.601, as players take them. Frames of another size than the first are scaled to it, as FFmpeg
    does. What is not kept, such as alpha, is told in ``notes``.

    Times begin at zero where the film does, run on where the film's clock wraps or jumps, and are
    decided over the whole film: the first use of ``look``, ``notes`` or :meth:`frames` decodes it
    once (:func:`colorize.media.video.survey.survey`).

    Raises:
        MediaError: unreadable, cut off, without video, or without a single frame.
    """

    kind = "video"

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_input(path) as container:
            stream = film_stream(path, container)
            first = next((frame for _, frame in decoded(path, container, stream)), None)
            if first is None:
                raise MediaError(f"{path}: no frame could be decoded; check that the film plays")
            self.count = stream.frames or None
            self.rate = frame_rate(stream)
            self._turn = orientation(first)
            self._stored = (first.height, first.width)
            self._unseen_look = _look(stream, first, self.rate, turn=self._turn)
            self._first_notes = _notes(path, container, first)
        self.size = (first.width, first.height) if self._turn[0] else (first.height, first.width)

    @property
    def _survey(self) -> Survey:
        return survey(self.path)

    @cached_property
    def look(self) -> VideoLook:
        """What the film's output takes over from it."""
        seen = self._survey
        fields = turned(seen.fields, self._stored[0], self._turn)
        start = seen.times[0] if seen.times else Fraction(0)
        return replace(self._unseen_look, start=start, fields=fields)

    @property
    def interlaced(self) -> bool:
        """Whether the film has interlaced frames."""
        return self._survey.fields != "progressive"

    @cached_property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]  # worked out when asked for
        """What of the film is not kept, or not as it should be."""
        return (*self._survey.notes, *self._first_notes)

    def frames(
        self, start: int = 0, stop: int | None = None, *, only: Container[int] | None = None
    ) -> Iterator[Frame]:
        """Yield the frames ``start <= index < stop`` whose index is in ``only``.

        Those left out are decoded, since later ones build on them, but not converted.

        Raises:
            MediaError: damaged.
        """
        if stop is not None and stop <= start:
            return
        reformatter, seen = VideoReformatter(), self._survey
        with open_input(self.path) as container:
            stream = film_stream(self.path, container)
            for index, (_, frame) in enumerate(decoded(self.path, container, stream)):
                if index >= len(seen.times):
                    raise MediaError(f"{self.path} has changed while it was read; run again")
                if index >= start and (only is None or index in only):
                    rgb = to_rgb(frame, reformatter, self._turn, self._stored)
                    time, duration = seen.times[index], seen.durations[index]
                    yield Frame(index=index, name="", rgb=rgb, time=time, duration=duration)
                if stop is not None and index + 1 >= stop:
                    return


def _look(
    stream: VideoStream,
    frame: VideoFrame,
    rate: Fraction | None,
    *,
    turn: tuple[bool, bool, bool],
) -> VideoLook:
    """Return what a film's output must take over, but for what all its frames decide."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return VideoLook(
        time_base=stream.time_base or Fraction(1, 1000),
        # A single frame may have no rate; any will do for it.
        rate=rate or Fraction(25),
        bits=max(component.bits for component in frame.format.components),
        aspect=1 / aspect if turn[0] else aspect,
        primaries=int(frame.color_primaries),
        transfer=int(frame.color_trc),
    )


def _notes(path: Path, container: InputContainer, frame: VideoFrame) -> tuple[str, ...]:
    """Return what of a film is not kept, as its container and its first frame tell."""
    streams = container.streams
    covers = [track for track in streams.video if track.disposition & Disposition.attached_pic]
    films = len(streams.video) - len(covers)
    timecode = next(
        (
            each["timecode"]
            for each in (container.metadata, *(s.metadata for s in streams))
            if "timecode" in each
        ),
        "",
    )
    remarks = {
        f"holds {films} video streams: only the first is coloured, the others are left out": (
            films > 1
        ),
        "is partly transparent: its alpha channel is left out": any(
            component.is_alpha for component in frame.format.components
        ),
        "holds a cover picture, which is left out": bool(covers),
        # Chapters of a MOV lie in a track of their own, which FFmpeg marks as read.
        "holds data tracks (timecodes, telemetry), which are left out": any(
            track.discard != Discard.all for track in streams.data
        ),
        f"has the timecode {timecode}, which is left out": bool(timecode and not streams.data),
    }
    return tuple(f"{path} {remark}" for remark, applies in remarks.items() if applies)
