"""Palettes: colours with numbers and names, kept as JSON, exchanged as GIMP's ``.gpl``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from colorize.base.errors import UserError
from colorize.base.files import write_atomically

FORMAT = "tooncolor-palette-1"
LARGEST = 65535  # ids fit a layer's 16 bits; 0 is where nothing is painted
_LONGEST = 80  # letters of a name
_COLOR = re.compile(r"#[0-9a-f]{6}")
_GPL_LINE = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)(?:\s+(.*))?")


@dataclass(frozen=True)
class Swatch:
    """A colour of a palette: its ``id`` in layers, 1 to 65535, as ``#rrggbb`` of sRGB, its name.

    Raises:
        UserError: A value is none of these.
    """

    id: int
    color: str
    name: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.id <= LARGEST:
            raise UserError(f"swatch {self.id}: expected a number from 1 to {LARGEST}")
        if not _COLOR.fullmatch(self.color):
            raise UserError(f"swatch {self.id}: color is {self.color!r}: expected one like #c04d08")
        if self.name is not None and not (
            0 < len(self.name) <= _LONGEST and self.name.isprintable() and self.name.strip()
        ):
            raise UserError(
                f"swatch {self.id}: name is {self.name!r}: expected 1 to {_LONGEST} letters"
            )

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.color[1:])
        return red, green, blue


@dataclass(frozen=True)
class Palette:
    """Swatches in the order in which they are shown, no two of one id, nor of one name.

    Raises:
        UserError: Two share an id or a name.
    """

    swatches: tuple[Swatch, ...] = ()

    def __post_init__(self) -> None:
        ids, names = set[int](), set[str]()
        for each in self.swatches:
            if each.id in ids:
                raise UserError(f"two swatches have the number {each.id}; give each its own")
            if each.name is not None and each.name in names:
                raise UserError(f"two swatches are called {each.name}; rename one")
            ids.add(each.id)
            names |= set() if each.name is None else {each.name}

    def __getitem__(self, number: int) -> Swatch:
        """Return a swatch by its id.

        Raises:
            UserError: There is none.
        """
        for each in self.swatches:
            if each.id == number:
                return each
        raise UserError(f"there is no swatch {number}; choose one of the palette")

    def added(self, color: str, name: str | None = None) -> tuple[Palette, Swatch]:
        """Return the palette with one more colour, and that; one without a name is not added twice.

        Raises:
            UserError: It is no colour, its name is taken, or the palette is full.
        """
        if name is None:
            for each in self.swatches:
                if each.name is None and each.color == color:
                    return self, each
        number = 1 + max((each.id for each in self.swatches), default=0)
        if number > LARGEST:
            free = set(range(1, LARGEST + 1)) - {each.id for each in self.swatches}
            if not free:
                raise UserError(f"a palette has at most {LARGEST} colours; remove some first")
            number = min(free)
        new = Swatch(number, color, name)
        return Palette((*self.swatches, new)), new

    def changed(self, number: int, *, color: str, name: str | None) -> Palette:
        """Return the palette with another colour and name of a swatch.

        Raises:
            UserError: There is no such swatch, it is no colour, or the name is taken.
        """
        own = replace(self[number], color=color, name=name)
        return Palette(tuple(own if each.id == number else each for each in self.swatches))

    def without(self, number: int) -> Palette:
        """Return the palette without a swatch.

        Raises:
            UserError: There is no such swatch.
        """
        gone = self[number]
        return Palette(tuple(each for each in self.swatches if each != gone))

    def with_colors(self, others: Iterable[tuple[str, str | None]]) -> Palette:
        """Return the palette with more colours and their names, ``others`` of another palette.

        What has the name of a swatch that is there gives that its colour.

        Raises:
            UserError: One is no colour, or the palette is full.
        """
        palette = self
        named = {each.name: each.id for each in self.swatches if each.name is not None}
        for color, name in others:
            if name is not None and name in named:
                palette = palette.changed(named[name], color=color, name=name)
            else:
                palette, new = palette.added(color, name)
                if name is not None:
                    named[name] = new.id
        return palette

    def content(self) -> dict[str, Any]:
        """Return what JSON holds of it."""
        return {"format": FORMAT, "swatches": [asdict(each) for each in self.swatches]}

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        text = json.dumps(self.content(), indent=1, ensure_ascii=False)
        write_atomically(path, text.encode())


def palette_of(content: Any, path: Path) -> Palette:
    """Return the palette that the JSON of a file at ``path`` means.

    Raises:
        UserError: It is none.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise UserError(f"{path} is no palette: expected JSON with format {FORMAT!r}")
    entries = content.get("swatches")
    if not isinstance(entries, list):
        raise UserError(f"{path}: swatches is {entries!r}: expected a list")
    swatches = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not set(entry) <= {"id", "color", "name"}:
            raise UserError(f"{path}: swatches[{place}] is {entry!r}: expected id, color and name")
        number, color, name = entry.get("id"), entry.get("color"), entry.get("name")
        if not isinstance(number, int) or isinstance(number, bool) or not isinstance(color, str):
            raise UserError(
                f"{path}: swatches[{place}] is {entry!r}: expected a number and a color"
            )
        if name is not None and not isinstance(name, str):
            raise UserError(f"{path}: swatches[{place}]: name is {name!r}: expected text or null")
        try:
            swatches.append(Swatch(number, color, name))
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
    try:
        return Palette(tuple(swatches))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def read_palette(path: Path) -> Palette:
    """Return a palette that :meth:`Palette.write` wrote.

    Raises:
        UserError: There is none, or it is damaged.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); name a palette") from error
    except ValueError as error:
        raise UserError(f"{path} is no palette: it is no JSON ({error})") from error
    return palette_of(content, path)


def gpl_of(palette: Palette, title: str) -> str:
    """Return a palette as GIMP, Krita and Inkscape read it.

    Source: GIMP 2.10, ``app/core/gimppalette-save.c``: a colour is three numbers and, after a tab,
    its name; one without has ``Untitled``.
    """
    head = ["GIMP Palette", f"Name: {' '.join(title.split()) or 'tooncolor'}", "Columns: 0", "#"]
    rows = [
        "{:3} {:3} {:3}\t{}".format(*each.rgb, each.name or "Untitled") for each in palette.swatches
    ]
    return "\n".join([*head, *rows]) + "\n"


def colors_of_gpl(text: str, name: str) -> list[tuple[str, str | None]]:
    """Return the colours of a palette of GIMP with their names; ``name`` is that of the file.

    The first of several colours of one name keeps it. ``Untitled``, and a name that only repeats
    the colour in hexadecimal, is none.

    Raises:
        UserError: It is no such palette.
    """
    lines = text.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "GIMP Palette":
        raise UserError(f"{name} is no palette of GIMP: its first line is not 'GIMP Palette'")
    found: list[tuple[str, str | None]] = []
    seen = set[str]()
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.lstrip().startswith("#") or re.match(r"\w+:", line):
            continue
        match = _GPL_LINE.fullmatch(line)
        if not match or any(int(each) > 255 for each in match.group(1, 2, 3)):
            raise UserError(f"{name}, line {number}: {line!r} is no colour: expected 'r g b name'")
        color = "#" + bytes(int(each) for each in match.group(1, 2, 3)).hex()
        words = " ".join("".join(c for c in match[4] or "" if c.isprintable()).split())[:_LONGEST]
        known = not words or words in ("Untitled", *seen) or words.lower().lstrip("#") == color[1:]
        found.append((color, None if known else words))
        seen.add(words)
    return found
