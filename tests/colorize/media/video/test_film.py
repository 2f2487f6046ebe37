"""Whole films through open_source and open_sink, compared with PyAV's own reading of both."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from colorize.media import MediaError, open_sink, open_source, write_video
from tests.colorize.media.films import (
    NTSC,
    average_rate,
    frame_times,
    gray_ramp,
    language,
    limited_files,
    make_film,
    packets,
)
from tests.places import SHARED


def copy(source: Path, target: Path, quality: int = 90) -> None:
    film = open_source(source)
    with open_sink(target, like=film, quality=quality) as sink:
        for frame in film:
            sink.write(frame)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_count_rate_times_and_sound_survive(tmp_path: Path, suffix: str) -> None:
    source = make_film(tmp_path / f"in put ü{suffix}", count=31)
    target = tmp_path / "new folder" / f"out{suffix}"
    copy(source, target)
    assert len(frame_times(source)) == 31  # the oracle sees the film that was made
    assert frame_times(target) == frame_times(source)
    assert average_rate(target) == average_rate(source) == NTSC
    assert packets(target, "audio") == packets(source, "audio")
    # PyAV's own MOV has no language, which is why "deu" is not asked for here.
    assert language(target) == language(source)


@pytest.mark.parametrize(
    "name", ["кадр %05d 'x' \"y\"", "a:b", "http:c", "-i", "$(touch d) & ; *", "#1 ?e=2", "漫" * 70]
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_strange_names(tmp_path: Path, monkeypatch, name: str, suffix: str) -> None:
    """Neither a shell nor one of FFmpeg's protocols and patterns comes near a name."""
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "plain.mkv", count=3).rename(f"{name}.mkv")
    copy(Path(f"{name}.mkv"), Path(f"{name} out{suffix}"))
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.mkv", f"{name} out{suffix}"}
    assert len(frame_times(tmp_path / f"{name} out{suffix}")) == 3


def test_time_base_of_mp4_is_kept(tmp_path: Path) -> None:
    tick = Fraction(1, 90000)
    source = make_film(
        tmp_path / "in.mp4", tick=tick, ticks=[3753 * i for i in range(24)], audio=None
    )
    copy(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.streams.video[0].time_base == tick


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_rate_keeps_every_time(tmp_path: Path, suffix: str) -> None:
    ticks = [0, 40, 90, 91, 200, 333, 334, 1000, 1040, 1500]
    source = make_film(
        tmp_path / f"in{suffix}", count=10, ticks=ticks, tick=Fraction(1, 1000), rate=Fraction(25)
    )
    copy(source, tmp_path / f"out{suffix}")
    expected = [Fraction(tick, 1000) for tick in ticks]
    assert frame_times(tmp_path / f"out{suffix}") == expected
    assert packets(tmp_path / f"out{suffix}", "audio") == packets(source, "audio")


def test_matroska_times_return_to_the_exact_grid_in_mp4(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv")
    copy(source, tmp_path / "out.mp4")
    assert frame_times(tmp_path / "out.mp4") == [i / NTSC for i in range(24)]
    assert average_rate(tmp_path / "out.mp4") == NTSC


@pytest.mark.parametrize("start", [Fraction(-1, 4), Fraction(1, 2)])
def test_sound_that_starts_apart_from_the_picture(tmp_path: Path, start: Fraction) -> None:
    late = 12 if start < 0 else 0  # the picture begins late, so that the sound is the earlier one
    source = make_film(
        tmp_path / "in.mp4", ticks=[late + i for i in range(24)], audio_start=start + late / NTSC
    )
    copy(source, tmp_path / "out.mp4")
    assert frame_times(source)[0] == pytest.approx(float(late / NTSC), abs=1e-3)
    assert frame_times(tmp_path / "out.mp4") == frame_times(source)
    assert packets(tmp_path / "out.mp4", "audio") == packets(source, "audio")


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes_are_kept(tmp_path: Path, suffix: str) -> None:
    pictures = [gray_ramp((201, 357), i) for i in range(3)]
    write_video(tmp_path / "in.mp4", pictures, rate=24)
    copy(tmp_path / "in.mp4", tmp_path / f"out{suffix}")
    frame = next(iter(open_source(tmp_path / f"out{suffix}")))
    assert frame.rgb.shape == (201, 357, 3)
    assert np.abs(frame.rgb.astype(int) - pictures[0]).mean() < 2


def test_gray_film_keeps_its_luma(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    grain = generator.normal(0, 4, (720, 1280, 1))
    pictures = [
        np.clip(gray_ramp((720, 1280), i) + grain, 0, 255).astype(np.uint8) for i in range(4)
    ]
    write_video(tmp_path / "in.mp4", pictures, rate=24, quality=90)
    copy(tmp_path / "in.mp4", tmp_path / "out.mp4", quality=90)
    first = [frame.gray() for frame in open_source(tmp_path / "in.mp4")]
    second = [frame.gray() for frame in open_source(tmp_path / "out.mp4")]
    error = 255 * np.mean([np.abs(a - b).mean() for a, b in zip(first, second, strict=True)])
    assert 0 < error < 1


def test_colours_survive_and_are_tagged_as_they_are_coded(tmp_path: Path) -> None:
    patches = np.array(
        [[[200, 30, 40], [30, 180, 60], [40, 60, 210], [230, 220, 50]]], dtype=np.uint8
    )
    picture = np.repeat(np.repeat(patches, 64, axis=0), 16, axis=1)
    write_video(tmp_path / "in.mp4", [picture] * 3, rate=24)
    with av.open(str(tmp_path / "in.mp4")) as film:
        context = film.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (6, 1)  # BT.601, limited
        coded = next(film.decode(video=0)).to_ndarray()
    # BT.601 by hand for (200, 30, 40): Y' = 81.97, coded 16 + 219/255 Y' = 86.4.
    assert int(coded[8, 8]) == pytest.approx(86, abs=2)
    read = next(iter(open_source(tmp_path / "in.mp4"))).rgb
    for column, colour in enumerate(patches[0]):
        assert np.abs(read[32, 16 * column + 8].astype(int) - colour).max() <= 5


def test_ten_bits_stay_ten_bits(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", pixel_format="yuv420p10le", audio=None)
    copy(source, tmp_path / "out.mp4")
    assert next(iter(open_source(source))).rgb.dtype == np.uint16
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.streams.video[0].codec_context.pix_fmt == "yuv420p10le"


def test_rotated_film_is_written_upright(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", turn=90, audio=None)
    copy(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as film:
        frame = next(film.decode(video=0))
        assert (frame.height, frame.width, frame.rotation) == (64, 48, 0)
        # FFmpeg's 90 is a quarter turn anticlockwise, as NumPy's rot90.
        expected = np.rot90(gray_ramp((48, 64), 0))
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - expected).mean() < 4


def anamorphic(path: Path) -> Path:
    with av.open(str(path), "w") as film:
        video = film.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.sample_aspect_ratio = Fraction(16, 15)
        film.mux(video.encode(av.VideoFrame.from_ndarray(gray_ramp((48, 64), 0))))
        film.mux(video.encode())
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_pixel_aspect_is_kept(tmp_path: Path, suffix: str) -> None:
    copy(anamorphic(tmp_path / "in.mkv"), tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as film:
        assert film.streams.video[0].sample_aspect_ratio == Fraction(16, 15)


def test_webm_would_lose_the_pixel_aspect_and_is_refused(tmp_path: Path) -> None:
    source = anamorphic(tmp_path / "in.mkv")
    with pytest.raises(
        MediaError, match=r"out\.webm: WebM .* \(16:15\).*name the output (\S+)$"
    ) as caught:
        copy(source, tmp_path / "out.webm")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]
    remedy = str(caught.value).split()[-1]
    copy(source, tmp_path / remedy)
    with av.open(str(tmp_path / remedy)) as film:
        assert film.streams.video[0].sample_aspect_ratio == Fraction(16, 15)


def test_single_frame_film(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", count=1, audio=None)
    copy(source, tmp_path / "out.mp4")
    assert frame_times(tmp_path / "out.mp4") == [0]


def test_avi_holds_a_constant_rate_only(tmp_path: Path) -> None:
    steady = make_film(tmp_path / "steady.mp4", audio=None)
    copy(steady, tmp_path / "steady.avi")
    film = open_source(tmp_path / "steady.avi")
    assert [frame.time for frame in film] == [i / NTSC for i in range(24)]
    uneven = make_film(
        tmp_path / "uneven.mp4",
        count=4,
        ticks=[0, 40, 140, 150],
        tick=Fraction(1, 1000),
        audio=None,
    )
    with pytest.raises(MediaError, match=r"AVI cannot hold .*\.mkv"):
        copy(uneven, tmp_path / "uneven.avi")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".avi", ".mp4", ".mp4"]


def test_higher_quality_is_closer_and_larger(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    noise = [generator.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(3)]
    sizes, errors = [], []
    for quality in (20, 60, 95):
        path = tmp_path / f"{quality}.mp4"
        write_video(path, noise, rate=24, quality=quality)
        read = [frame.gray() for frame in open_source(path)]
        truth = [picture @ np.array([0.299, 0.587, 0.114]) / 255 for picture in noise]
        errors.append(np.mean([np.abs(a - b).mean() for a, b in zip(read, truth, strict=True)]))
        sizes.append(path.stat().st_size)
    assert all(a < b for a, b in pairwise(sizes))
    assert all(a > b for a, b in pairwise(errors))


def test_an_error_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4")
    target = tmp_path / "out" / "film.mp4"

    def write_five_and_fail() -> None:
        with open_sink(target, like=open_source(source)) as sink:
            for frame in open_source(source).frames(stop=5):
                sink.write(frame)
            assert [path.name for path in target.parent.iterdir()] == [".film.mp4.part"]
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_five_and_fail()
    assert list(target.parent.iterdir()) == []


def test_an_old_film_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4")
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with open_sink(target, like=open_source(source)) as sink:
        for frame in open_source(source):
            sink.write(frame)
            assert target.read_bytes() == b"old"
    assert len(frame_times(target)) == 24


def test_what_a_killed_run_left_is_overwritten(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4")
    (tmp_path / ".out.mp4.part").write_bytes(b"half a film")
    copy(source, tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]
    assert len(frame_times(tmp_path / "out.mp4")) == 24


def test_no_frames_no_film(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4")
    with (
        pytest.raises(MediaError, match=r"out\.mp4: no frame was written"),
        open_sink(tmp_path / "out.mp4", like=open_source(source)),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", count=40, size=(240, 320))
    message = r"cannot write .*out\.mp4: File too large; free"
    with pytest.raises(MediaError, match=message) as caught, limited_files(4096):
        copy(source, tmp_path / "out.mp4", quality=100)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_ffmpeg_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = make_film(tmp_path / "in.mkv", subtitles="subrip")
    copy(source, tmp_path / "out.mp4")
    (tmp_path / "bad.mp4").write_bytes(source.read_bytes()[:3000])
    with pytest.raises(MediaError):
        open_source(tmp_path / "bad.mp4")
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_write_video_wants_frames(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no frame was given"):
        write_video(tmp_path / "out.mp4", [], rate=24)
    pictures = [np.zeros((16, 16, 3), np.uint8), np.zeros((16, 32, 3), np.uint8)]
    with pytest.raises(MediaError, match="a frame is 32×16, the film 16×16"):
        write_video(tmp_path / "out.mp4", pictures, rate=24)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
def test_real_clip(tmp_path: Path) -> None:
    folder = SHARED / "data/penny-and-chip/clips"
    clips = sorted(folder.glob("*.mp4"))
    if not clips:
        pytest.skip("the real clips of ../shared are not here")
    film = open_source(clips[0])
    assert film.size == (720, 1280)
    with open_sink(tmp_path / "out.mp4", like=film) as sink:
        for frame in film.frames(stop=6):
            sink.write(frame)
    assert frame_times(tmp_path / "out.mp4") == frame_times(clips[0])[:6]
    assert packets(tmp_path / "out.mp4", "audio") == packets(clips[0], "audio")
