"""Carry the sound, the subtitles and the chapters of one film over to another."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any

import av
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.packet import Packet

from colorize.media.error import MediaError, reason, writing
from colorize.media.video.reading import film_stream, open_input
from colorize.media.video.steady import SteadyClock

# What a track is converted to where the container refuses its own codec.
_AUDIO_CODECS = {".webm": "libopus", ".avi": "libmp3lame"}
_CANNOT_PLAY_PCM = frozenset({".mp4", ".m4v"})
_TEXT_CODECS = {
    ".mp4": "mov_text",
    ".m4v": "mov_text",
    ".mov": "mov_text",
    ".mkv": "subrip",
    ".webm": "webvtt",
}
_TEXT_SOURCES = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
_MOV_FAMILY = frozenset({".mp4", ".m4v", ".mov"})
_BITS_PER_CHANNEL = 96_000
# What so many channels are where nothing is told of them, as FFmpeg's tools guess.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# Tracks are written this many seconds ahead of the picture, so that players find both close.
AHEAD = Fraction(1, 2)


class _CopyLane:
    """The way of one track from the source to ``output``, a stream of the new film: as it is."""

    def __init__(self, output: Any, *, keeps_hidden: bool) -> None:
        self.output, self._keeps_hidden = output, keeps_hidden

    def packets(self, packet: Packet | None) -> list[Packet]:
        """Return what is to be written for a packet of the source; None ends the track."""
        if packet is None or packet.size == 0:
            return []
        if packet.is_discard and not self._keeps_hidden:
            return []  # an edit list hides it, which only MP4 and MOV can say
        if packet.dts is None:
            packet.dts = packet.pts
        packet.stream = self.output
        return [packet]


class _AudioLane:
    """Sound is decoded and encoded anew."""

    output: Any

    def __init__(self, track: Any, container: OutputContainer, codec: str) -> None:
        self._decoder = context = track.codec_context
        rates = av.Codec(codec, "w").audio_rates
        rate = context.sample_rate
        rate = rate if codec != "libopus" and (not rates or rate in rates) else 48000
        self.output = container.add_stream(codec, rate=rate)
        layout, count = context.layout.name, context.layout.nb_channels
        if layout.endswith(" channels"):  # so many; PCM keeps silent about which
            layout = _LAYOUTS.get(count, layout)
        if codec == "libmp3lame" and count > 2:
            layout = "stereo"
        self.output.codec_context.layout = layout
        self._named = AudioResampler(layout=layout)
        channels = self.output.codec_context.layout.nb_channels
        self.output.codec_context.bit_rate = _BITS_PER_CHANNEL * channels

    def packets(self, packet: Packet | None) -> list[Packet]:
        decoded = self._decoder.decode(packet)  # None draws the last ones out of the decoder
        frames: list[Any] = [each for frame in decoded for each in self._named.resample(frame)]
        if packet is None:
            frames = [*frames, *self._named.resample(None), None]  # and of the encoder
        return list(chain.from_iterable(self.output.encode(frame) for frame in frames))


class _TextLane:
    """Text subtitles are rewritten in the container's own format."""

    output: Any

    def __init__(self, track: Any, container: OutputContainer, codec: str) -> None:
        self._decoder = track.codec_context
        self.output = container.add_stream(codec)
        # Opening the decoder makes the style header that the encoder needs.
        self._decoder.open(strict=False)
        self.output.codec_context.subtitle_header = self._decoder.subtitle_header
        self.output.codec_context.time_base = Fraction(1, 1000)

    def packets(self, packet: Packet | None) -> list[Packet]:
        if packet is None or packet.size == 0:
            return []
        text = self._decoder.decode2(packet)
        if text is None or len(text) == 0:
            return []
        encoded = self.output.codec_context.encode_subtitle(text)
        encoded.pts = encoded.dts = packet.pts
        encoded.duration, encoded.time_base = packet.duration, packet.time_base
        encoded.stream = self.output
        return [encoded]


_Lane = _CopyLane | _AudioLane | _TextLane


def _accepts(container: str, track: Any) -> bool:
    """Return whether a container takes a track as it is, by writing a header for it in memory."""
    if track.codec_context is None:
        return False
    # AVI's header takes AAC without its setup bytes (as MPEG-TS stores it), its packets do not.
    if (
        container == "avi"
        and track.codec_context.name == "aac"
        and not track.codec_context.extradata
    ):
        return False
    trial = io.BytesIO()
    output = av.open(trial, "w", format=container)
    try:
        output.add_stream_from_template(track)
        output.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    finally:
        trial.close()  # PyAV writes no end to a film whose file is closed
    return True


def _labels(track: Any) -> dict[str, str]:
    """Return the language and the name of a track."""
    return {name: track.metadata[name] for name in ("language", "title") if name in track.metadata}


class Tracks:
    """All audio and subtitle tracks of ``source``, written to ``container`` as its film goes on.

    Packets are copied one by one; a track is encoded anew only where the container refuses its
    codec. Chapters, titles and, in Matroska, attached files go along. Data tracks (timecodes,
    telemetry) do not.

    Raises:
        MediaError: a track that the container can neither hold nor have converted.
    """

    def __init__(self, source: Path, path: Path, container: OutputContainer) -> None:
        self._source, self._path, self._container = source, path, container
        self._suffix = path.suffix.lower()
        self._input = open_input(source)
        self._clock = SteadyClock(self._input)
        try:
            tracks = (*self._input.streams.audio, *self._input.streams.subtitles)
            self._lanes = {track.index: self._lane(track) for track in tracks}
            self._copy_labels()
        except BaseException:
            self._input.close()
            raise
        self._waiting: Packet | None = None
        self._packets = self._read()

    def _lane(self, track: Any) -> _Lane:
        """Return the way of one track: as it is if the container takes it."""
        lane: _Lane
        if self._plays(track) and _accepts(self._container.format.name, track):
            output = self._container.add_stream_from_template(track)
            lane = _CopyLane(output, keeps_hidden=self._suffix in _MOV_FAMILY)
        else:
            lane = self._converter(track)
        lane.output.metadata.update(_labels(track))
        lane.output.disposition = track.disposition
        return lane

    def _plays(self, track: Any) -> bool:
        """Return whether players take a track from this container as it is.

        FFmpeg writes PCM into MP4 (ISO/IEC 23003-5), which hardly any player reads.
        """
        codec = track.codec_context.name if track.codec_context else ""
        return not (self._suffix in _CANNOT_PLAY_PCM and codec.startswith("pcm_"))

    def _converter(self, track: Any) -> _Lane:
        """Return the way of a track whose codec the container refuses."""
        if track.codec_context is not None:
            if track.type == "audio":
                codec = _AUDIO_CODECS.get(self._suffix, "aac")
                return _AudioLane(track, self._container, codec)
            codec = _TEXT_CODECS.get(self._suffix, "")
            if codec and track.codec_context.name in _TEXT_SOURCES:
                return _TextLane(track, self._container, codec)
        raise MediaError(
            f"{self._path} can neither hold {track.type} track {track.index} of {self._source} "
            "nor convert it; name the output .mkv"
        )

    def _copy_labels(self) -> None:
        """Copy what is no track."""
        kept = ("title", "artist", "comment", "date", "genre", "copyright", "description")
        for picture in self._container.streams.video[:1]:
            picture.metadata.update(_labels(film_stream(self._source, self._input)))
        source = self._input.metadata
        self._container.metadata.update({name: source[name] for name in kept if name in source})
        if chapters := self._input.chapters():
            self._container.set_chapters([self._moved(chapter) for chapter in chapters])
        if self._suffix == ".mkv":
            for file in self._input.streams.attachments:
                name = file.metadata.get("filename", f"attachment-{file.index}")
                self._container.add_attachment(name, file.mimetype or "", bytes(file.data or b""))

    def _moved(self, chapter: Any) -> Any:
        """Return a chapter on the clock that starts at zero."""
        shift = round(self._clock.start / chapter["time_base"])
        return chapter | {"start": chapter["start"] - shift, "end": chapter["end"] - shift}

    def copy_until(self, time: Fraction | float) -> None:
        """Write the packets that are due by ``time`` seconds of the film."""
        while packet := self._waiting or next(self._packets, None):
            self._waiting = packet
            stamp = packet.pts if packet.dts is None else packet.dts
            if stamp is not None and stamp * packet.time_base > time:
                return
            self._waiting = None
            self._write(packet.stream.index, packet)

    def finish(self) -> None:
        """Write all that remains."""
        self.copy_until(inf)
        for index in self._lanes:
            self._write(index, None)

    def close(self) -> None:
        """Close the source."""
        self._input.close()

    def _read(self) -> Iterator[Packet]:
        """Yield the packets of all tracks."""
        if not self._lanes:
            return
        try:
            # All of them, as when the picture was read: a clock may jump in any.
            for packet in self._input.demux():
                self._clock.mend(packet)
                if packet.size and packet.stream_index in self._lanes:
                    yield packet
        except (av.FFmpegError, OSError) as error:
            raise self._broken(error) from error

    def _write(self, index: int, packet: Packet | None) -> None:
        """Convert and write one packet."""
        try:
            packets = self._lanes[index].packets(packet)
        except (av.FFmpegError, OSError) as error:
            raise self._broken(error) from error
        with writing(self._path):
            self._container.mux(packets)

    def _broken(self, error: BaseException) -> MediaError:
        """Return the error for a track that cannot be read."""
        return MediaError(
            f"{self._source}: its sound or subtitles are damaged ({reason(error)}); copy it again, "
            "or take a copy without them: `ffmpeg -i FILM -c copy -an -sn SILENT.mkv`"
        )
