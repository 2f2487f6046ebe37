"""Hints given by name: dots, strokes and fills that lie on the frames they are called after.

Few dots cannot prove which drawing they belong to, so that here the name decides, and one that
leads to no frame is refused. Only their colours count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

from colorize.base.errors import UserError
from colorize.films.plan.manifest import Reference
from colorize.films.plan.references import (
    copied_frame,
    frame_name,
    has_colors,
    numbers_in,
    read_pictures,
    stems_of,
)
from colorize.media import Frame, Source
from colorize.media.frame import opacity


def read_hints(paths: Sequence[Path], source: Source) -> list[Reference]:
    """Return the pictures of ``paths``, files or folders, as hints of the frames they name.

    Raises:
        MediaError: A path cannot be read or holds no pictures.
        UserError: Two have the same name, one leads to no frame, or nothing is painted in it.
    """
    stems = {source.path.stem: 0} if source.kind == "image" else stems_of(source)
    found = []
    for each in read_pictures(paths, is_painted=_is_painted):
        stem = Path(each.name).stem
        frame = copied_frame(stem, stems)
        if frame is None:
            most = inf if source.count is None else source.count
            frame = next((number for number in numbers_in(stem) if number < most), None)
        if frame is None:
            raise UserError(_of_no_frame(each, source))
        found.append(replace(each, frame=frame, hint=True))
    return found


def check_hints(
    hints: Sequence[Reference], count: int, *, beside: Sequence[Reference]
) -> list[Reference]:
    """Return hints that all lie on one of ``count`` frames, and are called otherwise than others.

    Raises:
        UserError: One does not.
    """
    others = {each.name: each.path for each in beside}
    for each in hints:
        if each.frame is None or each.frame >= count:
            raise UserError(
                f"{each.path} is called after frame {each.frame}, but the frames are 0 to "
                f"{count - 1}; rename it"
            )
        if each.name in others:
            raise UserError(
                f"two references are called {each.name}: {others[each.name]} and {each.path}; "
                "rename one, or give it once"
            )
    return list(hints)


def _is_painted(picture: Frame) -> bool:
    """Return whether a picture shows colours; black, white and gray are some in parts of one."""
    mask = opacity(picture)
    return has_colors(picture) if mask is None else bool((mask > 0).any())


def _of_no_frame(hint: Reference, source: Source) -> str:
    if source.kind == "image":
        example = source.path.with_suffix(".png").name
    else:
        example = f"{frame_name(source, 0)}.png"
    return (
        f"{hint.path}: its name says no frame of {source.path}; call it after one, as {example} is "
        "after the first"
    )
