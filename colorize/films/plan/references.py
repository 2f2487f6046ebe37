"""Find out what the references of a job are: frames of its source, or any other pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float32
from tqdm import tqdm

from colorize.films.error import JobError
from colorize.films.plan.manifest import KEEP, Reference, Shot
from colorize.imaging.coloredness import is_colored
from colorize.imaging.tensors import to_tensor
from colorize.inference.colorizer import Colorizer, working_size
from colorize.media import Frame, Source, fingerprint, open_source
from colorize.media.pictures.folder import picture_files
from colorize.networks.guided.references import ReferenceSet

MOST = 4  # references of one frame: what they cost grows with their number
# Below it a reference harms more than it helps; measured for the shipped weights by
# experiments/reference/measure_likeness.py (experiments/reference).
LEAST_LIKENESS = 0.85
_THUMBNAIL = (48, 27)
_SAME_DRAWING = 0.8  # correlation of thumbnails


def read_references(paths: Sequence[Path]) -> list[Reference]:
    """Return the pictures of ``paths``, files or folders, as references of no frame yet.

    Raises:
        MediaError: A path cannot be read or holds no pictures.
        JobError: Two have the same name, or one is in black and white.
    """
    found: dict[str, Reference] = {}
    for path in paths:
        with open_source(path) as source:
            if source.kind == "video":
                raise JobError(
                    f"{path} is a film; references are pictures: save the frames that you mean"
                )
            files = picture_files(path) if source.kind == "folder" else [path]
        for file in files:
            if file.name in found:
                raise JobError(
                    f"two references are called {file.name}: {found[file.name].path} and {file}; "
                    "rename one"
                )
            if not is_colored(read_picture(file).rgb):
                raise JobError(f"{file} has no colours: a reference must be in colour")
            found[file.name] = Reference(file.name, str(file), fingerprint(file))
    return list(found.values())


def read_picture(path: str | Path) -> Frame:
    """Return a reference's picture.

    Raises:
        MediaError: It cannot be read.
    """
    with open_source(Path(path)) as source:
        return next(iter(source.frames()))


def find_frames(
    references: Sequence[Reference], source: Source, *, count: int, say: Callable[[str], None]
) -> list[Reference]:
    """Return references with the frame that each shows, where it is one of the source's.

    The name tells which: that of a file of the source, or its last number (from 0). It counts only
    if the drawing is the same; ``say`` is told where it is not.
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
        alike = _correlation(_thumbnail(read_picture(reference.path)), thumbnails[index])
        if alike < _SAME_DRAWING:
            say(
                f"{reference.name} does not show frame {index}, after which it is named: it serves "
                "wherever it fits"
            )
        found.append(replace(reference, frame=index if alike >= _SAME_DRAWING else None))
    return found


def choose_references(
    shots: Sequence[Shot],
    references: Sequence[Reference],
    source: Source,
    colorizer: Colorizer,
    *,
    short_side: int,
) -> list[Shot]:
    """Return shots with the references that colour each, unless somebody else chose.

    These are its own frames, and those of the shots beside it that show enough of its first or last
    frame, as where one dissolves into the other. A shot without own frames takes up to
    :data:`MOST` of all that show enough of its middle.
    """
    own = [
        tuple(
            each.name
            for each in references
            if each.frame is not None and shot.start <= each.frame < shot.stop
        )
        for shot in shots
    ]
    looks: dict[int, _Look] = {}
    for number, shot in enumerate(shots):
        if shot.chosen == KEEP:
            continue
        if not own[number]:
            looks[(shot.start + shot.stop) // 2] = _Look(number, {each.name for each in references})
            continue
        for frame, beside in ((shot.start, number - 1), (shot.stop - 1, number + 1)):
            if 0 <= beside < len(shots) and own[beside]:
                looks.setdefault(frame, _Look(number, set())).candidates.update(own[beside])
    chosen = list(own)
    for number, names in _likest(looks, references, source, colorizer, short_side):
        chosen[number] += tuple(name for name in names if name not in chosen[number])
    return [replace(shot, auto_references=names) for shot, names in zip(shots, chosen, strict=True)]


class _Look(NamedTuple):
    """A look at a frame of a shot: which references might show the same."""

    shot: int
    candidates: set[str]


def _likest(
    looks: Mapping[int, _Look],
    references: Sequence[Reference],
    source: Source,
    colorizer: Colorizer,
    short_side: int,
) -> Iterator[tuple[int, list[str]]]:
    """Yield shots with the references that show enough of a frame, the likest first."""
    if not any(look.candidates for look in looks.values()):
        return
    sets: dict[tuple[int, int], ReferenceSet] = {}
    frames = source.frames(0, max(looks) + 1, only=set(looks))
    bar = tqdm(frames, total=len(looks), desc="choosing references", unit="frame", leave=False)
    for frame in iter(bar):
        size = working_size(frame.rgb.shape[:2], short_side)
        if size not in sets:
            sets[size] = prepare(colorizer, references, size)
        look = looks[frame.index]
        rows = [row for row, each in enumerate(references) if each.name in look.candidates]
        gray = colorizer.small(torch.from_numpy(frame.gray())[None, None])
        scores = colorizer.likeness(gray, sets[size].picked(rows)).tolist()
        ranked = sorted(zip(scores, rows, strict=True), key=lambda pair: -pair[0])
        yield (
            look.shot,
            [references[row].name for score, row in ranked[:MOST] if score >= LEAST_LIKENESS],
        )


def prepare(
    colorizer: Colorizer, references: Sequence[Reference], size: tuple[int, int]
) -> ReferenceSet:
    """Read references and look at them for frames of a working size."""
    return colorizer.look_at(
        [to_tensor(read_picture(each.path).rgb[None]) for each in references], size=size
    )


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


def _thumbnail(frame: Frame) -> Float32[np.ndarray, "h w"]:
    return cv2.resize(frame.gray(), _THUMBNAIL, interpolation=cv2.INTER_AREA)


def _correlation(first: Float32[np.ndarray, "h w"], second: Float32[np.ndarray, "h w"]) -> float:
    """Return Pearson's correlation of two pictures; equal flat ones are alike."""
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return (
        float((a * b).sum() / norm) if norm > 1e-6 else float(np.abs(first - second).max() < 0.05)
    )
