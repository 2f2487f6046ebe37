"""Pictures of the frames of a film or a folder, for looking: in pieces, and kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from colorize.app.error import PageError
from colorize.media import Frame, open_source
from colorize.media.frame import opacity, to_depth

_PIECE = 12  # frames decoded together: requests of a browser come in any order
_KEPT = 600  # encoded pictures, some 30 MB at 540 lines
SIZES = (180, 540, 1080)  # short sides that can be asked for


def check_size(short_side: int) -> None:
    """Refuse a size that pictures are not made in.

    Raises:
        PageError: It is none of :data:`SIZES`.
    """
    if short_side not in SIZES:
        known = ", ".join(map(str, SIZES))
        raise PageError(f"size is {short_side}: expected one of {known}")


class Reel:
    """Frames as JPEG; going on from where one looked last costs least.

    ``read`` returns the frames from a number on.
    """

    def __init__(self, read: Callable[[int], Iterator[Frame]]) -> None:
        self._read_from = read
        self._lock = threading.Lock()
        self._frames: Iterator[Frame] = iter(())
        self._next = -1  # nothing is open
        self._pictures: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def picture(self, index: int, *, short_side: int) -> bytes:
        """Return frame ``index`` as a JPEG whose short side is at most ``short_side``.

        Raises:
            PageError: There is no such frame.
            MediaError: It cannot be read.
        """
        with self._lock:
            if (index, short_side) not in self._pictures:
                self._read(index // _PIECE * _PIECE, short_side)
            if (index, short_side) not in self._pictures:
                raise PageError(f"there is no frame {index}", status=404)
            self._pictures.move_to_end((index, short_side))
            return self._pictures[index, short_side]

    def _read(self, first: int, short_side: int) -> None:
        """Encode the frames of a piece."""
        if self._next != first:
            self._frames, self._next = self._read_from(first), first
        for _ in range(_PIECE):
            frame = next(self._frames, None)
            if frame is None:
                self._next = -1
                break
            self._next = frame.index + 1
            self._pictures[frame.index, short_side] = encode(frame, short_side)
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)


class Reels:
    """The reels that were looked at last."""

    def __init__(self, *, most: int = 8) -> None:
        self._reels: OrderedDict[tuple[Path, float], Reel] = OrderedDict()
        self._most, self._lock = most, threading.Lock()

    def of(self, path: Path) -> Reel:
        """Return the reel of a film, a folder or a picture as it is now.

        Raises:
            MediaError: It cannot be read.
        """
        return self.made(path, lambda: open_source(path).frames)

    def made(self, path: Path, make: Callable[[], Callable[[int], Iterator[Frame]]]) -> Reel:
        """Return the reel of a file as it is now; ``make`` returns what reads its frames."""
        key = (path, path.stat().st_mtime if path.exists() else 0.0)
        with self._lock:
            if key not in self._reels:
                self._reels[key] = Reel(make())
                while len(self._reels) > self._most:
                    self._reels.popitem(last=False)
            self._reels.move_to_end(key)
            return self._reels[key]


def encode(frame: Frame, short_side: int) -> bytes:
    """Return a frame as a JPEG of full-resolution chroma; what is transparent is white."""
    rgb, shown = to_depth(frame.rgb, np.dtype(np.uint8)), opacity(frame)
    if shown is not None:
        white = 255 * (1 - shown[..., None])
        rgb = (rgb * shown[..., None] + white).round().astype(np.uint8)
    height, width, _ = rgb.shape
    scale = short_side / min(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    options = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    return cv2.imencode(".jpg", rgb[..., ::-1], options)[1].tobytes()
