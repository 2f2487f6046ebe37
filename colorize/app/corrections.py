"""Frames that somebody takes away, corrects and brings back: their names, and what is examined.

A picture that is dropped is a reference of its job. At once it is told which frame it shows, and
what of it is as gray as that frame: this is asked about, and until the answer it shows nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool

from colorize.app.jobs import Job
from colorize.app.roots import Roots
from colorize.base.files import write_atomically
from colorize.base.progress import Event, Remark, listening
from colorize.films.plan.drawings import left_gray
from colorize.films.plan.manifest import Reference
from colorize.films.plan.references import find_frames, read_picture
from colorize.media import Frame, open_source
from colorize.media.frame import opacity
from colorize.media.pictures.coding import encode_picture

_ASKED = 0.02  # of what a picture shows, from which on gray parts are asked about
_THIN = 60  # a line is thinner than a 60th of the short side: black lines are no gray parts


@dataclass(frozen=True)
class Examined:
    """A reference as it was taken: its name, the frame that it shows, and remarks on that.

    ``gray`` is the share of it, 0 to 1, that is as gray as the frame and shows nothing by now.
    """

    name: str
    frame: int | None
    said: tuple[str, ...] = ()
    gray: float = 0.0


def examine(job: Job, name: str, roots: Roots) -> Examined:
    """Look at a picture that has come into the references of a job.

    Parts left gray become transparent; the picture as it came stays beside it for
    :func:`keep_gray`. It is a PNG then, whatever it was.

    Raises:
        PageError, MediaError: The job has no input, or that cannot be read.
    """
    path = job.references / name
    with open_source(job.input(roots)) as source:
        count = source.count or sum(1 for _ in source)
        given = [Reference(name, str(path), "")]
        said: list[str] = []
        own = threading.get_ident()

        def hear(event: Event) -> None:
            # Others are at work too, and heard.
            if isinstance(event, Remark) and threading.get_ident() == own:
                said.append(event.text)

        with listening(hear):
            (found,) = find_frames(given, source, count=count, spans=_spans(job, roots))
        if found.frame is None:
            return Examined(name, None, tuple(said))
        drawn = next(iter(source.frames(found.frame, found.frame + 1)))
    picture = read_picture(path)
    gray = gray_parts(picture, drawn)
    mask = opacity(picture)
    shown = np.ones(gray.shape, dtype=bool) if mask is None else mask > 0
    share = float(gray.sum() / max(1, shown.sum()))
    if share < _ASKED:
        return Examined(name, found.frame, tuple(said))
    said = [line for line in said if not line.startswith(f"{name} is as gray as")]
    name = _hide(job.references, path, picture, gray)
    return Examined(name, found.frame, tuple(said), share)


def keep_gray(references: Path, name: str) -> bool:
    """Take a reference as it came, its gray parts too; return whether there was anything to do."""
    whole = _whole(references, name)
    if not whole.is_file():
        return False
    whole.replace(references / name)
    return True


def forget_whole(references: Path, name: str) -> None:
    """Remove what is kept beside a reference."""
    _whole(references, name).unlink(missing_ok=True)


def gray_parts(picture: Frame, drawn: Frame) -> Bool[np.ndarray, "h w"]:
    """Return where a picture is as gray as the frame that it shows, thin lines left out."""
    height, width, _ = picture.rgb.shape
    luma = cv2.resize(drawn.gray(), (width, height), interpolation=cv2.INTER_AREA)
    rgb = picture.rgb.astype(np.float32) / np.iinfo(picture.rgb.dtype).max
    mask = opacity(picture)
    gray = left_gray(rgb, luma) & (True if mask is None else mask > 0)
    side = max(3, min(height, width) // _THIN)
    opened = cv2.morphologyEx(gray.astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side)))
    return opened > 0


def _hide(folder: Path, path: Path, picture: Frame, gray: Bool[np.ndarray, "h w"]) -> str:
    """Let parts of a reference show nothing; return its name, which is that of a PNG."""
    largest = np.iinfo(picture.rgb.dtype).max
    alpha = np.full(gray.shape, largest, picture.rgb.dtype)
    if picture.alpha is not None:
        alpha = picture.alpha
    hidden = np.where(gray, 0, alpha).astype(picture.rgb.dtype)
    target = path.with_suffix(".png")
    whole = encode_picture(target, picture.rgb, picture.alpha, 100)
    write_atomically(_whole(folder, target.name), whole)
    write_atomically(target, encode_picture(target, picture.rgb, hidden, 100))
    if target != path:
        path.unlink()
    return target.name


def _whole(folder: Path, name: str) -> Path:
    """Return where a reference is kept as it came: a hidden file is no reference."""
    return folder / f".{name}.whole"


def _spans(job: Job, roots: Roots) -> list[tuple[int, int]]:
    """Return the shots of a job, none before they are found."""
    try:
        return [(shot.start, shot.stop) for shot in job.manifest(roots).shots]
    except (ValueError, OSError):
        return []
