"""Times of frames, decided over a whole film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from colorize.media import VideoSource, open_sink, open_source
from colorize.media.video.timing import Stamp, frame_times
from tests.colorize.media.films import frame_times as shown_times
from tests.colorize.media.films import gray_ramp
from tests.colorize.media.received import RATE, make_packed_xvid, make_program_stream

TICK = Fraction(1, 25)


def stamps(shown: list[int | None], decoded: list[int | None]) -> list[Stamp]:
    return [
        Stamp(None if a is None else a * TICK, None if b is None else b * TICK, TICK)
        for a, b in zip(shown, decoded, strict=True)
    ]


@pytest.mark.parametrize(
    ("shown", "decoded", "expected", "mended"),
    [
        ([0, 1, 2, 3], [9, 9, 9, 9], [0, 1, 2, 3], ()),
        ([1, 3, 2, 5, 4, 6], [1, 2, 3, 4, 5, None], [1, 2, 3, 4, 5, 6], ()),
        ([1, 2, 4, 5], [1, 2, 4, 5], [1, 2, 4, 5], ()),  # a gap is no fault
        ([None] * 4, [None] * 4, [0, 1, 2, 3], (1, 2, 3)),
        ([None] * 4, [7, 8, None, None], [7, 8, 9, 10], ()),
        # One wrong time among many: between its neighbours; a jump back: the film goes on.
        ([*range(20), 19, 21, 22], [None] * 23, [*range(20), 20, 21, 22], (20,)),
        ([*range(20), 0, 1, 2], [None] * 23, [*range(23)], (20,)),
        # Times that mostly run back say nothing.
        ([3, 2, 1, 0], [None] * 4, [3, 4, 5, 6], (1, 2, 3)),
    ],
)
def test_which_times_count(
    shown: list[int | None],
    decoded: list[int | None],
    expected: list[int],
    mended: tuple[int, ...],
) -> None:
    found = frame_times(stamps(shown, decoded), tick=TICK, rate=Fraction(25))
    assert found.times == tuple(each * TICK for each in expected)
    assert found.mended == mended


def test_frames_without_times_last_as_long_as_each_says() -> None:
    told = [Fraction(3, 60), Fraction(2, 60), Fraction(3, 60), None]
    found = frame_times([Stamp(None, None, each) for each in told], tick=TICK / 99, rate=RATE)
    assert found.times == (0, Fraction(3, 60), Fraction(5, 60), Fraction(8, 60))


def copied_times(source: Path, target: Path) -> list[Fraction]:
    film = open_source(source)
    assert isinstance(film, VideoSource)
    with open_sink(target, like=film) as sink:
        for frame in film:
            sink.write(frame)
    return shown_times(target)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_packed_xvid(tmp_path: Path, suffix: str) -> None:
    path = make_packed_xvid(tmp_path / "in.avi")
    with av.open(str(path)) as film:
        assert sorted(times := [frame.pts for frame in film.decode(video=0)]) != times
    assert [frame.time for frame in open_source(path)] == [i / RATE for i in range(30)]
    assert copied_times(path, tmp_path / f"out{suffix}") == [i / RATE for i in range(30)]
    assert open_source(path).notes == ()


def test_frames_of_packed_xvid_come_in_order(tmp_path: Path) -> None:
    for frame in open_source(make_packed_xvid(tmp_path / "in.avi")):
        assert abs(frame.rgb.astype(int) - gray_ramp((48, 64), frame.index)).mean() < 6


def make_h264_avi(path: Path) -> Path:
    """H.264 with B-frames in AVI, which stores none of their times."""
    with av.open(str(path), "w") as film:
        video = film.add_stream("libx264", rate=25, options={"bf": "3", "b-adapt": "0"})
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), index), format="rgb24")
            film.mux(video.encode(frame))
        film.mux(video.encode())
    return path


def test_h264_with_b_frames_in_avi(tmp_path: Path) -> None:
    path = make_h264_avi(tmp_path / "in.avi")
    assert copied_times(path, tmp_path / "out.mp4") == [i / RATE for i in range(40)]


@pytest.mark.parametrize("repeat", [True, False])
def test_a_program_stream_without_times_keeps_pace_with_its_fields(
    tmp_path: Path, repeat: bool
) -> None:
    """24 pictures of a disc's film last a second (1.001), not the 0.8 s of their own number."""
    path = make_program_stream(tmp_path / "in.mpg", repeat=repeat)
    frames = list(open_source(path))
    field = Fraction(1001, 60000)
    lengths = [3, 2] * 12 if repeat else [2] * 24
    expected = [sum(lengths[:index]) * field for index in range(24)]
    assert [float(frame.time or 0) for frame in frames] == pytest.approx(
        [float(each) for each in expected], abs=1 / 90000
    )
