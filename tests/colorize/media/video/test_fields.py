"""Interlaced films: noticed, and written as interlaced as they were."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.context import Flags

from colorize.media import (
    PART_SUFFIX,
    MediaError,
    PartSink,
    VideoSource,
    concatenate_parts,
    open_sink,
    open_source,
)
from colorize.media.video.clock import Fields
from colorize.media.video.fields import FieldMarker
from tests.colorize.media.films import gray_ramp, make_film

RATE = Fraction(25)


def make_interlaced(path: Path, fields: str, *, count: int = 8, turn: int = 0) -> Path:
    """Write an interlaced film by PyAV and its filter alone."""
    with av.open(str(path), "w") as film:
        video = film.add_stream("libx264", rate=RATE, options={"x264-params": f"{fields}=1"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        context = video.codec_context
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        context.field_order = {"tff": 2, "bff": 3}[fields]
        if turn:
            video.set_display_rotation(turn)
        marker = FieldMarker(fields, 1 / RATE)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), index), format="rgb24")
            frame.pts, frame.time_base = index, 1 / RATE
            film.mux(video.encode(marker.mark(frame).reformat(format="yuv420p")))
        film.mux(video.encode())
    return path


def field_marks(path: Path) -> set[str]:
    """FFmpeg's own word on every frame: T top field first, B bottom field first, P progressive."""
    av.logging.set_level(av.logging.INFO)
    try:
        with av.open(str(path)) as film, av.logging.Capture() as logs:
            stream = film.streams.video[0]
            stream.thread_type = "NONE"
            graph = av.filter.Graph()
            source, show = graph.add_buffer(template=stream), graph.add("showinfo")
            sink = graph.add("buffersink")
            source.link_to(show)
            show.link_to(sink)
            graph.configure()
            for frame in film.decode(video=0):
                graph.push(frame)
                graph.pull()
            return {mark for log in logs for mark in re.findall(r" i:(.) ", log[2])}
    finally:
        av.logging.set_level(None)


def copy(source: Path, target: Path) -> None:
    film = open_source(source)
    with open_sink(target, like=film) as sink:
        for frame in film:
            sink.write(frame)


@pytest.mark.parametrize("fields", ["tff", "bff"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_order_of_the_fields_is_kept(tmp_path: Path, fields: str, suffix: str) -> None:
    path = make_interlaced(tmp_path / "in.mkv", fields)
    mark = {"tff": "T", "bff": "B"}[fields]
    assert field_marks(path) == {mark}
    source = open_source(path)
    assert isinstance(source, VideoSource)
    assert (source.interlaced, source.look.fields) == (True, fields)
    assert re.search(r"in\.mkv is interlaced: .*deinterlace it", source.notes[0])
    copy(path, tmp_path / f"whole{suffix}")
    output, part = tmp_path / f"out{suffix}", tmp_path / f"part{PART_SUFFIX}"
    with PartSink(part, like=source, output=output, quality=90) as sink:
        for frame in source:
            sink.write(frame)
    concatenate_parts([part], output, like=source, expected_frames=8)
    for result in (output, tmp_path / f"whole{suffix}"):
        assert field_marks(result) == {mark}
        with av.open(str(result)) as film:
            assert film.streams.video[0].codec_context.field_order == {"T": 2, "B": 3}[mark]


def test_progressive_film(tmp_path: Path) -> None:
    source = open_source(make_film(tmp_path / "in.mp4", count=3, audio=None))
    assert isinstance(source, VideoSource)
    assert (source.interlaced, source.look.fields, source.notes) == (False, "progressive", ())
    copy(source.path, tmp_path / "out.mp4")
    assert field_marks(tmp_path / "out.mp4") == {"P"}


def test_colours_of_the_two_fields_do_not_mix(tmp_path: Path) -> None:
    """Even lines red, odd lines blue: in 4:2:0 each field keeps its chroma, if it has its own."""
    source = open_source(make_interlaced(tmp_path / "in.mkv", "tff"))
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[0::2], picture[1::2] = (200, 40, 40), (40, 40, 200)
    with open_sink(tmp_path / "out.mkv", like=source, quality=100) as sink:
        for frame in source:
            sink.write(frame.with_rgb(picture))
    for frame in open_source(tmp_path / "out.mkv"):
        error = np.abs(frame.rgb.astype(int) - picture)
        assert error.max() <= 12  # mixed chroma is off by 80
        assert error.mean() < 3


@pytest.mark.parametrize(("turn", "expected"), [(90, "progressive"), (180, "bff"), (0, "tff")])
def test_turned_films(tmp_path: Path, turn: int, expected: str) -> None:
    """Upside down the top field is the lower one; lines that became columns are no fields."""
    source = open_source(make_interlaced(tmp_path / "in.mp4", "tff", turn=turn))
    assert isinstance(source, VideoSource)
    assert (source.interlaced, source.look.fields) == (True, expected)


def test_webm_is_refused(tmp_path: Path) -> None:
    source = open_source(make_interlaced(tmp_path / "in.mkv", "tff"))
    with pytest.raises(MediaError, match=r"out\.webm: WebM \(VP9\) cannot hold an interlaced"):
        open_sink(tmp_path / "out.webm", like=source)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def make_marked(
    path: Path,
    codec: str,
    marks: list[Fields],
    *,
    size: tuple[int, int] = (48, 64),
    pixels: str = "yuv420p",
    announced: int = 0,
) -> Path:
    """Write frames that are marked one by one, in a stream of an ``announced`` AVFieldOrder."""
    with av.open(str(path), "w") as film:
        video = film.add_stream(codec, rate=RATE)
        (video.height, video.width), video.pix_fmt = size, pixels
        if announced:
            video.codec_context.field_order = announced
        markers = {fields: FieldMarker(fields, 1 / RATE) for fields in {*marks} - {"progressive"}}
        for index, fields in enumerate(marks):
            frame = av.VideoFrame.from_ndarray(gray_ramp(size, index), format="rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = index, 1 / RATE
            film.mux(video.encode(markers[fields].mark(frame) if fields in markers else frame))
        film.mux(video.encode())
    return path


def stored_order(path: Path) -> str:
    film = open_source(path)
    assert isinstance(film, VideoSource)
    return film.look.fields


@pytest.mark.parametrize("suffix", [".avi", ".mov", ".dv"])
def test_tapes_of_dv_are_bottom_first_whatever_the_container(tmp_path: Path, suffix: str) -> None:
    path = make_marked(
        tmp_path / f"in{suffix}", "dvvideo", ["bff"] * 4, size=(576, 720), pixels="yuv420p"
    )
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.field_order == 0  # not a word
    assert field_marks(path) == {"B"}
    copy(path, tmp_path / "out.mp4")
    assert field_marks(tmp_path / "out.mp4") == {"B"}


@pytest.mark.parametrize("fields", ["tff", "bff"])
def test_the_frames_own_flags_count(tmp_path: Path, fields: Fields) -> None:
    """The container says the contrary."""
    announced = {"tff": 3, "bff": 2}[fields]
    path = make_marked(tmp_path / "in.mkv", "ffv1", [fields] * 4, announced=announced)
    assert field_marks(path) == {{"tff": "T", "bff": "B"}[fields]}
    assert stored_order(path) == fields


@pytest.mark.parametrize(
    ("announced", "fields"), [(1, "progressive"), (2, "tff"), (3, "bff"), (4, "tff"), (5, "bff")]
)
def test_the_container_counts_for_a_codec_without_flags(
    tmp_path: Path, announced: int, fields: Fields
) -> None:
    path = make_marked(
        tmp_path / "in.mov", "png", ["progressive"] * 3, pixels="rgb24", announced=announced
    )
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.field_order == announced
    assert stored_order(path) == fields


def test_the_mixed_orders_mean_what_ffmpeg_makes_of_them(tmp_path: Path) -> None:
    """Raw video takes its frames' flags from the container: TB top first, BT bottom first."""
    for announced, mark in {2: "T", 3: "B", 4: "T", 5: "B"}.items():
        path = make_marked(
            tmp_path / f"{announced}.mkv", "rawvideo", ["progressive"] * 2, announced=announced
        )
        assert field_marks(path) == {mark}


def test_a_film_that_turns_interlaced_later(tmp_path: Path) -> None:
    marks: list[Fields] = [*["progressive"] * 5, *["bff"] * 3]
    path = make_marked(tmp_path / "in.mkv", "ffv1", marks)
    assert field_marks(path) == {"P", "B"}
    film = open_source(path)
    assert stored_order(path) == "bff"
    assert any(
        re.search(r"in\.mkv changes its fields at 0\.200 s \(frame 5\): .* bottom field", note)
        for note in film.notes
    )
    copy(path, tmp_path / "out.mp4")
    assert field_marks(tmp_path / "out.mp4") == {"B"}
