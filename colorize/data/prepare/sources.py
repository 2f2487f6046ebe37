"""Which clips a command line of sources means, how they are named and into which split they go."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from colorize.base.errors import did_you_mean
from colorize.data.manifest import SPLITS, ClipRecord, DatasetError
from colorize.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES


@dataclass(frozen=True)
class Row:
    """One line of a CSV of splits."""

    clip: str
    split: str
    first_frame: int | None


def expand(paths: Iterable[Path], *, split: str = "") -> dict[Path, str]:
    """Return the sources that ``paths`` mean, each with the split that a folder says, or "".

    A folder that holds videos means its videos, one that holds folders alone what these mean. A
    folder of pictures, a video and a picture mean themselves. What lies in a folder called train,
    val or test is of that split, unless ``split`` says so already. A source named twice counts
    once.

    Raises:
        DatasetError: A path does not exist, or a folder holds both videos and pictures, or a
            source is of two splits.
    """
    found: dict[Path, str] = {}
    for path in (path.expanduser().absolute() for path in paths):
        if not path.exists():
            raise DatasetError(f"{path}: no such file or folder; check the name")
        for source, of in _inside(path, split or _said(path)):
            merge(found, {source.resolve(): of})
    return found


def merge(found: dict[Path, str], more: Mapping[Path, str]) -> None:
    """Add sources with their splits to others.

    Raises:
        DatasetError: One is of two splits.
    """
    for source, split in more.items():
        before = found.get(source, "")
        if before and split and before != split:
            raise DatasetError(
                f"{source} is named for {before} and for {split}: name it once, so that nothing "
                "is measured on what was trained on"
            )
        found[source] = before or split


def _said(path: Path) -> str:
    return path.name if path.is_dir() and path.name in SPLITS else ""


def _inside(path: Path, split: str) -> Iterator[tuple[Path, str]]:
    """Yield what a path means, in order."""
    files = []
    if path.is_dir():
        files = [file for file in sorted(path.iterdir()) if not file.name.startswith(".")]
    videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
    pictures = any(file.suffix.lower() in IMAGE_SUFFIXES for file in files)
    folders = [] if videos or pictures else [file for file in files if file.is_dir()]
    if videos and pictures:
        raise DatasetError(f"{path}: holds both videos and pictures; name the sources one by one")
    if not folders:
        yield from ((source, split) for source in videos or [path])
    for folder in folders:
        yield from _inside(folder, split or _said(folder))


def name_sources(sources: Sequence[Path], known: Sequence[ClipRecord]) -> dict[Path, str]:
    """Give each source a name of its own, the one it had before if it is known.

    Names are stems of files and names of folders; equal ones get ``-2``, ``-3``.
    A file that was moved keeps its name if none is left at its old place.
    """
    names: dict[Path, str] = {}
    for source in sources:
        old = next((each for each in known if each.path == str(source)), None)
        if old is not None:
            names[source] = old.name
    for source in sources:
        free = [each for each in known if each.name not in names.values()]
        if source not in names:
            moved = [e for e in free if e.source == source.name and not Path(e.path).exists()]
            taken = {name.casefold() for name in names.values()}
            taken |= {each.name.casefold() for each in known}
            names[source] = moved[0].name if moved else _fresh(_stem(source), taken)
    return names


def _stem(source: Path) -> str:
    return source.name if source.is_dir() else source.stem


def _fresh(stem: str, taken: set[str]) -> str:
    """Return ``stem``, or the first of ``stem-2``, ``stem-3`` ... that is free."""
    number, name = 1, stem
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def read_splits(path: Path) -> list[Row]:
    """Read a CSV with the columns ``clip`` and ``split``, perhaps ``first_frame``, and others.

    Raises:
        DatasetError: The message names the line.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        columns = reader.fieldnames or []
        for column in ("clip", "split"):
            if column not in columns:
                raise DatasetError(
                    f"{path} line 1: expected the columns clip,split,first_frame, "
                    f"got {','.join(columns) or 'nothing'}{did_you_mean(column, columns)}"
                )
        rows = [_row(f"{path} line {reader.line_num}", line) for line in reader]
    twice = [clip for clip, times in Counter(row.clip for row in rows).items() if times > 1]
    if twice:
        raise DatasetError(f"{path}: {twice[0]!r} is listed twice; remove one of the lines")
    return rows


def _row(where: str, line: Mapping[str, str | None]) -> Row:
    """Return one checked line of the CSV."""
    clip, split = (line["clip"] or "").strip(), (line["split"] or "").strip()
    if not clip:
        raise DatasetError(f"{where}: expected the name of a clip, got nothing")
    if split not in SPLITS:
        near = did_you_mean(split, SPLITS)
        raise DatasetError(f"{where}: split: expected {', '.join(SPLITS)}, got {split!r}{near}")
    first = (line.get("first_frame") or "").strip()
    if first and not first.isdecimal():
        raise DatasetError(f"{where}: first_frame: expected a whole number from 0, got {first!r}")
    return Row(clip=clip, split=split, first_frame=int(first) if first else None)


def match_rows(
    rows: Sequence[Row], sources: Mapping[Path, str], kept: Sequence[ClipRecord], table: Path
) -> dict[str, Row]:
    """Return the line of every clip, by the clip's name; ``kept`` need none.

    ``clip`` in the CSV is a file's name with or without suffix, or the clip's name in the dataset.

    Raises:
        DatasetError: A line without a clip, a clip without a line, or a line that means several.
    """
    files = {name: {name, path.name, _stem(path)} for path, name in sources.items()}
    files |= {record.name: {record.name, record.source} for record in kept}
    matched: dict[str, Row] = {}
    for row in rows:
        # A clip's own name settles it where several files share a stem.
        exact = [name for name in files if name == row.clip]
        names = exact or [name for name, aliases in files.items() if row.clip in aliases]
        if not names:
            near = did_you_mean(
                row.clip, [alias for aliases in files.values() for alias in aliases]
            )
            raise DatasetError(
                f"{table}: {row.clip!r} is none of the sources{near}; name it on the command line, "
                "or remove the line"
            )
        if len(names) > 1:
            raise DatasetError(
                f"{table}: {row.clip!r} means {len(names)} sources; "
                f"write one line for each of {', '.join(names)}"
            )
        matched[names[0]] = row
    absent = [path.name for path, name in sources.items() if name not in matched]
    if absent:
        raise DatasetError(
            f"{table}: no line for {', '.join(absent)}; add CLIP,SPLIT,FIRST_FRAME for each"
        )
    return matched


def assign(
    names: Sequence[str],
    *,
    assigned: Mapping[str, str],
    ratio: tuple[float, float, float],
    seed: int,
) -> dict[str, str]:
    """Give each clip of ``names`` a split, so that all clips come nearest to ``ratio``.

    Clips in ``assigned`` keep theirs, so that what was tested on is never trained on later. The
    order depends on the seed and on each clip's name only. At least one clip is for training.
    """
    counts = Counter(assigned.values())
    total = len(names) + len(assigned)
    result: dict[str, str] = {}
    for name in sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest()):
        wanted = {
            split: share * total - counts[split] for split, share in zip(SPLITS, ratio, strict=True)
        }
        split = max(SPLITS, key=lambda split: wanted[split]) if counts["train"] else "train"
        counts[split] += 1
        result[name] = split
    return result


def clips_needed(ratio: tuple[float, float, float], *, most: int = 1000) -> int | None:
    """Return how many clips :func:`assign` needs for one in every split that has a share.

    None if it is more than ``most``.
    """
    wanted = {split for split, share in zip(SPLITS, ratio, strict=True) if share}
    for count in range(1, most + 1):
        names = list(map(str, range(count)))
        if wanted == set(assign(names, assigned={}, ratio=ratio, seed=0).values()):
            return count
    return None
