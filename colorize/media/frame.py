"""Frames, with what must survive their colouring, and what gives and takes them one by one."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Container, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from colorize.base.errors import UserError

Picture: TypeAlias = UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"]
Alpha: TypeAlias = UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]

# BT.601 luma weights in thousandths, so that a gray pixel's luma is exactly its own value.
_LUMA_THOUSANDTHS = np.array([299, 587, 114], dtype=np.int32)


@dataclass(frozen=True)
class Kept:
    """What goes along from a picture's file into the one that is written.

    ``dpi`` are its dots an inch, across and down; ``dpx`` the header of a DPX file.
    """

    dpi: tuple[float, float] | None = None
    dpx: bytes | None = None


NOTHING_KEPT = Kept()


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: sRGB, full range, 8 or 16 bits a channel, upright.

    ``index`` counts from 0 in its source. ``name`` is the file's name in a folder or of the single
    image, with the suffix that it is written under, "" in a video. ``alpha`` has the bit depth of
    ``rgb``. ``time`` and ``duration`` are in seconds for a video's frame, else None; a duration the
    file does not tell is None too. ``kept`` goes along into the file that is written.
    """

    index: int
    name: str
    rgb: Picture
    alpha: Alpha | None = None
    time: Fraction | None = None
    duration: Fraction | None = None
    kept: Kept = NOTHING_KEPT

    def gray(self) -> Float32[np.ndarray, "h w"]:
        """Return BT.601 luma Y' in [0, 1]; a gray pixel keeps its exact value.

        Source: ITU-R BT.601-7, section 2.5.1.
        """
        red, green, blue = np.moveaxis(self.rgb, 2, 0)
        largest = int(np.iinfo(self.rgb.dtype).max)
        if np.array_equal(red, green) and np.array_equal(green, blue):  # several times faster
            return (np.arange(largest + 1) / largest).astype(np.float32)[red]
        return (self.rgb @ _LUMA_THOUSANDTHS / (1000 * largest)).astype(np.float32)

    def with_rgb(self, rgb: Picture) -> Frame:
        """Return this frame with other colours; alpha follows the bit depth of ``rgb``.

        Raises:
            ValueError: ``rgb`` has another size than this frame.
        """
        if rgb.shape != self.rgb.shape:
            raise UserError(f"frame {self.index} is {self.rgb.shape}, its colours {rgb.shape}")
        alpha = None if self.alpha is None else to_depth(self.alpha, rgb.dtype)
        return dataclasses.replace(self, rgb=rgb, alpha=alpha)


def opacity(frame: Frame) -> Float32[np.ndarray, "h w"] | None:
    """Return how opaque a picture is, 0 to 1; None if it is so everywhere."""
    if frame.alpha is None:
        return None
    largest = np.iinfo(frame.alpha.dtype).max
    return None if (frame.alpha == largest).all() else (frame.alpha / largest).astype(np.float32)


def to_depth(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return 8- or 16-bit ``values`` at the depth of ``dtype``, rounded; 0 and white stay exact."""
    if values.dtype == dtype:
        return values
    if dtype == np.uint16:
        return values.astype(np.uint16) * np.uint16(257)
    # 65535 = 255 * 257, so that division by 257 is the inverse of the line above.
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


class Source(ABC):
    """Frames of a folder, a video or one image, read one at a time; each iteration starts afresh.

    ``size`` is (height, width) of the first frame, upright. ``count`` is exact for pictures and the
    container's word for a video, None where it is silent. ``rate`` is the exact average rate of a
    video in frames per second, else None. ``notes`` are remarks of one line each for the user: what
    of the source is read otherwise than expected, or cannot be kept.
    """

    kind: Literal["folder", "video", "image"]
    path: Path
    size: tuple[int, int]
    count: int | None
    rate: Fraction | None
    notes: tuple[str, ...]

    @abstractmethod
    def frames(
        self, start: int = 0, stop: int | None = None, *, only: Container[int] | None = None
    ) -> Iterator[Frame]:
        """Yield the frames ``start <= index < stop`` whose index is in ``only`` (None: all).

        In order, each with its own index. A frame left out costs less than one that is yielded.

        Raises:
            MediaError: a frame cannot be read; the message tells how many were.
        """

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go: every iteration opens its files and closes them itself."""
        return None


class Sink(ABC):
    """A receiver of frames, used as a context manager.

    Nothing stands at the final path before it is complete. A clean exit finishes the work, an
    exception inside the block discards what is unfinished.
    """

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Take the next frame.

        Raises:
            MediaError: it cannot be written.
        """

    @abstractmethod
    def finish(self) -> None:
        """Complete what was begun; called on a clean exit."""

    @abstractmethod
    def discard(self) -> None:
        """Remove what was begun; called when the block ended by an exception."""

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.finish()
        except BaseException:
            self.discard()
            raise
