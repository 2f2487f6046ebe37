"""Turn one video or frame folder into a clip of a dataset, frame by frame."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from jaxtyping import UInt8

from colorize.base.files import appearing
from colorize.base.progress import say
from colorize.data.augment import fit_frame
from colorize.data.manifest import ClipRecord, record_from, write_json
from colorize.media import Frame, MediaError, fingerprint, open_source
from colorize.media.numbering import jumps, usual_step
from colorize.media.pictures.folder import picture_files
from colorize.shots import shot_starts

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


def convert_all(
    jobs: Sequence[Job], *, workers: int, advance: Callable[[int], None]
) -> Generator[tuple[Job, tuple[ClipRecord, bool] | MediaError], None, None]:
    """Yield every job with its result, or with the error of its source, as they finish.

    Threads do it, ``workers`` at a time: decoding and resizing, which take nearly all the time,
    let others run. ``advance`` is called in them, with numbers of source frames done.

    Raises:
        OSError: The dataset cannot be written.
    """
    stopped = threading.Event()

    def count(frames: int) -> None:
        if stopped.is_set():
            raise InterruptedError
        advance(frames)

    def attempt(job: Job) -> tuple[ClipRecord, bool] | MediaError:
        try:
            return convert(job, count)
        except MediaError as error:
            return error

    with ThreadPoolExecutor(workers) as threads:
        try:
            pending = {threads.submit(attempt, job): job for job in jobs}
            for done in as_completed(pending):
                yield pending[done], done.result()
        finally:
            stopped.set()
            threads.shutdown(cancel_futures=True)


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
    gaps = _jumps(job)
    record = replace(
        record,
        source=job.path.name,
        path=str(job.path),
        shots=tuple(sorted({*record.shots, *gaps})),
        jumps=gaps,
    )
    write_json(asdict(record), _record_path(job.root, job.name))
    return record, fresh


def read_record(root: Path, name: str) -> ClipRecord | None:
    """Return what a finished clip wrote beside its frames, or None if it is not there, whole."""
    path = _record_path(root, name)
    if not path.is_file() or not _frames_path(root, name).is_file():
        return None
    try:
        return record_from(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return None


def remove_clip(root: Path, name: str) -> None:
    """Delete a clip's record and frames."""
    _record_path(root, name).unlink(missing_ok=True)
    _frames_path(root, name).unlink(missing_ok=True)


def _jumps(job: Job) -> tuple[int, ...]:
    """Return the frames of a clip before which the numbers in a folder's file names jump."""
    if not job.path.is_dir():
        return ()
    names = [file.name for file in picture_files(job.path)]
    step = usual_step(names)
    if step > 1:
        say(f"{job.name}: frames are numbered by {step}; those that follow so count as neighbours")
    return jumps(names[job.first_frame :])


def _record_path(root: Path, name: str) -> Path:
    return root / "frames" / f"{name}.json"


def _frames_path(root: Path, name: str) -> Path:
    return root / "frames" / f"{name}.npy"


def _identity(record: ClipRecord) -> tuple[str, int, tuple[int, ...], str]:
    """Return what frames depend on."""
    return record.fingerprint, record.first_frame, record.size, record.fit


def _make(job: Job, made_of: str, advance: Callable[[int], None]) -> ClipRecord:
    """Write the frames of a clip and return its record."""
    # Without its record the clip does not count as finished while its frames are replaced.
    _record_path(job.root, job.name).unlink(missing_ok=True)
    tally = _Tally()
    with open_source(job.path) as source, appearing(_frames_path(job.root, job.name)) as file:
        _write_header(file, 0, job.size)
        advance(job.first_frame)
        lumas = _written(source.frames(job.first_frame), job, file, advance)
        shots = shot_starts(tally.seen(lumas))
        if tally.frames == 0:
            raise MediaError(
                f"{job.path}: no frame is left after the first {job.first_frame}; "
                "lower --first-frame or first_frame in the CSV"
            )
        file.seek(0)
        _write_header(file, tally.frames, job.size)
        rate = source.rate
    return ClipRecord(
        name=job.name,
        source=job.path.name,
        path=str(job.path),
        fingerprint=made_of,
        first_frame=job.first_frame,
        size=job.size,
        fit=job.fit,
        frames=tally.frames,
        rate=None if rate is None else str(rate),
        shots=tuple(shots),
        dark_frames=tally.dark,
        repeated_frames=tally.repeated,
    )


def _written(
    frames: Iterable[Frame], job: Job, file: BinaryIO, advance: Callable[[int], None]
) -> Iterator[UInt8[np.ndarray, "h w"]]:
    """Bring frames to the size of the dataset, write them as they pass, and yield their luma."""
    for frame in frames:
        fitted = fit_frame(frame.rgb, job.size, job.fit)
        file.write(np.ascontiguousarray(fitted).data)
        yield cv2.cvtColor(fitted, cv2.COLOR_RGB2GRAY)
        advance(1)


def _write_header(file: BinaryIO, frames: int, size: tuple[int, int]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (frames, *size, 3)}
    # NumPy pads the header so that the first axis can grow in place.
    np.lib.format.write_array_header_1_0(file, header)


class _Tally:
    """Count frames, nearly black ones and those that repeat the one before."""

    def __init__(self) -> None:
        self.frames = self.dark = self.repeated = 0

    def seen(self, lumas: Iterable[UInt8[np.ndarray, "h w"]]) -> Iterator[UInt8[np.ndarray, "h w"]]:
        """Yield the luma of frames, counting them."""
        last: UInt8[np.ndarray, "h w"] | None = None
        for luma in lumas:
            self.frames += 1
            self.dark += int(luma.mean() < _DARK)
            if last is not None:
                self.repeated += int(cv2.absdiff(luma, last).mean() < _REPEATED)
            last = luma
            yield luma
