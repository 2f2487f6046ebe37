"""Films rendered in parts and joined: the frames of the parts, the tracks of the source."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.media import (
    PART_SUFFIX,
    VIDEO_SUFFIXES,
    MediaError,
    PartSink,
    VideoSource,
    concatenate_parts,
    open_sink,
    open_source,
)
from colorize.media.video.encoder import CONTAINERS, Encoding
from colorize.media.video.packets import PacketReader
from colorize.media.video.parts import decoding_times, durations, read_part
from tests.colorize.media.films import (
    NTSC,
    average_rate,
    frame_times,
    gray_ramp,
    limited_files,
    make_film,
    packets,
)

BOUNDS = (0, 13, 14, 31, 44, 60)


def film(path: Path) -> VideoSource:
    source = open_source(path)
    assert isinstance(source, VideoSource)
    return source


def render(
    source: VideoSource,
    output: Path,
    *,
    bounds: Sequence[int] = BOUNDS,
    quality: int = 90,
    order: Sequence[int] | None = None,
    name: str = "part",
) -> list[Path]:
    """Write the parts between the bounds beside the output, in any order of their numbers."""
    paths = [output.with_name(f"{name} {i}{PART_SUFFIX}") for i in range(len(bounds) - 1)]
    for number in order or range(len(paths)):
        start, stop = bounds[number], bounds[number + 1]
        with PartSink(paths[number], like=source, output=output, quality=quality) as sink:
            for frame in source.frames(start, stop):
                sink.write(frame)
    return paths


def planes(path: Path) -> list[np.ndarray]:
    """Decoded frames of a film as the decoder gives them."""
    with av.open(str(path)) as opened:
        return [frame.to_ndarray() for frame in opened.decode(video=0)]


def planes_of_parts(parts: Sequence[Path], source: VideoSource, output: Path) -> list[np.ndarray]:
    """Decode each part by itself, with a bare decoder and without any container."""
    encoding = Encoding.choose(output, size=source.size, look=source.look)
    encoder = av.CodecContext.create(encoding.codec, "w")
    encoding.configure(encoder, quality=90)
    encoder.open()
    frames = []
    for part in parts:
        name = "vp9" if output.suffix == ".webm" else "h264"
        decoder = av.CodecContext.create(name, "r")
        decoder.extradata = encoder.extradata
        for packet in [*PacketReader(part), None]:
            frames += [frame.to_ndarray() for frame in decoder.decode(packet)]
    return frames


def assert_same(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> None:
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_five_parts_make_the_film(tmp_path: Path, suffix: str) -> None:
    codec = "libopus" if suffix == ".webm" else "libmp3lame"
    source = film(make_film(tmp_path / "in put ü.mkv", count=60, audio=codec))
    output = tmp_path / f"out{suffix}"
    parts = render(source, output, order=[3, 1, 4, 0, 2])
    concatenate_parts(parts, output, like=source, expected_frames=60)
    whole = tmp_path / f"whole{suffix}"
    with open_sink(whole, like=source) as sink:
        for frame in source:
            sink.write(frame)
    assert_same(planes(output), planes_of_parts(parts, source, output))
    assert len(frame_times(output)) == 60
    assert frame_times(output) == frame_times(whole)
    assert average_rate(output) == NTSC
    before, after = packets(source.path, "audio"), packets(output, "audio")
    assert [digest for _, digest in after] == [digest for _, digest in before]
    assert after == packets(whole, "audio")
    with av.open(str(output)) as joined, av.open(str(source.path)) as original:
        assert joined.duration / 1e6 == pytest.approx(original.duration / 1e6, abs=float(1 / NTSC))
        stamps = [packet.dts for packet in joined.demux(video=0) if packet.size]
    if suffix not in (".mkv", ".webm"):  # Matroska stores no decoding times
        assert all(a < b for a, b in pairwise(stamps))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [source.path.name, output.name, whole.name, *(part.name for part in parts)]
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_exact_times_of_a_matroska_source(tmp_path: Path, suffix: str) -> None:
    """Every part lies on the grid of the film's first frame, not on one of its own."""
    source = film(make_film(tmp_path / "in.mkv", count=60, audio=None))
    output = tmp_path / f"out{suffix}"
    concatenate_parts(render(source, output), output, like=source)
    exact = [i / NTSC for i in range(60)]
    assert frame_times(output) == (exact if suffix == ".mp4" else frame_times(source.path))
    assert frame_times(source.path) != exact  # Matroska counts milliseconds


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_variable_rate(tmp_path: Path, suffix: str) -> None:
    ticks = [0, 40, 90, 91, 200, 333, 334, 1000, 1040, 1500]
    path = make_film(
        tmp_path / "in.mp4", count=10, ticks=ticks, tick=Fraction(1, 1000), rate=Fraction(25)
    )
    source, output = film(path), tmp_path / f"out{suffix}"
    parts = render(source, output, bounds=[0, 1, 2, 7, 10])
    concatenate_parts(parts, output, like=source, expected_frames=10)
    shift = frame_times(output)[0]  # FFmpeg lets a transport stream begin later
    assert [time - shift for time in frame_times(output)] == [Fraction(t, 1000) for t in ticks]
    if suffix != ".mp4":  # whose header tells the sum of the decoding times' distances
        with av.open(str(output)) as joined:
            assert joined.duration / 1e6 == pytest.approx(1.54, abs=0.04)
    assert_same(planes(output), planes_of_parts(parts, source, output))


def test_last_frame_keeps_its_own_duration(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mp4", count=4, rate=Fraction(10), audio=None))
    output = tmp_path / "out.mp4"
    part = tmp_path / f"part{PART_SUFFIX}"
    with PartSink(part, like=source, output=output, quality=90) as sink:
        for frame in source:
            sink.write(frame)
    concatenate_parts([part], output, like=source)
    with av.open(str(output)) as joined:
        stream = joined.streams.video[0]
        assert stream.duration * stream.time_base == Fraction(4, 10)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes(tmp_path: Path, suffix: str) -> None:
    path = make_film(
        tmp_path / "in.mp4", count=9, size=(33, 51), pixel_format="yuv444p", audio=None
    )
    source, output = film(path), tmp_path / f"out{suffix}"
    parts = render(source, output, bounds=[0, 4, 9])
    concatenate_parts(parts, output, like=source)
    assert film(output).size == (33, 51)
    assert_same(planes(output), planes_of_parts(parts, source, output))


def test_ten_bits(tmp_path: Path) -> None:
    path = make_film(tmp_path / "in.mp4", count=9, pixel_format="yuv420p10le", audio=None)
    source, output = film(path), tmp_path / "out.mp4"
    parts = render(source, output, bounds=[0, 4, 9])
    concatenate_parts(parts, output, like=source)
    with av.open(str(output)) as joined:
        assert joined.streams.video[0].codec_context.pix_fmt == "yuv420p10le"
    assert_same(planes(output), planes_of_parts(parts, source, output))


def test_rotated_film(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mp4", count=9, turn=90, audio=None))
    output = tmp_path / "out.mp4"
    concatenate_parts(render(source, output, bounds=[0, 4, 9]), output, like=source)
    frame = next(iter(film(output)))
    expected = np.rot90(gray_ramp((48, 64), 0))
    assert frame.rgb.shape == (64, 48, 3)
    assert np.abs(frame.rgb.astype(int) - expected).mean() < 4


def test_parts_are_the_same_in_any_order_of_work(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mp4", count=60, audio=None))
    output = tmp_path / "out.mp4"
    first = render(source, output, name="first")
    second = render(source, output, order=[4, 2, 0, 3, 1], name="second")
    contents = [part.read_bytes() for part in first]
    assert [part.read_bytes() for part in second] == contents
    assert len(set(contents)) == 5


def test_parts_of_several_qualities_fit_together(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mp4", count=20, size=(96, 128), audio=None))
    output = tmp_path / "out.mp4"
    parts = render(source, output, bounds=[0, 10], name="fine")
    coarse = render(source, output, bounds=[10, 20], quality=10, name="coarse")
    concatenate_parts([*parts, *coarse], output, like=source, expected_frames=20)
    assert_same(planes(output), planes_of_parts([*parts, *coarse], source, output))
    assert coarse[0].stat().st_size < parts[0].stat().st_size


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov"])
def test_index_is_in_front(tmp_path: Path, suffix: str) -> None:
    source = film(make_film(tmp_path / "in.mp4", count=20))
    content = source.path.read_bytes()
    assert content.index(b"moov") > content.index(b"mdat")  # FFmpeg's own way
    output, whole = tmp_path / f"out{suffix}", tmp_path / f"whole{suffix}"
    concatenate_parts(render(source, output, bounds=[0, 20]), output, like=source)
    with open_sink(whole, like=source) as sink:
        for frame in source:
            sink.write(frame)
    for path in (output, whole):
        content = path.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")
        assert len(planes(path)) == 20


def test_subtitles_and_several_tracks_go_along(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mkv", count=30, subtitles="subrip"))
    output = tmp_path / "out.mkv"
    concatenate_parts(render(source, output, bounds=[0, 11, 30]), output, like=source)
    with av.open(str(output)) as joined:
        assert [stream.type for stream in joined.streams] == ["video", "audio", "subtitle"]
    assert packets(output, "subtitle") == packets(source.path, "subtitle")


def test_no_one_takes_a_part_for_a_film_of_theirs() -> None:
    assert PART_SUFFIX not in VIDEO_SUFFIXES


def test_an_unfinished_part_leaves_nothing(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mp4", audio=None))
    part = tmp_path / f"part{PART_SUFFIX}"

    def write_and_fail() -> None:
        with PartSink(part, like=source, output=tmp_path / "out.mp4", quality=90) as sink:
            for frame in source:
                sink.write(frame)
                assert not part.exists()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_and_fail()
    with pytest.raises(MediaError, match="no frame was written"):
        PartSink(part, like=source, output=tmp_path / "out.mp4", quality=90).__exit__(
            None, None, None
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mp4", count=40, size=(240, 320)))
    output = tmp_path / "out.mp4"
    with (
        pytest.raises(MediaError, match=r"cannot write .*part 0.*: File too large; free"),
        limited_files(4096),
    ):
        render(source, output, bounds=[0, 40])
    parts = render(source, output, bounds=[0, 40])
    with (
        pytest.raises(MediaError, match=r"cannot write .*out\.mp4: File too large; free"),
        limited_files(4096),
    ):
        concatenate_parts(parts, output, like=source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", parts[0].name]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def huge_length(content: bytes) -> bytes:
    """Let the first frame claim 4 GiB."""
    header = 12 + int.from_bytes(content[8:12], "little")
    return content[: header + 20] + b"\xfe\xff\xff\xff" + content[header + 24 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (flip, "is damaged: its checksum does not fit"),
        (lambda content: content[:-1], "is damaged: it ends too early"),
        (lambda content: content[: len(content) // 2], "is damaged: it ends too early"),
        (lambda content: content[:30], "is damaged: it ends too early"),
        (lambda content: content + b"x", "is damaged: its checksum does not fit"),
        (huge_length, "is damaged: it ends too early"),
        (lambda content: content[:12] + b"x" + content[13:], "is damaged: its header is unread"),
        (lambda content: b"", "is not a part of a film"),
        (lambda content: b"\0" * len(content), "is not a part of a film"),
    ],
)
def test_damaged_part(tmp_path: Path, damage, message: str) -> None:
    source = film(make_film(tmp_path / "in.mp4", audio=None))
    output = tmp_path / "out.mp4"
    parts = render(source, output, bounds=[0, 8, 16, 24])
    parts[1].write_bytes(damage(parts[1].read_bytes()))
    output.write_bytes(b"old")
    with pytest.raises(MediaError, match=f"part 1{PART_SUFFIX} {message}.*; delete this") as caught:
        concatenate_parts(parts, output, like=source)
    assert "\n" not in str(caught.value)
    assert output.read_bytes() == b"old"
    assert not list(tmp_path.glob(".*"))


def test_parts_that_do_not_fit_are_named(tmp_path: Path) -> None:
    source = film(make_film(tmp_path / "in.mp4", count=24, audio=None))
    deep = film(make_film(tmp_path / "deep.mp4", pixel_format="yuv420p10le", audio=None))
    wide = film(make_film(tmp_path / "wide.mp4", size=(48, 80), audio=None))
    output = tmp_path / "out.mp4"
    parts = render(source, output, bounds=[0, 8, 16, 24])
    other = {
        "deep": render(deep, output, bounds=[8, 16], name="deep")[0],
        "wide": render(wide, output, bounds=[8, 16], name="wide")[0],
        "vp9": render(source, tmp_path / "out.webm", bounds=[8, 16], name="vp9")[0],
        "avi": render(source, tmp_path / "out.avi", bounds=[8, 16], name="avi")[0],
        "long": render(source, output, bounds=[7, 16], name="long")[0],
    }
    missing = tmp_path / f"missing{PART_SUFFIX}"
    for middle, expected, message in [
        ([other["deep"]], 24, "deep 0.* has pixel format yuv420p10le, the film needs yuv420p;"),
        ([other["wide"]], 24, "wide 0.* has size 80×48, the film needs 64×48; delete this part"),
        ([other["vp9"]], 24, "vp9 0.* has codec libvpx-vp9, the film needs libx264; delete this"),
        ([other["avi"]], 24, "avi 0.* has (tick|codec parameters)"),
        ([other["long"]], 25, "long 0.* begins before the part in front of it ends"),
        ([parts[1], parts[1]], 32, "part 1.* begins before the part in front"),
        ([parts[2]], 24, "part 2.* begins before the part in front"),
        ([missing], 24, "cannot read .*missing.*: No such file"),
        ([source.path], 24, r"in\.mp4 is not a part of a film"),
        ([], 24, r"out\.mp4: the parts hold 16 of 24 frames; render what is missing"),
    ]:
        with pytest.raises(MediaError, match=message) as caught:
            concatenate_parts(
                [parts[0], *middle, parts[2]], output, like=source, expected_frames=expected
            )
        assert "\n" not in str(caught.value)
    with pytest.raises(MediaError, match="no part was given"):
        concatenate_parts([], output, like=source)
    assert not output.exists()
    assert not list(tmp_path.glob(".*"))


def test_decoding_times_by_hand() -> None:
    # I0 P4 B2 b1 b3 P8 ..: the second b waits for two frames.
    assert decoding_times([0, 4, 2, 1, 3, 8]) == [-2, -1, 0, 1, 2, 3]
    assert decoding_times([10, 11, 15]) == [10, 11, 15]
    # The delay is two frames, of which the first is longer: 5 + 1 ticks before the film.
    assert decoding_times([0, 7, 6, 5]) == [-6, -1, 0, 5]


def test_durations_by_hand() -> None:
    assert durations([0, 4, 2, 1, 10]) == {0: 1, 1: 1, 2: 2, 4: 6}
    assert durations([7]) == {}


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(0, 5), st.randoms())
def test_decoding_times_rise_and_precede(gaps: list[int], reach: int, mix: random.Random) -> None:
    shown = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    order = sorted(range(len(shown)), key=lambda i: i + mix.uniform(0, reach))
    coded = [shown[i] for i in order]
    decoded = decoding_times(coded)
    assert all(a < b for a, b in pairwise(decoded))
    assert all(a <= b for a, b in zip(decoded, coded, strict=True))
    if coded == shown:
        assert decoded == shown


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".ts"])
def test_the_frames_of_a_part_are_those_of_the_joined_film(tmp_path: Path, suffix: str) -> None:
    source = film(make_film(tmp_path / "in.mkv", count=20))
    output = tmp_path / f"out{suffix}"
    parts = render(source, output, bounds=(0, 13, 20))
    concatenate_parts(parts, output, like=source)
    joined = [frame.rgb for frame in film(output)]
    whole = list(read_part(parts[1], like=source, output=output, quality=90))
    assert [frame.index for frame in whole] == list(range(7))
    assert_same([frame.rgb for frame in whole], joined[13:])
    later = list(read_part(parts[0], like=source, output=output, quality=90, start=11))
    assert [frame.index for frame in later] == [11, 12]
    assert_same([frame.rgb for frame in later], joined[11:13])
