"""Labelled pictures wherever they lie: class folders, archives, FER-2013's CSV, MNIST's idx."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from classify.data.entries import (
    ARCHIVE_SUFFIXES,
    LIST_NAME,
    DataError,
    Entry,
    archive_count,
    archive_entries,
    folder_entries,
    is_archive,
    listed_entries,
)
from classify.data.examples import Collection, PixelStore, plain_examples
from classify.data.tables import read_fer_csv, read_idx_folder
from classify.preprocessing import PictureError, Preprocessing
from colorize.base.errors import did_you_mean
from colorize.base.progress import say, tracked

# name, part, class, and the picture as the network takes it, or why it cannot be read
Item = tuple[str, str, str, UInt8[np.ndarray, "c h w"] | str]


class Pictures:
    """The pictures at ``root``, recognised by what lies there.

    - a folder or ``.tar.gz``/``.zip`` of ``[train|val|test/]CLASS/PICTURE``, read in place;
    - a CSV ``emotion,pixels[,Usage]`` of FER-2013;
    - a folder with MNIST's ``*-idx3-ubyte[.gz]`` and their labels;
    - a folder with a list ``train.txt`` of merged subsets (:mod:`classify.data.subsets`);
    - a folder that holds nothing but one archive, or CSV files.

    ``classes`` fixes the order of the labels; by default it is alphabetical.
    """

    def __init__(self, *, root: str, classes: Sequence[str] | None = None) -> None:
        self.root = Path(root)
        self.classes = tuple(classes) if classes else None

    def read(self, preprocessing: Preprocessing) -> Collection:
        """Decode every picture once, at the network's size.

        A file that cannot be read is named, skipped, and counted.

        Raises:
            DataError: There is no such data, or it has other classes than ``classes``.
        """
        store = PixelStore(preprocessing.shape)
        names: list[str] = []
        parts: list[str] = []
        categories: list[str] = []
        skipped: dict[str, str] = {}
        for name, part, category, picture in self._items(preprocessing):
            if isinstance(picture, str):
                skipped[name] = picture
                say(f"skipped: {picture}")
                continue
            store.add(picture)
            names.append(name)
            parts.append(part)
            categories.append(category)
        classes = self._order(categories)
        examples = plain_examples(
            store.finish(),
            labels=[classes.index(category) for category in categories],
            names=names,
            classes=classes,
        )
        label = f"{self.root.name}: {len(names)} pictures of {len(classes)} classes"
        return Collection(examples=examples, parts=parts, skipped=skipped, label=label)

    def _order(self, categories: Sequence[str]) -> tuple[str, ...]:
        found = sorted(set(categories))
        if not found:
            raise DataError(f"{self.root}: no picture could be read; see the files named above")
        known = self.classes or tuple(found)
        for category in found:
            if category not in known:
                raise DataError(
                    f"{self.root}: class {category!r} is none of data.classes"
                    f"{did_you_mean(category, known)}; pass data.classes=[{','.join(found)}]"
                )
        return known

    def _items(self, preprocessing: Preprocessing) -> Iterator[Item]:
        root = self.root
        if not root.exists():
            raise DataError(f"{root}: no such data; pass data.root=FOLDER, ARCHIVE or CSV")
        if root.is_file():
            yield from _file_items(root, preprocessing)
        elif list(root.glob("*-images-idx3-ubyte*")):
            for row in tracked(read_idx_folder(root), f"reading {root.name}", unit="picture"):
                assert row.pixels is not None
                yield row.name, row.part, row.category, preprocessing.of_array(row.pixels)
        elif (root / LIST_NAME).is_file():
            entries = listed_entries(root / LIST_NAME)
            yield from _entry_items(entries, len(entries), root.name, preprocessing)
        elif files := _tables_or_archives(root):
            for file in files:
                yield from _file_items(file, preprocessing)
        else:
            entries = folder_entries(root)
            yield from _entry_items(entries, len(entries), root.name, preprocessing)


def _tables_or_archives(root: Path) -> list[Path]:
    """Return the one archive, or the CSV files, of a folder that has no class folders."""
    if any(path.is_dir() and not path.name.startswith(".") for path in root.iterdir()):
        return []
    archives = [path for path in sorted(root.iterdir()) if is_archive(path)]
    if len(archives) > 1:
        raise DataError(
            f"{root} holds {len(archives)} archives; name one, for example data.root={archives[0]}"
        )
    return archives or sorted(root.glob("*.csv"))


def _file_items(path: Path, preprocessing: Preprocessing) -> Iterator[Item]:
    if is_archive(path):
        count = archive_count(path)
        yield from _entry_items(archive_entries(path), count, path.name, preprocessing)
    elif path.suffix.lower() == ".csv":
        for row in tracked(read_fer_csv(path), f"reading {path.name}", unit="picture"):
            picture = row.problem if row.pixels is None else preprocessing.of_array(row.pixels)
            yield row.name, row.part, row.category, picture
    else:
        known = " ".join((*ARCHIVE_SUFFIXES, ".csv"))
        raise DataError(f"{path}: no known kind of data; expected a folder, or one of {known}")


def _entry_items(
    entries: Iterable[Entry], count: int, name: str, preprocessing: Preprocessing
) -> Iterator[Item]:
    for entry in tracked(entries, f"reading {name}", total=count, unit="picture"):
        try:
            picture: UInt8[np.ndarray, "c h w"] | str = preprocessing.of_file(
                entry.read(), entry.name
            )
        except PictureError as error:
            picture = str(error)
        yield entry.name, entry.part, entry.category, picture
