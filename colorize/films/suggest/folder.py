"""Write suggested frames where somebody paints them, and go on from what was painted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from colorize.base.errors import UserError
from colorize.base.files import write_atomically
from colorize.base.progress import tracked
from colorize.films.plan.analysis import look_through
from colorize.films.plan.manifest import KEEP, Shot
from colorize.films.plan.references import (
    find_frames,
    frame_name,
    guided,
    has_colors,
    library_of,
    read_picture,
    read_references,
)
from colorize.films.plan.suggested import (
    DRAFTS,
    FORMAT,
    LIST,
    SHEET,
    painted_files,
    read_suggested,
)
from colorize.films.suggest.suggesting import Suggestion, suggest
from colorize.imaging.contact_sheet import contact_sheet
from colorize.imaging.geometry import working_size
from colorize.inference.engine import ShotEngine, preview_window
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, Picture, Source
from colorize.media.error import writing
from colorize.media.frame import to_depth
from colorize.media.pictures.coding import encode_picture
from colorize.media.pictures.openraster import SUFFIX, draw_frame

_THUMBNAIL = 360  # pixels of the short side of a picture of the sheet, more than is shown
_TOLD = 4  # shots that one frame is said to serve, at most


@dataclass(frozen=True)
class Round:
    """Suggestions of one call with what they go by: the shots, and the names of their files."""

    shots: Sequence[Shot]
    suggestions: Sequence[Suggestion]
    names: Sequence[str]

    def told(self, suggestion: Suggestion) -> str:
        """Return the shots that a frame serves and how far, numbered from 1, in words."""
        numbers = {shot.start: number for number, shot in enumerate(self.shots, 1)}
        words = [f"{numbers[each.start]} ({each.share:.0%})" for each in suggestion.serves[:_TOLD]]
        more = " …" if len(suggestion.serves) > _TOLD else ""
        return ", ".join(words) + more


def suggest_into(
    folder: Path,
    source: Source,
    colorizer: LoadedNetworks,
    *,
    count: int,
    further: bool = False,
    references: Sequence[Path] = (),
    settings: RenderSettings = RenderSettings(),
) -> Round:
    """Suggest ``count`` frames and write them into a folder: gray, as OpenRaster, with drafts.

    With ``further`` the folder holds earlier suggestions: what is painted of them serves already,
    as do ``references``, and the others are waited for. Files that are there stay as they are.

    Raises:
        UserError: The folder holds suggestions and ``further`` is not said, or the other way round.
        MediaError: A frame cannot be read, or a file not written.
    """
    earlier = read_suggested(folder)
    _check(folder, source, earlier is not None, further)
    shots = _shots(source, settings)
    spans = [(shot.start, shot.stop) for shot in shots]
    waiting = dict(earlier.frames) if earlier else {}
    painted = [file for file in painted_files(folder) if _has_paint(file)] if earlier else []
    given = read_references([*references, *painted])
    found = find_frames(given, source, count=shots[-1].stop, spans=spans)
    known = {each.frame for each in found if each.frame is not None} | set(waiting.values())
    suggestions = suggest(
        source,
        [(shot.start, shot.stop) for shot in shots if shot.chosen != KEEP],
        colorizer,
        count=count,
        given=sorted(known),
    )
    library = library_of(found, source, colorizer) if found else None
    shown = guided(shots, source, library) if library else shots
    names = [frame_name(source, each.frame) for each in suggestions]
    done = Round(shown, suggestions, names)
    drafts = _write_frames(folder, source, done, ShotEngine(colorizer, settings, library=library))
    _write_sheet(folder, source, done, drafts)
    _write_list(folder, source, done, earlier.content if earlier else None)
    return done


def _check(folder: Path, source: Source, is_there: bool, further: bool) -> None:
    if source.kind == "image":
        raise UserError(f"{source.path} is one picture: frames are suggested of a film or a folder")
    place, film = folder.resolve(), source.path.resolve()
    if source.kind == "folder" and film in (place, *place.parents):
        raise UserError(f"{folder} is the input {source.path} or lies inside it; name another")
    if is_there and not further:
        raise UserError(
            f"{folder} holds suggestions already; ask for further ones with --more N, or name "
            "another folder"
        )
    if further and not is_there:
        raise UserError(f"{folder} holds no suggestions yet; begin with -n N")


def _has_paint(file: Path) -> bool:
    return has_colors(read_picture(file))


def _shots(source: Source, settings: RenderSettings) -> list[Shot]:
    """Return the shots of a source; those in colour are kept, and nothing is suggested of them.

    Raises:
        UserError: All of them are.
    """
    seen = look_through(source)
    if seen.count == 0:
        raise UserError(f"{source.path} has no frames; check that it plays")
    shots = [
        Shot(
            start,
            stop,
            auto=KEEP if seen.is_colored(start, stop) and not settings.recolor else 0,
        )
        for start, stop in seen.spans()
    ]
    if all(shot.chosen == KEEP for shot in shots):
        raise UserError(f"{source.path} is in colour already; --recolor takes its luma")
    return shots


def _write_frames(
    folder: Path, source: Source, done: Round, engine: ShotEngine
) -> dict[int, tuple[Picture, Picture]]:
    """Write each frame in gray, its draft, and both as layers; return them small, by frame."""
    names = {each.frame: name for each, name in zip(done.suggestions, done.names, strict=True)}
    wanted = []
    for shot in done.shots:
        own = [frame for frame in sorted(names) if shot.start <= frame < shot.stop]
        wanted += [(frame, shot, preview_window(shot.start, shot.stop, frame)) for frame in own]
    thumbnails = {}
    for frame, shot, window in tracked(wanted, "drafting", unit="frame"):
        around = list(islice(source.frames(window.start, window.stop), len(window)))
        draft = engine.preview(around, frame, names=shot.guided_by)[0]
        drawing = around[window.index(frame)]
        thumbnails[frame] = _write_frame(folder, names[frame], drawing, draft)
    return thumbnails


def _write_frame(folder: Path, name: str, drawing: Frame, draft: Frame) -> tuple[Picture, Picture]:
    """Write the files of a frame that are not there; return its gray and its draft, small."""
    gray = _gray(drawing)
    colors = to_depth(draft.rgb, gray.dtype)
    for path, content in (
        (folder / DRAFTS / f"{name}.png", lambda path: encode_picture(path, colors, None, 100)),
        (folder / f"{name}.png", lambda path: encode_picture(path, gray, None, 100)),
        (folder / f"{name}{SUFFIX}", lambda _: draw_frame(drawing, draft=colors)),
    ):
        if not path.exists():  # it may be painted
            with writing(path):
                write_atomically(path, content(path))
    return _small(gray), _small(colors)


def _gray(frame: Frame) -> Picture:
    largest = int(np.iinfo(frame.rgb.dtype).max)
    plane = np.rint(frame.gray() * largest).astype(frame.rgb.dtype)
    return np.repeat(plane[..., None], 3, axis=2)


def _small(picture: Picture) -> Picture:
    height, width = working_size(picture.shape[:2], _THUMBNAIL)
    flat = to_depth(picture, np.dtype(np.uint8))
    return cv2.resize(flat, (width, height), interpolation=cv2.INTER_AREA)


def _write_sheet(
    folder: Path, source: Source, done: Round, drafts: Mapping[int, tuple[Picture, Picture]]
) -> None:
    """Draw the suggestions of this round: in gray, with what each serves, and the draft."""
    if not done.suggestions:
        return
    page = contact_sheet(
        [list(drafts[each.frame]) for each in done.suggestions],
        row_titles=[
            f"{number}: frame {each.frame}" for number, each in enumerate(done.suggestions, 1)
        ],
        captions=[
            [
                f"serves shot {done.told(each)}" if each.serves else "",
                f"covered: {each.covered:.0%}",
            ]
            for each in done.suggestions
        ],
        column_titles=["to colour", "draft"],
        title=f"{source.path.name}: which frames to colour",
    )
    path = folder / SHEET
    with writing(path):
        write_atomically(path, encode_picture(path, page, None, 100))


def _write_list(
    folder: Path, source: Source, done: Round, earlier: Mapping[str, Any] | None
) -> None:
    """Write what was suggested, after what was before."""
    rounds = (
        1 if earlier is None else 1 + max(each.get("round", 1) for each in earlier["suggestions"])
    )
    numbers = {shot.start: number for number, shot in enumerate(done.shots, 1)}
    new = [
        {
            "name": name,
            "frame": each.frame,
            "round": rounds,
            "serves": [
                {"shot": numbers[shot.start], "start": shot.start, "stop": shot.stop}
                | {"share": round(shot.share, 4)}
                for shot in each.serves
            ],
            "gain": round(each.gain, 4),
            "covered": round(each.covered, 4),
        }
        for each, name in zip(done.suggestions, done.names, strict=True)
    ]
    before = [] if earlier is None else list(earlier["suggestions"])
    head = {"format": FORMAT, "source": str(source.path), "frames": done.shots[-1].stop}
    lines = ",\n".join(f"  {json.dumps(each, ensure_ascii=False)}" for each in [*before, *new])
    start = json.dumps(head, ensure_ascii=False)[1:-1]
    text = f'{{\n {start},\n "suggestions": [\n{lines}\n ]\n}}\n'
    path = folder / LIST
    with writing(path):
        write_atomically(path, text.encode("utf-8", "surrogateescape"))
