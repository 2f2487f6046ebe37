"""Encode frames into a film that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from colorize.files import PartFile
from colorize.media.clock import LARGEST_TIMESCALE, Clock
from colorize.media.decoded import SCALING
from colorize.media.error import MediaError, writing
from colorize.media.frame import Picture
from colorize.media.video import VideoLook

# Suffix -> FFmpeg's name of the container.
CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".ts": "mpegts",
}
_SMPTE170M = 6  # AVCOL_SPC_SMPTE170M, the matrix of BT.601


class VideoWriter:
    """A film under construction: one video stream, and room for the tracks of another film.

    H.264 (libx264), in WebM VP9. Even sizes are 4:2:0, odd ones 4:4:4, which alone holds them
    exactly. The matrix is BT.601, limited range, and tagged so: its luma is the project's Y', which
    chroma subsampling therefore leaves alone (0.35 of 255 against 1.13 with BT.709). ``quality``,
    1 to 100, is mapped to x264's constant rate factor: 90 is 16, 50 is 32.

    Raises:
        MediaError: the suffix names no container, or the film cannot be written.
    """

    def __init__(self, path: Path, *, size: tuple[int, int], look: VideoLook, quality: int) -> None:
        self.path, self._size, self._look = path, size, look
        self.suffix = path.suffix.lower()
        if self.suffix not in CONTAINERS:
            raise MediaError(f"{path}: films are written as {' '.join(CONTAINERS)}; name one")
        self._clock = Clock.choose(self.suffix, look)
        self._reformatter = VideoReformatter()
        self._start: Fraction | None = None
        self._last: int | None = None
        with writing(path):
            self._part = PartFile(path)
        try:
            self.container = av.open(
                self._part.file,
                "w",
                format=CONTAINERS[self.suffix],
                container_options=self._container_options(),
            )
            self._stream = self._add_stream(quality)
        except BaseException:
            self._part.abort()
            raise

    def _container_options(self) -> dict[str, str]:
        """Keep the clock of the source where the container would choose its own."""
        if self.suffix not in (".mp4", ".m4v", ".mov"):
            return {}
        ticks = self._clock.tick.denominator
        # Start offsets are counted in the film's ticks: those of 48 kHz sound and of the frames.
        film = lcm(ticks, 48000)
        film = film if film <= LARGEST_TIMESCALE else ticks
        return {"video_track_timescale": str(ticks), "movie_timescale": str(film)}

    def _add_stream(self, quality: int) -> av.VideoStream:
        """Add the video stream with its codec's settings."""
        rate_factor = round(12 + 0.4 * (100 - quality))
        if self.suffix == ".webm":
            name = "libvpx-vp9"
            options = {"crf": str(round(rate_factor * 63 / 51)), "b": "0", "cpu-used": "4"}
            options |= {"deadline": "good", "row-mt": "1"}
        else:
            name, options = "libx264", {"crf": str(rate_factor)}
        # PyAV types a stream added by name as any of three kinds.
        stream: Any = self.container.add_stream(name, rate=self._look.rate, options=options)
        stream.height, stream.width = self._size
        context = stream.codec_context
        context.pix_fmt = self._pixel_format(name)
        context.time_base = self._clock.tick
        context.sample_aspect_ratio = self._look.aspect
        context.colorspace, context.color_range = _SMPTE170M, ColorRange.MPEG.value
        context.color_primaries = self._look.primaries
        context.color_trc = self._look.transfer
        if self.suffix == ".avi":
            context.max_b_frames = 0  # AVI has no presentation times to reorder by
        # Lets the last frame, and any frame of a variable rate, keep its own duration.
        context.flags |= av.codec.context.Flags.frame_duration
        return stream

    def _pixel_format(self, codec: str) -> str:
        """Return the pixel format that keeps size and depth as far as the codec can."""
        odd = any(side % 2 for side in self._size)
        name = "yuv444p" if odd else "yuv420p"
        formats = {known.name for known in av.Codec(codec, "w").video_formats or ()}
        deep = name + "10le"
        return deep if self._look.bits > 8 and deep in formats else name

    def write(self, rgb: Picture, time: Fraction, duration: Fraction | None = None) -> None:
        """Add a frame shown at ``time`` seconds for ``duration`` seconds (None: until the next).

        Raises:
            MediaError: another size than the film's, a time not after the last, or a full disk.
        """
        if rgb.shape[:2] != self._size:
            height, width = rgb.shape[:2]
            raise MediaError(
                f"{self.path}: a frame is {width}×{height}, the film {self._size[1]}×"
                f"{self._size[0]}; split the source where its size changes"
            )
        frame = self._converted(rgb)
        frame.pts = self._tick(time)
        frame.time_base = self._clock.tick
        frame.duration = self._clock.length(duration or 1 / self._look.rate)
        with writing(self.path):
            self.container.mux(self._stream.encode(frame))

    def _tick(self, time: Fraction) -> int:
        """Return the frame's tick, strictly after the last one."""
        self._start = time if self._start is None else self._start
        try:
            tick = self._clock.ticks(time, self._start)
            if self._last is not None and tick <= self._last:
                raise ValueError("the frame is not later than the one before it")
        except ValueError as error:
            raise MediaError(
                f"{self.path}: {error} (at {float(time):.3f} s); name the output .mkv, "
                "or rebuild the source's timestamps"
            ) from error
        self._last = tick
        return tick

    def _converted(self, rgb: Picture) -> VideoFrame:
        """Return the frame in the film's pixel format."""
        name = "rgb24" if rgb.dtype == np.uint8 else "rgb48le"
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format=name)
        return self._reformatter.reformat(
            frame,
            format=self._stream.codec_context.pix_fmt,
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=SCALING,
        )

    def flush(self) -> None:
        """Encode the frames that the encoder still holds; none can be added after it."""
        if self._start is None:
            raise MediaError(f"{self.path}: no frame was written; the source gave none")
        with writing(self.path):
            self.container.mux(self._stream.encode(None))

    def commit(self) -> None:
        """Complete the container and give the film its name."""
        with writing(self.path):
            self.container.close()
            self._part.commit()

    def abort(self) -> None:
        """Remove what was written."""
        self._part.abort()


def write_video(
    path: str | Path, pictures: Iterable[Picture], *, rate: Fraction | int, quality: int = 90
) -> None:
    """Write pictures of one size as a silent film, atomically.

    Raises:
        MediaError: no pictures, different sizes, an unknown suffix, or a full disk.
    """
    writer: VideoWriter | None = None
    rate = Fraction(rate)
    try:
        for index, rgb in enumerate(pictures):
            if writer is None:
                look = VideoLook(time_base=1 / rate, rate=rate)
                size = (rgb.shape[0], rgb.shape[1])
                writer = VideoWriter(Path(path), size=size, look=look, quality=quality)
            writer.write(rgb, index / rate)
        if writer is None:
            raise MediaError(f"{path}: no frame was given; a film needs one at least")
        writer.flush()
        writer.commit()
    except BaseException:
        if writer is not None:
            writer.abort()
        raise
