"""Find picture files in folders and archives, with the part and class that their path names."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from classify.preprocessing import PICTURE_SUFFIXES
from colorize.base.errors import UserError

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
LIST_NAME = "train.txt"
_PARTS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


class DataError(UserError):
    """Data that cannot be used; one line that names it and the remedy."""


@dataclass(frozen=True)
class Entry:
    """A picture file: its path inside the folder or archive, its part, class, and content."""

    name: str
    part: str
    category: str
    read: Callable[[], bytes]


def is_archive(path: Path) -> bool:
    """Return whether a file's name is that of an archive that can be read in place."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def folder_entries(root: Path) -> list[Entry]:
    """Return the picture files of ``[train|test|val/]CLASS/.../FILE`` in a folder, sorted.

    Raises:
        DataError: It holds no picture in a class folder.
    """
    files = {
        path.relative_to(root).as_posix(): path
        for path in sorted(root.rglob("*"))
        if _wanted(path.relative_to(root))
    }
    return [
        Entry(name, part, category, files[name].read_bytes)
        for name, (part, category) in _places(root, files).items()
    ]


def subset_entries(root: Path) -> list[Entry]:
    """Return the picture files of ``SUBSET/CLASS/PICTURE`` in a folder, sorted.

    Raises:
        DataError: There are none.
    """
    files = [path for path in sorted(root.glob("*/*/*")) if _wanted(path.relative_to(root))]
    if not files:
        raise DataError(f"{root}: no pictures in subsets; expected SUBSET/CLASS/PICTURE")
    return [
        Entry(file.relative_to(root).as_posix(), "", file.parent.name, file.read_bytes)
        for file in files
    ]


def listed_entries(path: Path) -> list[Entry]:
    """Return the picture files that a list names: a path, a tab and a class on every line.

    Paths are relative to the list's folder.

    Raises:
        DataError: A line is none, or names a file that is missing.
    """
    entries = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        name, tab, category = line.partition("\t")
        if not tab or not category:
            raise DataError(f"{path}, line {number}: expected PATH, a tab and CLASS, got {line!r}")
        if not (path.parent / name).is_file():
            raise DataError(
                f"{path}, line {number}: {name} is missing; merge the subsets once more"
            )
        entries.append(Entry(name, "", category, (path.parent / name).read_bytes))
    return entries


def archive_entries(path: Path) -> Iterator[Entry]:
    """Yield the picture files of an archive with the same layout; contents are read in order.

    ``read`` of an entry must be called before the next entry is asked for.

    Raises:
        DataError: The archive is damaged, or holds no picture in a class folder.
    """
    reader = _zip_entries if path.suffix.lower() == ".zip" else _tar_entries
    with _named(path):
        yield from reader(path)


def archive_count(path: Path) -> int:
    """Return how many picture files an archive holds."""
    with _named(path):
        return len(_names(path))


def _names(path: Path) -> list[str]:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [item.filename for item in archive.infolist() if not item.is_dir()]
    else:
        with tarfile.open(path) as archive:
            names = [item.name for item in archive if item.isfile()]
    return [name for name in names if _wanted(PurePosixPath(name))]


def _zip_entries(path: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        for name, (part, category) in _places(path, _names(path)).items():
            yield Entry(name, part, category, partial(archive.read, name))


def _tar_entries(path: Path) -> Iterator[Entry]:
    places = _places(path, _names(path))
    with tarfile.open(path) as archive:
        for item in archive:
            if item.name not in places or not item.isfile():
                continue
            part, category = places[item.name]
            content = archive.extractfile(item)
            assert content is not None
            yield Entry(item.name, part, category, content.read)


def _wanted(path: Path | PurePosixPath) -> bool:
    """Return whether a path is that of a picture and not hidden, as ``._x.jpg`` of macOS."""
    hidden = any(word.startswith(".") for word in path.parts if word not in (".", ".."))
    return path.suffix.lower() in PICTURE_SUFFIXES and not hidden


def _places(root: Path, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the part ("" for none) and class of every file that lies in a class folder."""
    words = {name: PurePosixPath(name).parts for name in names}
    while words and len({parts[0] for parts in words.values()}) == 1 and _nested(words):
        words = {name: parts[1:] for name, parts in words.items()}
    places = {}
    for name, parts in words.items():
        number = next((i for i, word in enumerate(parts[:-1]) if word.lower() in _PARTS), None)
        part = "" if number is None else _PARTS[parts[number].lower()]
        rest = parts if number is None else parts[number + 1 :]
        if len(rest) > 1:
            places[name] = (part, rest[0])
    if not places:
        raise DataError(
            f"{root}: no pictures in class folders; expected [train|val|test/]CLASS/PICTURE with "
            f"pictures of {' '.join(sorted(PICTURE_SUFFIXES))}"
        )
    return places


def _nested(words: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a common first folder is only a wrapper: classes lie below it."""
    first = next(iter(words.values()))[0]
    return first.lower() not in _PARTS and all(len(parts) > 2 for parts in words.values())


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn the errors of the archive modules into one line."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: damaged or no archive ({reason}); copy it again") from error
