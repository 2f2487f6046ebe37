"""What a screening decided, written down before it is done, so that it can be redone or undone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from colorize.base.errors import UserError
from colorize.base.files import appearing

FORMAT = "tooncolor-screening-1"
NAME = "screening.jsonl"


class ScreenError(UserError):
    """A screening that cannot be started, continued or undone; one line for the user."""


@dataclass(frozen=True)
class Decision:
    """What becomes of a picture. ``file`` is relative to the screened folder.

    ``probability`` is that of the class that is looked for, ``likeliest`` the class that is
    likeliest. ``place`` is where the picture is copied or moved to, "" if it stays. One that is
    ``corrected`` was made by hand and replaces the last one on the same file.
    """

    file: str
    verdict: Literal["kept", "rejected", "unreadable"]
    probability: float | None = None
    likeliest: str = ""
    place: str = ""
    problem: str = ""
    corrected: bool = False


class Journal:
    """The decisions of one screening, one JSON line each, below a line of its settings.

    A line ``{"done": n}`` says that the first n decisions are carried out; ``done`` is the last.

    Raises:
        ScreenError: The file is no journal, or that of a screening with other ``settings``.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.settings = {"format": FORMAT, **settings}
        self.decisions: list[Decision] = []
        self.done = 0
        if path.is_file() and path.stat().st_size > 0:
            head, self.decisions, self.done = read_journal(path)
            self._compare(head)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write([self.settings])

    def add(self, decisions: Sequence[Decision]) -> None:
        """Write decisions to the disk; only then may they be carried out."""
        self._write([asdict(decision) for decision in decisions])
        self.decisions += decisions

    def mark_done(self) -> None:
        """Note that all decisions so far are carried out."""
        if self.done < len(self.decisions):
            self.done = len(self.decisions)
            self._write([{"done": self.done}])

    def _write(self, lines: Sequence[Mapping[str, Any]]) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        with self.path.open("ab") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())

    def _compare(self, head: Mapping[str, Any]) -> None:
        for key, value in self.settings.items():
            if head.get(key) != value:
                raise ScreenError(
                    f"{self.path} is of a screening with {key}={head.get(key)}, not {value}: "
                    "pass another --keep, the same settings to continue, or --undo first"
                )


def read_journal(path: Path) -> tuple[dict[str, Any], list[Decision], int]:
    """Return the settings and the decisions of a journal, and how many are carried out for sure.

    A last line that a killed run did not finish is cut off the file: it was not carried out.

    Raises:
        ScreenError: There is no journal, or it is damaged.
    """
    if not path.is_file():
        raise ScreenError(f"{path}: no such journal; pass --keep of a screening that was run")
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
    lines = content[:whole].decode("utf-8", "surrogateescape").splitlines()
    try:
        head, *rest = (json.loads(line) for line in lines)
        if head["format"] != FORMAT:
            raise UserError(head["format"])
        done = max((line["done"] for line in rest if "done" in line), default=0)
        return head, [Decision(**line) for line in rest if "done" not in line], done
    except (ValueError, KeyError, TypeError) as error:
        raise ScreenError(f"{path}: damaged, or no journal of classify-screen ({error})") from error


def latest(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions that count, in order: a correction stands in for what it corrects."""
    counting: list[Decision] = []
    places: dict[str, int] = {}
    for decision in decisions:
        if decision.corrected and decision.file in places:
            counting[places[decision.file]] = decision
        else:
            places[decision.file] = len(counting)
            counting.append(decision)
    return counting


def carry_out(decision: Decision, folder: Path, *, move: bool) -> None:
    """Copy or move a picture to its place, unless that is done already.

    A picture that somebody took away meanwhile is none of ours any more.

    Raises:
        ScreenError: It cannot be written.
    """
    if not decision.place:
        return
    source, place = folder / decision.file, Path(decision.place)
    try:
        if source.exists() and not place.exists():
            _transfer(source, place, move=move)
        elif move and source.exists() and _same(source, place):
            source.unlink()  # a run was stopped between copying to another disk and removing
    except OSError as error:
        raise ScreenError(
            f"{error.filename or source}: {error.strerror}; put it right and run the same command "
            "again, which continues"
        ) from error


def undo(path: Path) -> tuple[int, list[str]]:
    """Bring back what a screening moved, and remove the copies it made, the last one first.

    Nothing is overwritten, and no copy is removed that differs from its original. The journal is
    kept under another name, unless something could not be undone.

    Returns:
        How many pictures were brought back or copies removed, and what could not be undone.
    """
    head, decisions, _ = read_journal(path)
    folder, done, left = Path(head["folder"]), 0, []
    for decision in reversed(decisions):
        if not decision.place or not Path(decision.place).exists():
            continue
        try:
            take_back(decision, folder, move=head["move"])
            done += 1
        except ScreenError as error:
            left.append(str(error))
    if not left:
        path.rename(free_name(path.parent, "screening-undone.jsonl", set()))
    return done, left


def take_back(decision: Decision, folder: Path, *, move: bool) -> None:
    """Bring a picture back to the screened ``folder``, or remove its copy, if it is at its place.

    Raises:
        ScreenError: The picture in the screened folder is another one now, or gone.
    """
    source, place = folder / decision.file, Path(decision.place)
    if not decision.place or not place.exists():
        return
    if not source.exists() and move:
        _transfer(place, source, move=True)
    elif source.exists() and _same(source, place):
        place.unlink()
    else:
        raise ScreenError(f"{place}: {source} is another file now, or gone; left where it is")


def free_name(folder: Path, name: str, taken: set[str]) -> Path:
    """Return a path in ``folder`` called ``name``, or ``name-2`` …, that nothing has yet.

    ``taken`` are names (lower case) that will be used; the new one is added.
    """
    stem, suffix = Path(name).stem, Path(name).suffix
    number, candidate = 1, name
    # Some file systems do not tell capitals from small letters.
    while candidate.casefold() in taken or (folder / candidate).exists():
        number += 1
        candidate = f"{stem}-{number}{suffix}"
    taken.add(candidate.casefold())
    return folder / candidate


def _transfer(source: Path, place: Path, *, move: bool) -> None:
    """Copy or move a file so that its place holds all of it or nothing."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if move and _same_disk(source, place.parent):
        source.rename(place)
        return
    with appearing(place) as made, source.open("rb") as file:
        shutil.copyfileobj(file, made)
        made.flush()
        os.fsync(made.fileno())
    with contextlib.suppress(OSError):  # a file system may refuse times and permissions
        shutil.copystat(source, place)
    if move:
        source.unlink()


def _same_disk(first: Path, second: Path) -> bool:
    return first.stat().st_dev == second.stat().st_dev


def _same(first: Path, second: Path) -> bool:
    return first.samefile(second) or first.read_bytes() == second.read_bytes()
