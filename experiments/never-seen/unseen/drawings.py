"""Drawings that no training has seen, shot by shot, of three kinds."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from colorize.base.errors import UserError
from colorize.cartoon import CartoonSeries
from colorize.data import PreparedClips
from colorize.imaging.coloredness import is_colored
from colorize.imaging.geometry import working_size
from colorize.media import open_source
from colorize.media.pictures.folder import picture_files

KINDS = ("storybook", "clips", "procedural")
TITLES = {
    "storybook": "Storybook, other illustrators",
    "clips": "Penny & Chip, other clips",
    "procedural": "procedural, other looks",
}
CLIP_SIZE = (108, 192)
PAGE_SIDE = 224  # pixels of the short side of a page
LOOKS = ("pastel", "poster")
SEEDS = (9301, 9302)  # of procedural series; training draws from 1000 and from 2000 on
SHOTS, FRAMES = 6, 12  # of each of them


@dataclass(frozen=True)
class Shot:
    """Consecutive frames of one shot of a series, and the places of those that are measured.

    ``names`` are those of the frames; ``credit`` says who drew it, "" where nobody asks for it.
    """

    series: str
    names: list[str]
    frames: UInt8[np.ndarray, "t h w 3"]
    measured: list[int]
    credit: str = ""


def storybook(root: Path, *, every: int) -> Iterator[Shot]:
    """Yield the pages in colour of the stories of the test split, each a shot of its own.

    Nobody who drew one of them drew a story of the training split. ``every`` takes only every so
    many pages of a story.

    Raises: UserError when ``root`` is not Storybook.
    """
    for story in stories(root, "test"):
        for file in pages(root, story)[::every]:
            page = read_page(file)
            if is_colored(page):
                title, credit = story["title"], f"{story['credit']}, {story['licence']}"
                yield Shot(title, [file.stem], page[None], [0], credit)


def stories(root: Path, split: str) -> list[dict[str, str]]:
    """Return the rows of Storybook's table of one split."""
    table = root / "stories.csv"
    if not table.is_file():
        raise UserError(f"--storybook {root}: there is no stories.csv; give Storybook's folder")
    with table.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def pages(root: Path, story: dict[str, str]) -> list[Path]:
    """Return the files of the pages of a story, in order."""
    return picture_files(root / story["story"])


def read_page(file: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Return a page, its short side brought to :data:`PAGE_SIDE`."""
    with open_source(file) as source:
        picture = next(iter(source.frames())).rgb
    height, width = working_size(picture.shape[:2], PAGE_SIDE)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def clips(root: Path, *, every: int) -> Iterator[Shot]:
    """Yield the shots of the test clips of a prepared dataset; every so many frames are measured.

    Raises: DatasetError when ``root`` is no prepared dataset.
    """
    for clip in PreparedClips(root=str(root)).split("test").clips:
        for start, stop in clip.spans:
            numbers = range(start, stop)
            measured = [n - start for n in numbers if n % every == 0]
            if measured:
                names = [f"{number:06d}" for number in numbers]
                yield Shot(clip.name, names, np.array(clip.frames[start:stop]), measured)


def procedural(*, every: int) -> Iterator[Shot]:
    """Yield the shots of procedural series in looks that no training draws."""
    for look, seed in itertools.product(LOOKS, SEEDS):
        series = CartoonSeries(
            seed=seed, size=CLIP_SIZE, shots=SHOTS, frames_per_shot=FRAMES, look=look,
            characters=4, scenes=6, effects=False,
        )  # fmt: skip
        for index in range(SHOTS):
            names = [f"{index}-{number:03d}" for number in range(FRAMES)]
            measured = list(range(0, FRAMES, every))
            yield Shot(f"{look}, seed {seed}", names, series.color(index), measured)
