"""Frames that are picture files: a folder of them, or one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Literal

from PIL import Image, UnidentifiedImageError

from colorize.base.files import write_atomically
from colorize.media.error import MediaError, writing
from colorize.media.frame import Frame, Sink, Source
from colorize.media.pictures.coding import (
    IMAGE_SUFFIXES,
    encode_picture,
    read_picture,
    read_still,
    written_name,
)


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Return a sorting key under which ``a 2.png`` comes before ``a 10.png``.

    A hyphen behind another separator is a sign: ``a_-2.png`` comes before ``a_0.png``.
    """
    parts = re.split(r"((?:(?<=[_. ])-|^-)?[0-9]+)", path.name.casefold())
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
        self._check_names()
        self.notes = (*_notes(self._files[0]), *self._naming_notes())

    def _check_names(self) -> None:
        """Refuse two pictures that would be written under one name."""
        known: dict[str, Path] = {}
        for file in self._files:
            name = written_name(file.name)
            if name in known:
                raise MediaError(
                    f"{file} and {known[name].name} would both be written as {name}; move one of "
                    "them to another folder"
                )
            known[name] = file

    def _naming_notes(self) -> list[str]:
        """Say that pictures are written in another format than they are read."""
        if self.kind == "image":
            return []
        others = {file.suffix for file in self._files if written_name(file.name) != file.name}
        return [f"{self.path}: {' '.join(sorted(others))} is written as .png"] if others else []

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
            rgb, alpha, kept = read_still(file)
            name = written_name(file.name)
            yield Frame(index=index, name=name, rgb=rgb, alpha=alpha, kept=kept)


def _notes(path: Path) -> tuple[str, ...]:
    """Return what of a readable picture is not kept."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            profile = image.info.get("icc_profile") or b""
    except UnidentifiedImageError:  # read by other means, without a profile
        return ()
    # The name in a profile is ASCII in version 2 and UTF-16 in version 4 (ICC.1, 10.13 and 10.15).
    if not profile or b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile:
        return ()
    return (
        f"{path} has a colour profile other than sRGB, which is neither applied nor kept; convert "
        "it to sRGB first if its tones look off",
    )


class ImageSink(Sink):
    """A file that receives one frame, in the format that its suffix names."""

    def __init__(self, path: Path, *, quality: int) -> None:
        self._path, self._quality = path, quality

    def _target(self, frame: Frame) -> Path:
        """Return the file that a frame becomes."""
        return self._path

    def write(self, frame: Frame) -> None:
        """Write a frame, which is a finished file at once."""
        target = self._target(frame)
        content = encode_picture(target, frame.rgb, frame.alpha, self._quality, frame.kept)
        with writing(target):
            write_atomically(target, content)

    def finish(self) -> None:
        """Leave the files, which are whole."""

    def discard(self) -> None:
        """Leave the files written so far: each of them is whole."""


class FolderSink(ImageSink):
    """A folder that receives each frame under its own name.

    What the folder holds already stays, but for files of the same names.
    """

    def __init__(self, path: Path, *, quality: int) -> None:
        super().__init__(path, quality=quality)
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)

    def _target(self, frame: Frame) -> Path:
        return self._path / frame.name
