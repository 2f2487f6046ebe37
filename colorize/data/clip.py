"""One colour clip: its frames, mapped into memory or held in an array, and its shots."""

from __future__ import annotations

import copy
import hashlib
import itertools
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped, UInt8

from colorize.base.errors import UserError
from colorize.data.manifest import DatasetError

Frames = UInt8[np.ndarray, "t h w 3"]
# Targets that are known, by name, of all frames of a clip at their stored size; asked for by name.
Truth = Callable[[frozenset[str]], Mapping[str, Shaped[np.ndarray, "t h w *channels"]]]


class Clip:
    """Frames of one clip, sRGB uint8 ``t h w 3``, and the first frames of its shots.

    ``frames`` is an array, or the path of a ``.npy`` file of this ``shape``, which each process
    maps into memory when it first reads a frame; a pickled clip carries the path only. ``truth``
    tells what is known of the frames beside their colours: backward ``flow`` (t h w 2),
    ``visible`` (t h w, bool) and ``segments`` (t h w), each rendered when it is first asked for.
    Clips of one ``series`` show the same characters; those of one ``origin`` were drawn by the same
    hand (empty: by nobody else than the series).
    """

    def __init__(
        self,
        *,
        name: str,
        frames: Frames | Path,
        shots: Sequence[int] = (0,),
        shape: tuple[int, int, int, int] | None = None,
        fingerprint: str | None = None,
        truth: Truth | None = None,
        series: str = "",
        origin: str = "",
    ) -> None:
        if isinstance(frames, Path) == (shape is None):
            raise UserError(f"clip {name!r}: give the shape of a file of frames, not of an array")
        self.name = name
        self.source = frames
        self.shape: tuple[int, ...] = shape or np.shape(frames)  # type: ignore[arg-type]
        self._stored = self.shape  # of the whole file
        self.shots = tuple(shots)
        self.truth = truth
        self.series = series
        self.origin = origin or series
        self._fingerprint = fingerprint
        self._part: tuple[int, int] | None = None  # of the file or array, where it is not all
        self._mapped: Frames | None = None
        self._known: dict[str, Shaped[np.ndarray, "t h w *channels"]] = {}

    @property
    def count(self) -> int:
        """Return the number of frames."""
        return self.shape[0]

    @property
    def frames(self) -> Frames:
        """Return all frames, read from disk where they are touched.

        Raises:
            DatasetError: The file is not what the clip says.
        """
        if not isinstance(self.source, Path):
            return self.source
        if self._mapped is None:
            self._mapped = _map(self.source, self._stored)
            if self._part is not None:
                self._mapped = self._mapped[slice(*self._part)]
        return self._mapped

    def part(self, start: int, stop: int) -> Clip:
        """Return the frames ``start <= index < stop`` of a clip of which only frames are known.

        Raises:
            ValueError: More is known of it, or there is no such frame.
        """
        whole = self.truth is None and self._part is None
        if not (whole and 0 <= start < stop <= self.count):
            raise ValueError(f"clip {self.name!r} has no part {start}:{stop}")
        other = copy.copy(self)
        other.shape = (stop - start, *self.shape[1:])
        other.shots = tuple(sorted({0, *(s - start for s in self.shots if start < s < stop)}))
        other._fingerprint = hashlib.sha256(
            repr((self.fingerprint, start, stop)).encode()
        ).hexdigest()
        other._mapped, other._known = None, {}
        if isinstance(self.source, Path):
            other._part = (start, stop)
        else:
            other.source = self.source[start:stop]
        return other

    @property
    def fingerprint(self) -> str:
        """Return a digest of what decides the frames: the source's, or of the frames."""
        if self._fingerprint is None:
            digest = hashlib.sha256(repr((self.name, self.shots, self.shape)).encode())
            digest.update(np.ascontiguousarray(self.frames).data)
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def known(self, names: frozenset[str]) -> dict[str, Shaped[np.ndarray, "t h w *channels"]]:
        """Return the known targets called ``names``; they are kept, others are not.

        Raises:
            ValueError: Nothing but its frames is known of this clip.
        """
        if self.truth is None:
            raise UserError(f"clip {self.name!r}: its true flow and segments are not known")
        if not names <= self._known.keys():
            self._known = dict(self.truth(names.union(self._known)))
        return {name: self._known[name] for name in names}

    @property
    def group(self) -> int:
        """A number of whoever drew the clip, the same on every machine."""
        return zlib.crc32(self.origin.encode())

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Return the first frame of every shot, and the first behind it."""
        bounds = sorted({0, *self.shots, self.count})
        return list(itertools.pairwise(bounds))

    def shot_of(self, frame: int) -> tuple[int, int]:
        """Return the first frame of the shot that ``frame`` is in, and the first behind it."""
        return next(span for span in self.spans if frame < span[1])

    def runs(self, length: int) -> Int64[np.ndarray, " n"]:
        """Return the last frame of every ``length`` consecutive frames of one shot."""
        return np.concatenate([np.arange(start + length - 1, stop) for start, stop in self.spans])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": None, "_known": {}}


def _map(path: Path, shape: tuple[int, ...]) -> Frames:
    """Map a file of frames into memory."""
    remedy = "run the same colorize-prepare again"
    try:
        frames = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); {remedy}") from error
    if frames.dtype != np.uint8 or frames.shape != shape:
        got = f"{frames.dtype} {frames.shape}"
        raise DatasetError(f"{path}: expected uint8 {shape}, got {got}; {remedy}")
    return frames
