"""Encode frames for one kind of film, the same way for a whole film and for its parts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from colorize.base.errors import UserError
from colorize.media.error import MediaError, writing
from colorize.media.frame import Picture
from colorize.media.video.clock import Clock, VideoLook
from colorize.media.video.decoded import SCALING
from colorize.media.video.fields import FieldMarker

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
# These repeat the codec's parameter sets before every key frame, the others store them once.
_WITHOUT_HEADER = frozenset({".avi", ".ts"})
_SMPTE170M = 6  # AVCOL_SPC_SMPTE170M, the matrix of BT.601
_FIELD_ORDERS = {"progressive": 1, "tff": 2, "bff": 3}  # AVFieldOrder
# libx264's output depends on the number of its threads, which by default is that of the machine's
# cores. With eight, 72 frames of 1280×720 cost the same CPU time on two cores as with two threads
# (4.1 s, within noise), in a file 7 % smaller.
_THREADS = 8


@dataclass(frozen=True)
class Encoding:
    """All that the frames of a film have in common once encoded, but for their quality.

    H.264 (libx264), in WebM VP9. Even sizes are 4:2:0, odd ones 4:4:4, which alone holds them
    exactly. The matrix is BT.601, limited range, and tagged so: its luma is the project's Y', which
    chroma subsampling therefore leaves alone (0.35 of 255 against 1.13 with BT.709).

    The same frames give the same bits on any number of cores, so that parts of several machines fit
    together; libx264 also leaves its choice of processor instructions without influence.
    """

    suffix: str
    size: tuple[int, int]
    look: VideoLook

    @classmethod
    def choose(cls, path: Path, *, size: tuple[int, int], look: VideoLook) -> Encoding:
        """Return the encoding for the film ``path``, by its suffix.

        Raises:
            MediaError: the suffix names no container, or one that cannot hold interlaced films or
                pixels that are not square.
        """
        suffix = path.suffix.lower()
        if suffix not in CONTAINERS:
            raise MediaError(f"{path}: films are written as {' '.join(CONTAINERS)}; name one")
        if suffix == ".webm" and look.fields != "progressive":
            raise MediaError(
                f"{path}: WebM (VP9) cannot hold an interlaced film; name the output .mkv, or "
                "deinterlace the film first"
            )
        if suffix == ".webm" and look.aspect != 1:
            raise MediaError(
                f"{path}: WebM (VP9) is written without the shape of the film's pixels "
                f"({look.aspect.numerator}:{look.aspect.denominator}), so that it would look "
                f"squeezed; name the output {path.with_suffix('.mkv').name}"
            )
        return cls(suffix, size, look)

    @property
    def clock(self) -> Clock:
        """Return the film's clock."""
        return Clock.choose(self.suffix, self.look)

    @property
    def codec(self) -> str:
        """Return FFmpeg's name of the encoder."""
        return "libvpx-vp9" if self.suffix == ".webm" else "libx264"

    @property
    def pixel_format(self) -> str:
        """Return the pixel format that keeps size and depth as far as the codec can."""
        odd = any(side % 2 for side in self.size)
        name = "yuv444p" if odd else "yuv420p"
        formats = {known.name for known in av.Codec(self.codec, "w").video_formats or ()}
        deep = name + "10le"
        return deep if self.look.bits > 8 and deep in formats else name

    def configure(self, context: VideoCodecContext, *, quality: int) -> None:
        """Give an encoder of this codec its settings, before it is opened.

        ``quality``, 1 to 100, is mapped to x264's constant rate factor: 90 is 16, 50 is 32.
        """
        look = self.look
        context.height, context.width = self.size
        context.pix_fmt = self.pixel_format
        context.time_base, context.framerate = self.clock.tick, look.rate
        context.sample_aspect_ratio = look.aspect
        context.colorspace, context.color_range = _SMPTE170M, ColorRange.MPEG.value
        context.color_primaries, context.color_trc = look.primaries, look.transfer
        context.field_order = _FIELD_ORDERS[look.fields]
        context.thread_count = _THREADS
        if self.suffix == ".avi":
            context.max_b_frames = 0  # AVI has no presentation times to reorder by
        # Lets the last frame, and any frame of a variable rate, keep its own duration.
        flags = context.flags | Flags.frame_duration
        if look.fields != "progressive":
            flags |= Flags.interlaced_dct | Flags.interlaced_me
        header = self.suffix not in _WITHOUT_HEADER
        context.flags = flags | Flags.global_header if header else flags & ~Flags.global_header
        context.options = self._options(round(12 + 0.4 * (100 - quality)))

    def _options(self, rate_factor: int) -> dict[str, str]:
        """Return the settings of the codec's own."""
        if self.codec == "libvpx-vp9":
            # Without row-mt the bits do not depend on the threads, which share tile columns.
            options = {"crf": str(round(rate_factor * 63 / 51)), "b": "0", "cpu-used": "4"}
            return options | {"deadline": "good", "tile-columns": "6"}
        settings = "stitchable=1:cpu-independent=1"
        if self.look.fields != "progressive":
            settings += f":{self.look.fields}=1"
        return {"crf": str(rate_factor), "x264-params": settings}


class Encoder:
    """Frames in, packets out, on the film's clock; ``context`` is configured, not yet opened.

    ``path`` is named in errors.
    """

    def __init__(self, path: Path, encoding: Encoding, context: VideoCodecContext) -> None:
        self._path, self._encoding, self._context = path, encoding, context
        self._clock = encoding.clock
        self._reformatter = VideoReformatter()
        fields, tick = encoding.look.fields, self._clock.tick
        self._marker = None if fields == "progressive" else FieldMarker(fields, tick)
        self._last: int | None = None

    def encode(self, rgb: Picture, time: Fraction, duration: Fraction | None) -> list[Packet]:
        """Add a frame shown at ``time`` seconds for ``duration`` seconds (None: until the next).

        Raises:
            MediaError: another size than the film's, or a time not after the last.
        """
        size = self._encoding.size
        if rgb.shape[:2] != size:
            height, width = rgb.shape[:2]
            raise MediaError(
                f"{self._path}: a frame is {width}×{height}, the film {size[1]}×{size[0]}; "
                "split the source where its size changes"
            )
        name = "rgb24" if rgb.dtype == np.uint8 else "rgb48le"
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format=name)
        frame.pts, frame.time_base = self._tick(time), self._clock.tick
        frame.duration = self._clock.length(duration or 1 / self._encoding.look.rate)
        frame = frame if self._marker is None else self._marker.mark(frame)
        with writing(self._path):
            return self._context.encode(self._converted(frame))

    def flush(self) -> list[Packet]:
        """Return the packets that are still held back; no frame can be added after it.

        Raises:
            MediaError: no frame was encoded.
        """
        if self._last is None:
            raise MediaError(f"{self._path}: no frame was written; the source gave none")
        with writing(self._path):
            return self._context.encode(None)

    def _tick(self, time: Fraction) -> int:
        """Return the frame's tick, strictly after the last one."""
        try:
            tick = self._clock.ticks(time, self._encoding.look.start)
            if self._last is not None and tick <= self._last:
                raise UserError("the frame is not later than the one before it")
        except ValueError as error:
            raise MediaError(
                f"{self._path}: {error} (at {float(time):.3f} s); name the output .mkv, "
                "or rebuild the source's timestamps"
            ) from error
        self._last = tick
        return tick

    def _converted(self, frame: VideoFrame) -> VideoFrame:
        """Return the frame in the film's pixel format; fields are converted one by one."""
        converted: Any = self._reformatter.reformat(
            frame,
            format=self._encoding.pixel_format,
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=SCALING,
        )
        return converted
