"""Reading films: order, parts, damage."""

from __future__ import annotations

import gc
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from colorize.media import MediaError, open_source
from colorize.media.video.decoded import orientation, to_rgb
from tests.colorize.media.films import NTSC, frame_times, gray_ramp, make_film


def test_frames_come_in_order_with_their_times(tmp_path: Path) -> None:
    path = make_film(tmp_path / "in.mp4", count=30)
    source = open_source(path)
    assert (source.kind, source.size, source.count, source.rate) == ("video", (48, 64), 30, NTSC)
    frames = list(source)
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == frame_times(path) == [i / NTSC for i in range(30)]
    assert {frame.duration for frame in frames} == {1 / NTSC}
    for frame in frames:
        error = np.abs(frame.rgb.astype(int) - gray_ramp((48, 64), frame.index))
        assert error.mean() < 4


def test_part_of_a_film_and_a_second_reading(tmp_path: Path) -> None:
    source = open_source(make_film(tmp_path / "in.mkv", count=20))
    whole = list(source)
    part = list(source.frames(7, 11))
    assert [frame.index for frame in part] == [7, 8, 9, 10]
    for frame in part:
        np.testing.assert_array_equal(frame.rgb, whole[frame.index].rgb)
        assert frame.time == whole[frame.index].time
    assert list(source.frames(5, 5)) == []
    assert [frame.index for frame in source.frames(18)] == [18, 19]


def test_chosen_frames_alone_are_converted(tmp_path: Path, monkeypatch) -> None:
    source = open_source(make_film(tmp_path / "in.mkv", count=20))
    whole = list(source)
    converted = []
    monkeypatch.setattr(
        "colorize.media.video.source.to_rgb", lambda *parts: converted.append(1) or to_rgb(*parts)
    )
    part = list(source.frames(3, 17, only={0, 5, 6, 16, 18}))
    assert [frame.index for frame in part] == [5, 6, 16]
    assert len(converted) == 3
    for frame in part:
        np.testing.assert_array_equal(frame.rgb, whole[frame.index].rgb)
        assert frame.time == whole[frame.index].time
    assert [frame.index for frame in source.frames(only=range(0, 20, 9))] == [0, 9, 18]
    assert list(source.frames(only=())) == []


def living(kind: type) -> int:
    """Count the objects of exactly this type; isinstance would ask proxies that answer oddly."""
    return sum(type(thing) is kind for thing in gc.get_objects())


def test_read_frames_are_let_go(tmp_path: Path) -> None:
    """Without Python's cycle collector, no more than a few decoded frames are alive."""
    source = open_source(make_film(tmp_path / "in.mp4", count=60, audio=None))
    gc.collect()
    gc.disable()
    try:
        before = living(av.VideoFrame)
        for _ in source:
            pass
        after = living(av.VideoFrame)
    finally:
        gc.enable()
    assert after - before <= 5


def test_gray_levels_of_a_gray_film_are_exact(tmp_path: Path) -> None:
    """Limited-range luma y means (y - 16) / 219; a lossless film is the oracle."""
    path = tmp_path / "in.mkv"
    luma = np.arange(16, 236, dtype=np.uint8).reshape(10, 22)
    with av.open(str(path), "w") as film:
        video = film.add_stream("ffv1", rate=24)
        video.height, video.width, video.pix_fmt = 10, 22, "yuv420p"
        planes = [luma, np.full((5, 11), 128, np.uint8), np.full((5, 11), 128, np.uint8)]
        packed = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(15, 22)
        film.mux(video.encode(av.VideoFrame.from_ndarray(packed, format="yuv420p")))
        film.mux(video.encode())
    gray = next(iter(open_source(path))).gray()
    assert np.abs(gray - (luma.astype(float) - 16) / 219).max() <= 0.51 / 255


def test_matrix_of_the_film_is_obeyed(tmp_path: Path) -> None:
    """(Y', Cb, Cr) = (120, 90, 180), limited range, by the textbook formula of each matrix."""
    y, cb, cr = (120 - 16) / 219, (90 - 128) / 224, (180 - 128) / 224
    for tag, (kr, kb) in {1: (0.2126, 0.0722), 6: (0.299, 0.114)}.items():
        red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
        green = (y - kr * red - kb * blue) / (1 - kr - kb)
        path = tmp_path / f"{tag}.mkv"
        with av.open(str(path), "w") as film:
            video = film.add_stream("ffv1", rate=24)
            video.height, video.width, video.pix_fmt = 16, 16, "yuv444p"
            video.codec_context.colorspace = tag
            video.codec_context.color_range = 1
            planes = np.stack([np.full((16, 16), value, np.uint8) for value in (120, 90, 180)])
            frame = av.VideoFrame.from_ndarray(planes, format="yuv444p")
            frame.colorspace, frame.color_range = tag, 1
            film.mux(video.encode(frame))
            film.mux(video.encode())
        rgb = next(iter(open_source(path))).rgb[8, 8]
        assert np.abs(rgb - 255 * np.array([red, green, blue])).max() <= 1


@pytest.mark.parametrize("turn", [0, 90, 180, -90])
def test_rotation_is_applied(tmp_path: Path, turn: int) -> None:
    source = open_source(make_film(tmp_path / "in.mp4", turn=turn, audio=None))
    expected = np.rot90(gray_ramp((48, 64), 0), turn // 90)
    assert source.size == expected.shape[:2]
    frame = next(iter(source))
    assert frame.rgb.shape == expected.shape
    assert np.abs(frame.rgb.astype(int) - expected).mean() < 4


def test_edit_list_hides_the_frames_before_it(tmp_path: Path) -> None:
    """A film cut without re-encoding: its first shown frame lies inside a group of pictures."""
    path = make_film(tmp_path / "in.mp4", ticks=list(range(-6, 18)), audio=None)
    with av.open(str(path)) as film:
        expected = sum(1 for _ in film.decode(video=0))
    frames = list(open_source(path))
    assert len(frames) == expected
    assert [frame.time for frame in frames] == frame_times(path)


def test_a_time_that_comes_twice_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as film:
        video = film.add_stream("ffv1", rate=25)
        video.height, video.width = 48, 64
        video.codec_context.time_base = Fraction(1, 25)
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), index), format="rgb24")
            frame.pts = index
            for packet in video.encode(frame.reformat(format="yuv420p")):
                packet.pts = 4 if index == 3 else packet.pts
                film.mux(packet)
    assert frame_times(path)[3:5] == [Fraction(4, 25), Fraction(4, 25)]
    source = open_source(path)
    assert [frame.time for frame in source] == [Fraction(i, 25) for i in range(6)]


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.avi"])
@pytest.mark.parametrize("part", [0.5, 0.97])
def test_cut_off_film(tmp_path: Path, name: str, part: float) -> None:
    path = make_film(tmp_path / name, faststart=True, count=40, audio="aac")
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(
        MediaError, match=r"is cut off: \d+ of \d+ bytes .* copy it again"
    ) as caught:
        list(open_source(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_film_without_its_index_gets_no_advice_that_fails(tmp_path: Path) -> None:
    path = make_film(tmp_path / "in.mp4", count=40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MediaError, match=r"is cut off: .*; copy it again: its index, .* is lost$"):
        open_source(path)


@pytest.mark.parametrize("faststart", [False, True])
def test_bytes_behind_a_whole_film_are_none_of_it(tmp_path: Path, faststart: bool) -> None:
    path = make_film(tmp_path / "in.mp4", faststart=faststart, count=10)
    path.write_bytes(path.read_bytes() + b"some camera's trailing bytes" * 40)
    assert [frame.index for frame in open_source(path)] == list(range(10))


class Viewed:
    """A frame with a kind of side data that PyAV does not know, such as a stereo film's view."""

    def __init__(self, rotation: int) -> None:
        self.rotation = rotation

    @property
    def side_data(self) -> object:
        raise ValueError("29 is not a valid Type")


@pytest.mark.parametrize("turn", [0, 90, 180, -90])
def test_unknown_side_data_does_not_hide_the_orientation(tmp_path: Path, turn: int) -> None:
    with av.open(str(make_film(tmp_path / "in.mp4", turn=turn, audio=None, count=1))) as film:
        frame = next(film.decode(video=0))
        expected = orientation(frame)
        assert orientation.__wrapped__(Viewed(frame.rotation)) == expected


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv"])
def test_damage_in_the_middle_tells_how_far_reading_came(tmp_path: Path, name: str) -> None:
    path = make_film(tmp_path / name, count=60, size=(144, 192))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    noise = np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8)
    content[middle - 1500 : middle + 1500] = noise.tobytes()
    path.write_bytes(bytes(content))
    read: list[int] = []
    with pytest.raises(MediaError, match=r"in\.\w+ is damaged: \d+ frames were read") as caught:
        read.extend(frame.index for frame in open_source(path))
    assert f"{len(read)} frames were read" in str(caught.value)
    assert 0 < len(read) < 60


def test_single_frame(tmp_path: Path) -> None:
    source = open_source(make_film(tmp_path / "one.mkv", count=1, audio=None))
    assert [frame.time for frame in source] == [Fraction(0)]


def write_streams(path: Path, *, formats: list[str], codec: str = "ffv1") -> Path:
    """Write a film of several video streams."""
    with av.open(str(path), "w") as film:
        streams = [film.add_stream(codec, rate=Fraction(24)) for _ in formats]
        for stream, name in zip(streams, formats, strict=True):
            stream.height, stream.width, stream.pix_fmt = 48, 64, name
        for stream in streams:
            frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), 0), format="rgb24")
            film.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
            film.mux(stream.encode())
    return path


def write_with_data(path: Path) -> Path:
    """Add a stream of timed metadata to a film."""
    first = make_film(path.with_name("first.ts"), count=4, audio=None)
    with av.open(str(first)) as old, av.open(str(path), "w") as new:
        video = new.add_stream_from_template(old.streams.video[0])
        data = new.add_data_stream("klv")
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = video
                new.mux(packet)
        packet = av.Packet(b"telemetry")
        packet.pts = packet.dts = 3000
        packet.time_base, packet.stream = Fraction(1, 90000), data
        new.mux(packet)
    return path


def test_a_plain_film_needs_no_note(tmp_path: Path) -> None:
    assert open_source(make_film(tmp_path / "in.mp4", count=2)).notes == ()


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["yuv420p", "yuv420p"], r"in\.mkv holds 2 video streams: only the first is coloured"),
        (["yuva420p"], r"in\.mkv is partly transparent: its alpha channel is left out"),
    ],
)
def test_notes_of_films(tmp_path: Path, formats: list[str], message: str) -> None:
    (note,) = open_source(write_streams(tmp_path / "in.mkv", formats=formats)).notes
    assert re.search(message, note)
    assert "\n" not in note


def test_a_note_of_data_tracks(tmp_path: Path) -> None:
    (note,) = open_source(write_with_data(tmp_path / "in.ts")).notes
    assert re.search(r"in\.ts holds data tracks", note)
