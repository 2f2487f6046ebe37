"""Find out what the references of a job are: frames of its source, or any other pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from colorize.base.errors import UserError
from colorize.base.progress import say
from colorize.films.plan.manifest import KEEP, Reference, Shot
from colorize.imaging.coloredness import is_colored
from colorize.inference.choice import Span, choose_references
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame, Source, fingerprint, open_source
from colorize.media.frame import Picture, opacity
from colorize.media.pictures.folder import picture_files

_THUMBNAIL = (48, 27)
_SAME_DRAWING = 0.8  # correlation of thumbnails


def read_references(paths: Sequence[Path]) -> list[Reference]:
    """Return the pictures of ``paths``, files or folders, as references of no frame yet.

    Raises:
        MediaError: A path cannot be read or holds no pictures.
        UserError: Two have the same name, or one is in black and white.
    """
    found: dict[str, Reference] = {}
    for path in paths:
        with open_source(path) as source:
            if source.kind == "video":
                raise UserError(
                    f"{path} is a film; references are pictures: save the frames that you mean"
                )
            files = picture_files(path) if source.kind == "folder" else [path]
        for file in files:
            if file.name in found:
                raise UserError(
                    f"two references are called {file.name}: {found[file.name].path} and {file}; "
                    "rename one"
                )
            if not is_colored(_opaque_part(read_picture(file))):
                raise UserError(f"{file} has no colours: a reference must be in colour")
            found[file.name] = Reference(file.name, str(file), fingerprint(file))
    return list(found.values())


def read_picture(path: str | Path) -> Frame:
    """Return a reference's picture.

    Raises:
        MediaError: It cannot be read.
    """
    with open_source(Path(path)) as source:
        return next(iter(source.frames()))


def find_frames(references: Sequence[Reference], source: Source, *, count: int) -> list[Reference]:
    """Return references with the frame that each shows, where it is one of the source's.

    The name tells which: that of a file of the source, or its last number (from 0). It counts only
    if the drawing is the same; where it is not, that is said.
    """
    named = _named_frames(references, source, count)
    thumbnails = {
        frame.index: _thumbnail(frame)
        for frame in source.frames(0, max(named.values(), default=-1) + 1, only=set(named.values()))
    }
    found = []
    for reference in references:
        index = named.get(reference.name)
        if index is None or index not in thumbnails:
            found.append(replace(reference, frame=None))
            continue
        picture = read_picture(reference.path)
        shown = _shown(picture)
        alike = _correlation(_thumbnail(picture)[shown], thumbnails[index][shown])
        if alike < _SAME_DRAWING:
            say(
                f"{reference.name} does not show frame {index}, after which it is named: it serves "
                "wherever it fits"
            )
        found.append(replace(reference, frame=index if alike >= _SAME_DRAWING else None))
    return found


def library_of(references: Sequence[Reference], colorizer: LoadedNetworks) -> Library:
    """Return the references of a job, to be looked at."""
    return Library(
        colorizer,
        [
            ColoredPicture(each.name, partial(read_picture, each.path), each.frame)
            for each in references
        ],
    )


def guided(shots: Sequence[Shot], source: Source, library: Library) -> list[Shot]:
    """Return shots with the references that colour each, unless somebody else chose."""
    spans = [None if shot.chosen == KEEP else Span(shot.start, shot.stop) for shot in shots]
    chosen = choose_references(
        spans, library, lambda wanted: source.frames(0, max(wanted) + 1, only=wanted)
    )
    return [replace(shot, auto_references=names) for shot, names in zip(shots, chosen, strict=True)]


def _named_frames(references: Sequence[Reference], source: Source, count: int) -> dict[str, int]:
    """Return the frames that references are named after."""
    stems: dict[str, int] = {}
    if source.kind == "folder":
        stems = {file.stem: index for index, file in enumerate(picture_files(source.path))}
    named = {}
    for reference in references:
        stem = Path(reference.name).stem
        number = re.search(r"(\d+)\D*$", stem)
        if stem in stems:
            named[reference.name] = stems[stem]
        elif number is not None and int(number[1]) < count:
            named[reference.name] = int(number[1])
    return named


def _opaque_part(picture: Frame) -> Picture:
    """Return the part of a picture that is not transparent: what lies under it is white."""
    mask = opacity(picture)
    if mask is None:
        return picture.rgb
    shown = mask > 0
    box = tuple(
        slice(found[0], found[-1] + 1) if len(found) else slice(1)
        for found in (np.flatnonzero(shown.any(axis=axis)) for axis in (1, 0))
    )
    white = np.iinfo(picture.rgb.dtype).max
    return np.where(shown[..., None], picture.rgb, white).astype(picture.rgb.dtype)[box]


def _shown(picture: Frame) -> Bool[np.ndarray, "h w"]:
    """Return which pixels of its thumbnail show something."""
    mask = opacity(picture)
    if mask is None:
        return np.ones(_THUMBNAIL[::-1], dtype=bool)
    return cv2.resize(mask, _THUMBNAIL, interpolation=cv2.INTER_AREA) > 0.99


def _thumbnail(frame: Frame) -> Float32[np.ndarray, "h w"]:
    return cv2.resize(frame.gray(), _THUMBNAIL, interpolation=cv2.INTER_AREA)


def _correlation(first: Float32[np.ndarray, " n"], second: Float32[np.ndarray, " n"]) -> float:
    """Return Pearson's correlation of pixels of two pictures; equal flat ones are alike."""
    if not len(first):
        return 0.0
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return (
        float((a * b).sum() / norm) if norm > 1e-6 else float(np.abs(first - second).max() < 0.05)
    )
