"""Turn one video or frame folder into a clip of a dataset, frame by frame."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from colorize.data.augment import centre_box, resize
from colorize.data.manifest import ClipRecord, record_from, write_json
from colorize.media import MediaError, fingerprint, open_source
from colorize.media.frame import to_depth
from colorize.shots import shot_starts

# An aspect ratio that differs by less is stretched even under "crop": it cannot be seen, and
# keeps a border that a rounded size would cut.
_SAME_ASPECT = 0.02
_DARK = 8  # mean luma of 255 below which a frame is nearly black
_REPEATED = 0.5  # mean luma difference of 255 to the frame before


@dataclass(frozen=True)
class Job:
    """Make the clip ``name`` of the dataset ``root`` from the source at ``path``."""

    path: Path
    root: Path
    name: str
    size: tuple[int, int]
    fit: str
    first_frame: int


def convert(job: Job, advance: Callable[[int], None]) -> tuple[ClipRecord, bool]:
    """Return the clip's record, and whether its frames were made now or were there already.

    ``advance`` is called with the number of source frames done; it may raise to stop.

    Raises:
        MediaError: The source cannot be read, or holds no frame after ``first_frame``.
    """
    made_of = fingerprint(job.path)
    record = read_record(job.root, job.name)
    fresh = record is None or _identity(record) != (made_of, job.first_frame, job.size, job.fit)
    if fresh or record is None:
        record = _make(job, made_of, advance)
    else:
        advance(record.first_frame + record.frames)
    record = replace(record, source=job.path.name, path=str(job.path))
    write_json(asdict(record), _record_path(job.root, job.name))
    return record, fresh


def read_record(root: Path, name: str) -> ClipRecord | None:
    """Return what a finished clip wrote beside its frames, or None if it is not there, whole."""
    path = _record_path(root, name)
    if not path.is_file() or not (root / "frames" / f"{name}.npy").is_file():
        return None
    try:
        return record_from(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return None


def remove_clip(root: Path, name: str) -> None:
    """Delete a clip's record and frames."""
    _record_path(root, name).unlink(missing_ok=True)
    (root / "frames" / f"{name}.npy").unlink(missing_ok=True)


def fit_frame(
    picture: UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"],
    size: tuple[int, int],
    fit: str,
) -> UInt8[np.ndarray, "th tw 3"]:
    """Return ``picture`` at ``size``, 8-bit: the largest central part of its aspect, or stretched.

    Pixels are taken as square.
    """
    rgb = to_depth(picture, np.dtype(np.uint8))
    height, width = rgb.shape[:2]
    stretch = (width / height) / (size[1] / size[0])
    if fit == "crop" and abs(np.log(stretch)) > np.log(1 + _SAME_ASPECT):
        top, left, height, width = centre_box((height, width), size)
        rgb = rgb[top : top + height, left : left + width]
    return resize(rgb[None], size)[0]


def _record_path(root: Path, name: str) -> Path:
    return root / "frames" / f"{name}.json"


def _identity(record: ClipRecord) -> tuple[str, int, tuple[int, ...], str]:
    """Return what frames depend on."""
    return record.fingerprint, record.first_frame, record.size, record.fit


def _make(job: Job, made_of: str, advance: Callable[[int], None]) -> ClipRecord:
    """Write the frames of a clip and return its record."""
    # Without its record the clip does not count as finished while its frames are replaced.
    _record_path(job.root, job.name).unlink(missing_ok=True)
    tally = _Tally()
    with open_source(job.path) as source, _FrameFile(job) as file:
        frames = _fitted(source.frames(job.first_frame), job, advance)
        shots = shot_starts(_written(frames, file, tally))
        if file.count == 0:
            raise MediaError(
                f"{job.path}: no frame is left after the first {job.first_frame}; "
                "lower --first-frame or first_frame in the CSV"
            )
        rate = source.rate
    return ClipRecord(
        name=job.name,
        source=job.path.name,
        path=str(job.path),
        fingerprint=made_of,
        first_frame=job.first_frame,
        size=job.size,
        fit=job.fit,
        frames=file.count,
        rate=None if rate is None else str(rate),
        shots=tuple(shots),
        dark_frames=tally.dark,
        repeated_frames=tally.repeated,
    )


def _fitted(
    frames: Iterable, job: Job, advance: Callable[[int], None]
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Bring frames to the size of the dataset, and report them."""
    advance(job.first_frame)
    for frame in frames:
        yield fit_frame(frame.rgb, job.size, job.fit)
        advance(1)


def _written(
    frames: Iterable[UInt8[np.ndarray, "h w 3"]], file: _FrameFile, tally: _Tally
) -> Iterator[UInt8[np.ndarray, "h w"]]:
    """Write frames as they pass, and yield their luma."""
    for frame in frames:
        file.append(frame)
        luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        tally.see(luma)
        yield luma


class _Tally:
    """Count nearly black frames and frames that repeat the one before."""

    def __init__(self) -> None:
        self.dark = self.repeated = 0
        self._last: UInt8[np.ndarray, "h w"] | None = None

    def see(self, luma: UInt8[np.ndarray, "h w"]) -> None:
        self.dark += int(luma.mean() < _DARK)
        if self._last is not None:
            self.repeated += int(cv2.absdiff(luma, self._last).mean() < _REPEATED)
        self._last = luma


class _FrameFile:
    """Write a ``.npy`` file whose number of frames is known only at its end.

    It takes its name when it is complete; on an error it is removed.
    """

    def __init__(self, job: Job) -> None:
        self.path = job.root / "frames" / f"{job.name}.npy"
        self.count = 0
        self._size = job.size
        self._part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")

    def __enter__(self) -> _FrameFile:
        self._file = self._part.open("wb")
        self._write_header()
        return self

    def append(self, frame: UInt8[np.ndarray, "h w 3"]) -> None:
        """Write the next frame."""
        assert frame.shape == (*self._size, 3)
        try:
            self._file.write(np.ascontiguousarray(frame).data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self.count += 1

    def _write_header(self) -> None:
        shape = (self.count, *self._size, 3)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        # NumPy pads the header so that the first axis can grow in place.
        np.lib.format.write_array_header_1_0(self._file, header)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._file.seek(0)
                self._write_header()
            self._file.close()
            if kind is None:
                self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)
