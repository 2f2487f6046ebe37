"""Captures from the air: clocks that start anywhere, wrap and jump, and holes."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.colorize.media.films import copy_film, frame_times, make_film, packets
from tests.colorize.media.received import RATE, make_capture, without_packet


def sound_starts(path: Path) -> list[float]:
    return [float(time) for time, _ in packets(path, "audio")]


# 2**33 ticks of 90 kHz are 95443.72 s: the second clock wraps after half a second.
@pytest.mark.parametrize("offset", ["0", "72000", "95441.8"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_the_clock_starts_at_zero_wherever_it_stood(
    tmp_path: Path, offset: str, suffix: str
) -> None:
    path = make_capture(tmp_path / "in.ts", options={"output_ts_offset": offset})
    with av.open(str(path)) as film:
        sound, picture = film.streams.audio[0].start_time, film.streams.video[0].start_time
        assert sound is not None
        assert picture is not None
        late = Fraction(picture - sound, 90000)
    assert 0 <= late < Fraction(1, 10)
    source = copy_film(path, tmp_path / f"out{suffix}")
    assert [frame.time for frame in source] == [late + i / RATE for i in range(30)]
    assert source.notes == ()
    times = frame_times(tmp_path / f"out{suffix}")
    assert [float(time - times[0]) for time in times] == pytest.approx(
        [i / 25 for i in range(30)], abs=1e-3
    )
    heard = sound_starts(tmp_path / f"out{suffix}")
    assert float(times[0]) - heard[0] == pytest.approx(float(late), abs=1.1e-3)
    assert heard[0] < 2  # a transport stream is written with a start of its own, 1.4 s
    assert len(heard) == len(packets(path, "audio"))


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
@pytest.mark.parametrize(("one", "other"), [("5000", "100"), ("100", "5000")])
def test_joined_recordings_run_on(tmp_path: Path, suffix: str, one: str, other: str) -> None:
    parts = [
        make_capture(
            tmp_path / f"{number}{suffix}", first=50 * number, options={"output_ts_offset": offset}
        )
        for number, offset in enumerate((one, other))
    ]
    path = tmp_path / f"in{suffix}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with av.open(str(path)) as film:
        count = sum(1 for _ in film.decode(video=0))
    assert count in (59, 60)  # a B-frame at the joint may lack what it builds on
    source = copy_film(path, tmp_path / "out.mkv")
    times = frame_times(tmp_path / "out.mkv")
    assert len(times) == count
    steps = [float(after - before) for before, after in itertools.pairwise(times)]
    assert min(steps) > 0.01
    assert max(steps) < 0.15
    assert float(times[-1] - times[0]) == pytest.approx(59 / 25, abs=0.1)
    heard = sound_starts(tmp_path / "out.mkv")
    assert heard[-1] == pytest.approx(2.4, abs=0.15)
    assert heard == sorted(heard)
    (note, *_) = [note for note in source.notes if "jumps" in note]
    assert re.search(rf"in\{suffix} has a clock that jumps at 1\.\d+ s: the film goes on", note)


def test_a_lost_packet_is_told_and_the_film_goes_on(tmp_path: Path) -> None:
    path = make_capture(tmp_path / "in.ts", count=50)
    path.write_bytes(without_packet(path.read_bytes()))
    source = copy_film(path, tmp_path / "out.mp4")
    with av.open(str(path)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 50
    assert len(frame_times(tmp_path / "out.mp4")) == 50
    (note,) = source.notes
    assert re.search(r"in\.ts has lost data at \d\.\d\d s: frames there may be missing", note)


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".ts", ".mp4"])
def test_an_edit_list_hides_the_sound_too(tmp_path: Path, suffix: str) -> None:
    """Half a second is cut off the front of both: none of that sound is heard again."""
    ticks = [i - 12 for i in range(36)]
    path = make_film(
        tmp_path / "in.mp4",
        ticks=ticks,
        rate=Fraction(24),
        audio_start=Fraction(-1, 2),
        audio_seconds=1.5,
    )
    with av.open(str(path)) as film:
        shown = sum(1 for _ in film.decode(video=0))
    target = tmp_path / f"out{suffix}"
    copy_film(path, target)
    with av.open(str(target)) as film:
        seen = list(film.decode(video=0))
    assert len(seen) == shown
    with av.open(str(target)) as film:
        heard = sum(frame.samples for frame in film.decode(audio=0)) / 48000
    assert heard == pytest.approx(1.0, abs=0.05)
    if suffix != ".avi":
        first = frame_times(target)[0]
        assert sound_starts_shown(target) - float(first) == pytest.approx(0, abs=0.05)


def sound_starts_shown(path: Path) -> float:
    with av.open(str(path)) as film:
        frame = next(film.decode(audio=0))
        assert frame.pts is not None
        assert frame.time_base is not None
        return float(frame.pts * frame.time_base)
