"""Sound, subtitles, chapters and attachments on their way to another film."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from colorize.media import MediaError, open_sink, open_source
from tests.colorize.media.films import (
    NTSC,
    codec_names,
    frame_times,
    gray_ramp,
    make_film,
    packets,
    tone,
)


def copy(source: Path, target: Path) -> None:
    film = open_source(source)
    with open_sink(target, like=film) as sink:
        for frame in film:
            sink.write(frame)


def loudest_frequency(path: Path) -> tuple[float, float]:
    """The strongest frequency of the first audio track in Hz, and its length in seconds."""
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray()[0] for frame in film.decode(audio=0)]
        rate = film.streams.audio[0].codec_context.sample_rate
    wave = np.concatenate(frames)
    spectrum = np.abs(np.fft.rfft(wave))
    return float(np.fft.rfftfreq(len(wave), 1 / rate)[spectrum.argmax()]), len(wave) / rate


def subtitle_lines(path: Path) -> list[tuple[Fraction, str]]:
    """Start in seconds and text of every subtitle, by PyAV's decoders."""
    with av.open(str(path)) as film:
        track = film.streams.subtitles[0]
        lines = []
        for packet in film.demux(track):
            for subtitle in packet.decode() if packet.size > 2 else ():
                words = re.sub(r"{.*?}", "", subtitle.dialogue.decode())  # less the styling
                lines.append((packet.pts * packet.time_base, words))
        return lines


@pytest.mark.parametrize(
    ("codec", "source", "target"),
    [
        ("libopus", "in.mkv", "out.mp4"),
        ("libmp3lame", "in.mp4", "out.mkv"),
        ("flac", "in.mkv", "out.mp4"),
        ("libopus", "in.mkv", "out.webm"),
        ("aac", "in.mp4", "out.mov"),
    ],
)
def test_sound_is_copied_where_the_container_takes_it(
    tmp_path: Path, codec: str, source: str, target: str
) -> None:
    make_film(tmp_path / source, audio=codec)
    copy(tmp_path / source, tmp_path / target)
    before, after = packets(tmp_path / source, "audio"), packets(tmp_path / target, "audio")
    assert [digest for _, digest in after] == [digest for _, digest in before]
    # Matroska counts milliseconds and starts at zero: all tracks move together.
    shift = frame_times(tmp_path / target)[0] - frame_times(tmp_path / source)[0]
    for (old, _), (new, _) in zip(before, after, strict=True):
        assert float(new - shift) == pytest.approx(float(old), abs=1.1e-3)


@pytest.mark.parametrize(
    ("codec", "source", "target", "became"),
    [
        ("aac", "in.mp4", "out.webm", "opus"),
        ("libopus", "in.mkv", "out.mov", "aac"),
        ("libopus", "in.mkv", "out.avi", "mp3float"),
    ],
)
def test_sound_is_encoded_anew_where_it_is_refused(
    tmp_path: Path, codec: str, source: str, target: str, became: str
) -> None:
    make_film(tmp_path / source, audio=codec, count=48)
    copy(tmp_path / source, tmp_path / target)
    assert codec_names(tmp_path / target, "audio") == [became]
    frequency, seconds = loudest_frequency(tmp_path / target)
    assert frequency == pytest.approx(440, abs=2)
    assert seconds == pytest.approx(float(48 / NTSC), abs=0.06)


@pytest.mark.parametrize(
    ("codec", "source", "target", "became"),
    [
        ("subrip", "in.mkv", "out.mkv", "srt"),
        ("ass", "in.mkv", "out.mkv", "ssa"),
        ("subrip", "in.mkv", "out.mp4", "mov_text"),
        ("subrip", "in.mkv", "out.webm", "webvtt"),
        ("mov_text", "in.mp4", "out.mp4", "mov_text"),
        ("mov_text", "in.mp4", "out.mkv", "srt"),
    ],
)
def test_subtitles_keep_their_words_and_times(
    tmp_path: Path, codec: str, source: str, target: str, became: str
) -> None:
    make_film(tmp_path / source, subtitles=codec, audio=None)
    copy(tmp_path / source, tmp_path / target)
    assert codec_names(tmp_path / target, "subtitle") == [became]
    expected = [(Fraction(1, 10), "Guten Tag"), (Fraction(1, 2), "Auf Wiedersehen")]
    assert subtitle_lines(tmp_path / target) == expected


@pytest.mark.parametrize("seconds", [0.3, 2.5])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_neither_sound_nor_picture_is_cut_to_the_shorter(
    tmp_path: Path, seconds: float, suffix: str
) -> None:
    source = make_film(tmp_path / f"in{suffix}", count=24, audio_seconds=seconds)
    copy(source, tmp_path / f"out{suffix}")
    assert frame_times(tmp_path / f"out{suffix}") == frame_times(source)
    assert packets(tmp_path / f"out{suffix}", "audio") == packets(source, "audio")
    assert float(packets(source, "audio")[-1][0]) == pytest.approx(seconds, abs=0.05)


def test_subtitles_that_fit_nowhere_are_named(tmp_path: Path) -> None:
    make_film(tmp_path / "in.mkv", subtitles="subrip")
    with pytest.raises(MediaError, match=r"neither hold subtitle track 2 .* name the output \.mkv"):
        copy(tmp_path / "in.mkv", tmp_path / "out.avi")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_several_tracks_title_and_chapters(tmp_path: Path) -> None:
    first = make_film(tmp_path / "first.mkv", subtitles="subrip")
    source = tmp_path / "in.mkv"
    # A second sound track, a title, a chapter and a font, added by remuxing with PyAV.
    with av.open(str(first)) as old, av.open(str(source), "w") as new:
        new.metadata["title"] = "Der Film"
        new.set_chapters(
            [{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {}}]
        )
        copies = {stream.index: [new.add_stream_from_template(stream)] for stream in old.streams}
        copies[1].append(new.add_stream_from_template(old.streams[1]))
        new.add_attachment("font.ttf", "font/ttf", b"letters")
        for packet in old.demux():
            if packet.size:
                for stream in copies[packet.stream_index]:
                    duplicate = av.Packet(bytes(packet))
                    duplicate.pts, duplicate.dts = packet.pts, packet.dts
                    duplicate.duration, duplicate.time_base = packet.duration, packet.time_base
                    duplicate.is_keyframe = packet.is_keyframe
                    duplicate.stream = stream
                    new.mux(duplicate)
    copy(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as film:
        kinds = [stream.type for stream in film.streams]
        assert sorted(kinds) == ["attachment", "audio", "audio", "subtitle", "video"]
        assert film.metadata["title"] == "Der Film"
        assert [chapter["end"] - chapter["start"] for chapter in film.chapters()] == [500_000_000]
        assert bytes(film.streams.attachments[0].data) == b"letters"


def test_silent_film(tmp_path: Path) -> None:
    make_film(tmp_path / "in.mp4", audio=None)
    copy(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert codec_names(tmp_path / "out.mp4", "audio") == []


def packed_samples(path: Path) -> bytes:
    with av.open(str(path)) as film:
        return b"".join(bytes(packet) for packet in film.demux(audio=0))


def write_spoken(path: Path, sound: str) -> Path:
    """A film whose picture has a language and a name, with sound of a codec."""
    with av.open(str(path), "w") as film:
        video = film.add_stream("libx264", rate=24)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        video.metadata.update(language="jpn", title="Original drawing")
        track = film.add_stream(sound, rate=48000)
        track.codec_context.layout = "stereo"
        for index in range(24):
            frame = av.VideoFrame.from_ndarray(gray_ramp((48, 64), index), format="rgb24")
            film.mux(video.encode(frame))
        film.mux(video.encode())
        wave = (tone(1.0) * 32767).astype(np.int16).T.reshape(1, -1)
        heard = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave), "s16", "stereo")
        heard.sample_rate, heard.pts, heard.time_base = 48000, 0, Fraction(1, 48000)
        film.mux(track.encode(heard))
        film.mux(track.encode(None))
    return path


@pytest.mark.parametrize(
    ("suffix", "became"),
    [(".mp4", "aac"), (".m4v", "aac"), (".mov", "pcm_s16le"), (".mkv", "pcm_s16le")],
)
def test_pcm_stays_where_players_read_it(tmp_path: Path, suffix: str, became: str) -> None:
    source = write_spoken(tmp_path / "in.mkv", "pcm_s16le")
    target = tmp_path / f"out{suffix}"
    copy(source, target)
    assert codec_names(target, "audio") == [became]
    if became != "aac":
        assert packed_samples(target) == packed_samples(source)
        return
    frequency, seconds = loudest_frequency(target)
    assert frequency == pytest.approx(440, abs=3)
    assert seconds == pytest.approx(1, abs=0.05)


def test_language_and_name_of_the_picture_are_kept(tmp_path: Path) -> None:
    source = write_spoken(tmp_path / "in.mkv", "pcm_s16le")
    copy(source, tmp_path / "out.mkv")
    copy(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mkv")) as film:
        labels = film.streams.video[0].metadata
        assert (labels["language"], labels["title"]) == ("jpn", "Original drawing")
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.streams.video[0].metadata["language"] == "jpn"
