"""The two fields of an interlaced frame: which comes first, and how an encoder is told."""

from __future__ import annotations

from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from colorize.media.video.clock import Fields

# AVFieldOrder: bottom field coded and shown first; top field coded first, bottom shown first.
_BOTTOM_FIRST = frozenset({3, 4})


def field_order(stream: VideoStream, frame: VideoFrame, turn: tuple[bool, bool, bool]) -> Fields:
    """Return how the fields of a film's upright frames are shown, by its first frame.

    A progressive frame in a stream announced as interlaced, as on many a DVD, is progressive. Where
    the stream keeps silent about the order, the top field is first. Lines that become columns by
    the ``turn`` of :func:`orientation` are fields no more.
    """
    transposed, upside_down, _ = turn
    if transposed or not frame.interlaced_frame:
        return "progressive"
    bottom_first = stream.codec_context.field_order in _BOTTOM_FIRST
    if upside_down and frame.height % 2 == 0:
        bottom_first = not bottom_first
    return "bff" if bottom_first else "tff"


class FieldMarker:
    """Mark frames as interlaced, which of PyAV's tools a filter alone can do.

    Conversion of a marked frame treats each field by itself, so that subsampled chroma belongs to
    one field, as decoders take it; libx264 reads the order of the fields from the frame.
    """

    def __init__(self, fields: Fields, tick: Fraction) -> None:
        assert fields != "progressive", fields
        self._fields, self._tick = fields, tick
        self._graph: Graph | None = None

    def mark(self, frame: VideoFrame) -> VideoFrame:
        """Return the frame marked; its times stay."""
        self._graph = self._graph or self._make(frame)
        self._graph.vpush(frame)
        return self._graph.vpull()

    def _make(self, frame: VideoFrame) -> Graph:
        """Return the filter for frames like this one."""
        graph = Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=self._tick
        )
        graph.link_nodes(source, graph.add("setfield", self._fields), graph.add("buffersink"))
        graph.configure()
        return graph
