"""A folder of frames that were suggested to be coloured: which files in it are what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorize.base.errors import UserError
from colorize.media.pictures.folder import natural_key, picture_files
from colorize.media.pictures.openraster import SUFFIX

FORMAT = "tooncolor-suggestions-1"
LIST, SHEET, DRAFTS = "suggestions.json", "suggestions.png", "draft"


@dataclass(frozen=True)
class Suggested:
    """What lies in a folder of suggestions: the frame of each name, without suffix."""

    folder: Path
    frames: Mapping[str, int]
    content: Mapping[str, Any]


def read_suggested(folder: Path) -> Suggested | None:
    """Return what was suggested in a folder; None if it is another one.

    Raises:
        UserError: Its list is damaged.
    """
    path = folder / LIST
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(content["format"])
        frames = {str(each["name"]): int(each["frame"]) for each in content["suggestions"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is no list of suggestions (format {FORMAT}); delete it to take the pictures "
            "beside it as any others"
        ) from error
    return Suggested(folder, frames, content)


def painted_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder that may be painted, OpenRaster files too, in order.

    The sheet of a folder of suggestions is none of them.
    """
    layered = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() == SUFFIX and path.name[0] != "." and path.is_file()
    ]
    sheet = folder / SHEET if (folder / LIST).is_file() else None
    found = [path for path in picture_files(folder) if path != sheet]
    return sorted([*found, *layered], key=natural_key)
