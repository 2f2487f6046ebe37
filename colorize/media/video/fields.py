"""The two fields of an interlaced frame: which comes first, and how an encoder is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from colorize.media.video.clock import Fields

# AVFieldOrder: of the mixed orders FFmpeg's header says the contrary of what its tools write and
# read (libavcodec/rawdec.c, fftools/ffmpeg_enc.c): TB (4) is interleaved with the top field first,
# BT (5) with the bottom field first.
_BOTTOM_FIRST = frozenset({3, 5})
_TOP_FIRST = frozenset({2, 4})
# Codecs that keep silent about fields, so that the container's word counts for their frames.
_SILENT = frozenset(
    {"cfhd", "ffvhuff", "hap", "huffyuv", "jpeg2000", "lagarith", "magicyuv", "mjpeg", "png"}
    | {"qtrle", "r210", "rawvideo", "utvideo", "v210", "v308", "v408", "v410"}
)


def film_fields(stream: VideoStream, orders: Collection[Fields]) -> Fields:
    """Return how the fields of a film are shown, by the orders of all its frames.

    A film with interlaced frames is interlaced, with the order that most of them have. A
    progressive frame in a stream announced as interlaced, as on many a DVD, is progressive, unless
    its codec cannot tell.
    """
    counts = Counter(order for order in orders if order != "progressive")
    if counts:
        return counts.most_common(1)[0][0]
    if stream.codec_context.name not in _SILENT:
        return "progressive"
    order = stream.codec_context.field_order
    return "bff" if order in _BOTTOM_FIRST else "tff" if order in _TOP_FIRST else "progressive"


def turned(fields: Fields, height: int, turn: tuple[bool, bool, bool]) -> Fields:
    """Return how the fields of upright frames are shown; ``height`` is that of the stored ones.

    Lines that become columns by the ``turn`` of :func:`orientation` are fields no more.
    """
    transposed, upside_down, _ = turn
    if transposed or fields == "progressive":
        return "progressive"
    if upside_down and height % 2 == 0:
        return "tff" if fields == "bff" else "bff"
    return fields


class FieldReader:
    """Tell the order of the fields of frames, which of PyAV's tools a filter alone can do."""

    def __init__(self) -> None:
        self._graphs: dict[tuple[int, int, str], Graph] = {}

    def order(self, frame: VideoFrame) -> Fields:
        """Return the order that the decoder found in a frame."""
        if not frame.interlaced_frame:
            return "progressive"
        form = (frame.width, frame.height, frame.format.name)
        if form not in self._graphs:
            # interlace_type 2 is bottom field first (FFmpeg's manual, select): others are dropped.
            self._graphs[form] = _chain(frame, "select", "eq(interlace_type,2)", Fraction(1, 1000))
        self._graphs[form].vpush(frame)
        try:
            self._graphs[form].vpull()
        except (BlockingIOError, EOFError):
            return "tff"
        return "bff"


def _chain(frame: VideoFrame, name: str, arguments: str, tick: Fraction) -> Graph:
    """Return one filter for frames like this one."""
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=tick
    )
    graph.link_nodes(source, graph.add(name, arguments), graph.add("buffersink"))
    graph.configure()
    return graph


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
        self._graph = self._graph or _chain(frame, "setfield", self._fields, self._tick)
        self._graph.vpush(frame)
        return self._graph.vpull()
