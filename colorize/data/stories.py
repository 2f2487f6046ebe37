"""Pictures of illustrated stories: each picture is a clip, each story a series."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from colorize.base.errors import require, require_choice
from colorize.base.progress import tracked
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.manifest import DatasetError, Split
from colorize.media import open_source
from colorize.media.pictures.folder import picture_files

_LIST = "stories.csv"
_COLUMNS = ("story", "credit", "split")


class Stories:
    """A folder of stories, one folder of pictures each, with the list ``stories.csv``.

    The list says of each ``story`` (the name of its folder) whose it is (``credit``) and its
    ``split``: train, val or test. Pictures are scaled to a short side of ``short_side`` pixels; one
    page of a story can serve another as reference.

    Raises:
        ValueError: ``short_side`` is below 16.
    """

    def __init__(self, *, root: str, short_side: int = 144) -> None:
        require("data.stories.short_side", short_side >= 16, short_side, "16 or more")
        self.root, self.short_side = Path(root), short_side
        self.label = f"stories of {self.root.name}"

    def split(self, name: str) -> ClipDataset:
        """Read the pictures of ``train``, ``val`` or ``test``.

        Raises:
            DatasetError: There is no list, it lacks a column, or the split is empty.
            MediaError: A picture cannot be read.
        """
        require_choice("split", name, Split)
        found = [row for row in self.rows() if row["split"] == name]
        if not found:
            raise DatasetError(f"{self.root / _LIST}: no story is in the split {name!r}")
        clips = []
        for row in tracked(found, f"reading {name} stories", unit="story"):
            clips += [self._clip(file, row) for file in picture_files(self.root / row["story"])]
        return ClipDataset(clips=clips)

    def rows(self) -> Sequence[dict[str, str]]:
        """Return the list: a row of each story.

        Raises:
            DatasetError: There is none, or it lacks a column.
        """
        path = self.root / _LIST
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
        lacking = [column for column in _COLUMNS if not rows or column not in rows[0]]
        if lacking:
            raise DatasetError(f"{path}: lacks the column {lacking[0]}, or holds no story")
        return rows

    def _clip(self, file: Path, row: dict[str, str]) -> Clip:
        with open_source(file) as source:
            rgb = next(iter(source.frames())).rgb
        scale = self.short_side / min(rgb.shape[:2])
        size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = cv2.resize(rgb, size, interpolation=how)
        return Clip(
            name=f"{row['story']}/{file.stem}",
            frames=np.ascontiguousarray(scaled[None]),
            series=row["story"],
            origin=row["credit"],
        )
