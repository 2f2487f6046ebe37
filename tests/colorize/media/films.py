"""Small films made with PyAV alone, and PyAV's own reading of films, as oracles of these tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from colorize.media import VideoSource, open_sink, open_source

NTSC = Fraction(24000, 1001)


def gray_ramp(size: tuple[int, int], index: int) -> np.ndarray:
    """A gray picture with a block that moves with the index."""
    height, width = size
    ramp = np.linspace(20, 220, width, dtype=np.uint8)
    picture = np.repeat(ramp[None], height, axis=0).copy()
    left = (7 * index) % (width - 12)
    picture[height // 4 : height // 2, left : left + 12] = 255 - 6 * (index % 40)
    return np.repeat(picture[..., None], 3, axis=2)


def tone(seconds: float, rate: int = 48000) -> np.ndarray:
    """A stereo sine, float32, 2 × samples."""
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    return np.stack([wave, wave]).astype(np.float32)


def make_film(
    path: Path,
    *,
    count: int = 24,
    size: tuple[int, int] = (48, 64),
    rate: Fraction = NTSC,
    ticks: Sequence[int] | None = None,
    tick: Fraction | None = None,
    audio: str | None = "aac",
    audio_start: Fraction = Fraction(0),
    audio_seconds: float | None = None,
    subtitles: str | None = None,
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
    turn: int = 0,
    faststart: bool = False,
) -> Path:
    """Write a film; ``ticks`` are its frame times in units of ``tick`` seconds."""
    options = {"fflags": "+bitexact"}  # else Matroska would give each film a number of its own
    options |= {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", container_options=options) as film:
        video = film.add_stream(codec, rate=rate)
        video.height, video.width = size
        video.pix_fmt = pixel_format
        video.codec_context.time_base = tick or 1 / rate
        if turn:
            video.set_display_rotation(turn)
        sound = film.add_stream(audio, rate=48000) if audio else None
        if sound is not None:
            sound.codec_context.layout = "stereo"
            sound.metadata["language"] = "deu"
        text = film.add_stream(subtitles) if subtitles else None
        if text is not None:
            text.codec_context.subtitle_header = b"[Script Info]\n"
            text.codec_context.time_base = Fraction(1, 1000)
        film.start_encoding()
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(gray_ramp(size, index), format="rgb24")
            frame.pts = ticks[index] if ticks else index
            frame.time_base = tick or 1 / rate
            film.mux(video.encode(frame))
        film.mux(video.encode())
        if sound is not None:
            seconds = float(count / rate) if audio_seconds is None else audio_seconds
            _add_tone(film, sound, seconds, audio_start)
        if text is not None:
            _add_subtitles(film, text)
    return path


def _add_tone(film, sound, seconds: float, start: Fraction) -> None:
    wave, step = tone(seconds), sound.codec_context.frame_size or 960
    for first in range(0, wave.shape[1], step):
        chunk = np.ascontiguousarray(wave[:, first : first + step])
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
        frame.pts = first + int(start * 48000)
        film.mux(sound.encode(frame))
    film.mux(sound.encode(None))


def _add_subtitles(film, text) -> None:
    for number, line in enumerate((b"Guten Tag", b"Auf Wiedersehen")):
        start = 100 + 400 * number
        dialogue = b"%d,0,Default,,0,0,0,,%s" % (number, line)
        cue = av.subtitles.subtitle.SubtitleSet.create(dialogue, 0, 300, start)
        packet = text.codec_context.encode_subtitle(cue)
        packet.pts = packet.dts = start
        packet.duration, packet.time_base, packet.stream = 300, Fraction(1, 1000), text
        film.mux(packet)


def frame_times(path: Path) -> list[Fraction]:
    """Presentation times of the decoded frames, in seconds."""
    with av.open(str(path)) as film:
        return [frame.pts * frame.time_base for frame in film.decode(video=0)]


def average_rate(path: Path) -> Fraction:
    with av.open(str(path)) as film:
        return film.streams.video[0].average_rate


def packets(path: Path, kind: str) -> list[tuple[Fraction, str]]:
    """Time in seconds and digest of each packet of the first track of a kind."""
    with av.open(str(path)) as film:
        track = next(stream for stream in film.streams if stream.type == kind)
        return [
            (packet.pts * packet.time_base, hashlib.sha256(bytes(packet)).hexdigest())
            for packet in film.demux(track)
            if packet.size
        ]


def codec_names(path: Path, kind: str) -> list[str]:
    with av.open(str(path)) as film:
        return [stream.codec_context.name for stream in film.streams if stream.type == kind]


def language(path: Path) -> str | None:
    with av.open(str(path)) as film:
        return film.streams.audio[0].metadata.get("language")


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes: an OSError, as from a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def copy_film(source: Path, target: Path) -> VideoSource:
    """Write a film as it is read, and return what it was read by."""
    film = open_source(source)
    assert isinstance(film, VideoSource)
    with open_sink(target, like=film) as sink:
        for frame in film:
            sink.write(frame)
    return film
