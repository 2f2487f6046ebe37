"""Frames that are picture files: a folder of them, or one."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Literal

from colorize.base.files import write_atomically
from colorize.media.error import MediaError, writing
from colorize.media.frame import Frame
from colorize.media.notes import picture_notes
from colorize.media.pictures.coding import IMAGE_SUFFIXES, encode_picture, read_picture
from colorize.media.sink import Sink
from colorize.media.source import Source


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Return a sorting key under which ``a 2.png`` comes before ``a 10.png``."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name


def picture_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder in natural order; no hidden files, nothing of subfolders."""
    return sorted(
        (
            path
            for path in folder.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES
            and not path.name.startswith(".")
            and path.is_file()
        ),
        key=natural_key,
    )


class PictureSource(Source):
    """A folder of pictures or a single one; every frame keeps its own size.

    Raises:
        MediaError: no pictures in the folder, or the first of them cannot be read.
    """

    rate = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kind: Literal["folder", "image"] = "folder" if path.is_dir() else "image"
        self._files = picture_files(path) if self.kind == "folder" else [path]
        if not self._files:
            kinds = " ".join(sorted(IMAGE_SUFFIXES))
            raise MediaError(f"{path} holds no pictures ({kinds}); name a folder of frames")
        self.count = len(self._files)
        height, width, _ = read_picture(self._files[0])[0].shape
        self.size = (height, width)
        self.notes = picture_notes(self._files[0])

    def frames(
        self, start: int = 0, stop: int | None = None, *, only: Container[int] | None = None
    ) -> Iterator[Frame]:
        """Yield the pictures ``start <= index < stop`` whose index is in ``only``.

        In natural order; the files of the others are not opened.
        """
        for index in range(len(self._files))[start:stop]:
            if only is not None and index not in only:
                continue
            file = self._files[index]
            rgb, alpha = read_picture(file)
            yield Frame(index=index, name=file.name, rgb=rgb, alpha=alpha)


class _PictureSink(Sink):
    """What the two sinks of pictures share: each frame is a finished file at once."""

    def __init__(self, path: Path, *, quality: int) -> None:
        self._path, self._quality = path, quality

    def _put(self, target: Path, frame: Frame) -> None:
        """Write a frame in the format that the suffix of ``target`` names."""
        content = encode_picture(target, frame.rgb, frame.alpha, self._quality)
        with writing(target):
            write_atomically(target, content)

    def finish(self) -> None:
        """Leave the files, which are whole."""

    def discard(self) -> None:
        """Leave the files written so far: each of them is whole."""


class FolderSink(_PictureSink):
    """A folder that receives each frame under its own name.

    What the folder holds already stays, but for files of the same names.
    """

    def __init__(self, path: Path, *, quality: int) -> None:
        super().__init__(path, quality=quality)
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)

    def write(self, frame: Frame) -> None:
        """Write one frame under its name."""
        self._put(self._path / frame.name, frame)


class ImageSink(_PictureSink):
    """A file that receives one frame."""

    def write(self, frame: Frame) -> None:
        """Write the frame."""
        self._put(self._path, frame)
