"""Draw contact sheets: pictures in rows and columns with their titles.

:func:`contact_sheet` is a grid. :func:`shot_sheets` is what a user chooses from: a row is a shot of
a film, gray, and beside it its K colourings by number, the chosen one in a frame with its number on
a badge; blue where it was chosen automatically, orange where by hand.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from colorize.base.errors import UserError
from colorize.base.files import write_atomically
from colorize.base.pieces import pieces

# Anonymous axes: pictures of one sheet may differ in size.
Picture = UInt8[np.ndarray, "_ _ 3"]
By: TypeAlias = Literal["auto", "hand", "kept"]

FRAME = {"auto": "#1f6fb2", "hand": "#c8500a"}  # apart in lightness too
_WORDS = {"auto": "chosen", "hand": "by hand"}
_PAPER, _EMPTY, _LINE, _INK, _FAINT = "#fcfcfa", "#efefec", "#dededa", "#202020", "#6e6e6a"
_MARGIN, _GAP = 28, 14
_APART = 14  # more between the original of a shot and its colourings
_FRAME_WIDTH, _FRAME_GAP = 4, 2  # around the chosen picture, beside it
_HEADING_SIZE, _TITLE_SIZE, _LABEL_SIZE = 24, 15, 13
_HEAD_BAND, _NOTE_BAND, _TITLE_BAND, _LABEL_BAND = 40, 24, 30, 30
_SIDE = 16  # letters of a row title beside a grid, about 150 pixels
_TALLEST = 1.4  # height of a cell, in widths: portrait pictures become narrower
_FEWEST_COLUMNS = 3  # that a page of shots is wide, for its heading


@dataclass(frozen=True)
class SheetRow:
    """One shot: its original and K colourings of it, of one shape, and which one is chosen.

    ``by``: chosen by the program or by the user; ``kept``: the shot is in colour already and left
    as it is, without colourings. Pictures of any size are scaled to fit.
    """

    title: str
    gray: Picture
    outputs: Sequence[Picture]
    chosen: int
    by: By


class _Tile(NamedTuple):
    """A cell: its picture, None if it stays empty, its label, and the colour of its frame."""

    picture: Picture | None
    label: str = ""
    frame: str | None = None


@dataclass(frozen=True)
class _Row:
    """Tiles below one another in ``lines``; None leaves out a cell. Cells have one ``shape``."""

    title: str
    lines: Sequence[Sequence[_Tile | None]]
    shape: tuple[int, ...]

    @property
    def labelled(self) -> bool:
        """Whether there are labels below the tiles."""
        return any(tile is not None and bool(tile.label) for line in self.lines for tile in line)


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where the cells of a page lie; all in pixels.

    Row titles stand left of their rows in a column ``side`` wide, without one above them, below a
    line; ``apart`` is the extra space behind the first column.
    """

    width: int
    columns: int
    side: int | None = None
    apart: int = 0

    def left(self, column: int) -> int:
        """Return the left edge of a column."""
        start = _MARGIN + (self.side or 0) + (self.apart if column else 0)
        return start + column * (self.width + _GAP)

    @property
    def page_width(self) -> int:
        """The width of a page."""
        return self.left(self.columns) - _GAP + _MARGIN

    @property
    def above(self) -> int:
        """The height of a row's title above it."""
        return _TITLE_BAND if self.side is None else 0

    def cell_height(self, row: _Row) -> int:
        """Return the height of a row's cells, which have the shape of its pictures."""
        height, width = row.shape[:2]
        return max(1, round(self.width * min(height / width, _TALLEST)))

    def step(self, row: _Row) -> int:
        """Return the height from one line of a row to the next."""
        return self.cell_height(row) + (_LABEL_BAND if row.labelled else 0) + _GAP

    def row_height(self, row: _Row) -> int:
        """Return the height of a row with its title and the gap below it."""
        return self.above + len(row.lines) * self.step(row)


def contact_sheet(
    rows: Sequence[Sequence[Picture | None]],
    *,
    column_titles: Sequence[str] = (),
    row_titles: Sequence[str] = (),
    captions: Sequence[Sequence[str]] = (),
    title: str = "",
    cell_width: int = 320,
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Return a grid of pictures, each fitted into a cell of the shape of its row's first picture.

    ``rows`` may hold None for a cell that stays empty, and pictures of any size. ``column_titles``
    stand above the columns, ``row_titles`` left of the rows (wrapped), ``captions`` below the
    pictures (as many as there are pictures), ``title`` on top; each may be left out.

    Raises: ValueError without any picture, or when titles and pictures differ in number.
    """
    columns = max((len(row) for row in rows), default=0)
    _check_counts(rows, columns, column_titles, row_titles, captions)
    first = next(picture.shape for row in rows for picture in row if picture is not None)
    titles = row_titles or [""] * len(rows)
    texts = captions or [[""] * len(row) for row in rows]
    drawn = [
        _Row(
            name,
            [[_Tile(*cell) for cell in zip(row, labels, strict=True)]],
            next((picture.shape for picture in row if picture is not None), first),
        )
        for name, row, labels in zip(titles, rows, texts, strict=True)
    ]
    side = max(_font(_TITLE_SIZE).getlength(line) for name in titles for line in _wrap(name))
    layout = _Layout(width=cell_width, columns=columns, side=round(side) + 17 if side else 0)
    return _draw_page(drawn, layout, title, column_titles=column_titles)


def shot_sheets(
    rows: Sequence[SheetRow],
    *,
    heading: str,
    note: str = "",
    columns: int = 4,
    rows_per_page: int = 8,
    thumbnail_width: int = 240,
) -> list[UInt8[np.ndarray, "_ page_w 3"]]:
    """Return pages of shots and their colourings, of one width, the shots in order.

    ``heading`` stands on every page, ``note`` below it (one line). Colourings beyond ``columns``
    go on in the next line. Colourings are numbered from 0.

    Raises: ValueError without any shot, or for a choice that a shot does not have.
    """
    assert min(columns, rows_per_page, thumbnail_width) >= 1
    _check_choices(rows)
    columns = min(columns, max(1, *(len(row.outputs) for row in rows)))
    wide = max(1 + columns, _FEWEST_COLUMNS)
    layout = _Layout(width=thumbnail_width, columns=wide, apart=_APART)
    parts = pieces(0, len(rows), rows_per_page)
    pages = []
    for number, part in enumerate(parts, 1):
        drawn = [_shot(rows[index], columns) for index in part]
        count = f"page {number} of {len(parts)}" if len(parts) > 1 else ""
        pages.append(_draw_page(drawn, layout, heading, note=note, count=count))
    return pages


def save_sheet(path: Path, sheet: UInt8[np.ndarray, "h w 3"]) -> None:
    """Write a sheet as PNG; the file appears whole or not at all."""
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, format="PNG")
    write_atomically(path, content.getvalue())


def _check_counts(
    rows: Sequence[Sequence[Picture | None]],
    columns: int,
    column_titles: Sequence[str],
    row_titles: Sequence[str],
    captions: Sequence[Sequence[str]],
) -> None:
    if not any(picture is not None for row in rows for picture in row):
        raise UserError("contact sheet: no picture was given, expected at least one")
    for what, titles, count in (
        ("column titles", column_titles, columns),
        ("row titles", row_titles, len(rows)),
        ("rows of captions", captions, len(rows)),
    ):
        if titles and len(titles) != count:
            raise UserError(f"contact sheet: expected {count} {what}, got {len(titles)}")
    for index, (row, texts) in enumerate(zip(rows, captions, strict=False)):
        if len(row) != len(texts):
            raise UserError(
                f"contact sheet: row {index} has {len(row)} pictures and {len(texts)} captions; "
                "give each picture one, it may be empty"
            )


def _check_choices(rows: Sequence[SheetRow]) -> None:
    if not rows:
        raise UserError("contact sheet: expected at least one shot, got none")
    for row in rows:
        if row.by == "kept" and row.outputs:
            raise UserError(f"contact sheet: {row.title}: is kept, but has colourings; give none")
        if row.by != "kept" and not 0 <= row.chosen < len(row.outputs):
            raise UserError(
                f"contact sheet: {row.title}: expected a choice of 0 to {len(row.outputs) - 1}, "
                f"got {row.chosen}"
            )


def _shot(row: SheetRow, columns: int) -> _Row:
    """Return the tiles of a shot: its original, and its colourings in lines beside it."""
    original = _Tile(row.gray, "already in colour, kept" if row.by == "kept" else "original")
    lines: list[list[_Tile | None]] = [[original]]
    for number, picture in enumerate(row.outputs):
        if number and number % columns == 0:
            lines.append([None])
        label, frame = str(number), None
        if number == row.chosen:
            label, frame = f"{number} · {_WORDS[row.by]}", FRAME[row.by]
        lines[-1].append(_Tile(picture, label, frame))
    return _Row(row.title, lines, row.gray.shape)


def _draw_page(
    rows: Sequence[_Row],
    layout: _Layout,
    heading: str,
    *,
    note: str = "",
    count: str = "",
    column_titles: Sequence[str] = (),
) -> UInt8[np.ndarray, "page_h page_w 3"]:
    head = (_HEAD_BAND if heading else 0) + (_NOTE_BAND if note else 0)
    top = _MARGIN + head + (_TITLE_BAND if column_titles else 0)
    height = top + sum(map(layout.row_height, rows)) - _GAP + _MARGIN
    page = Image.new("RGB", (layout.page_width, height), _PAPER)
    draw = ImageDraw.Draw(page)
    _draw_head(draw, layout.page_width - 2 * _MARGIN, heading, note, count)
    for column, title in enumerate(column_titles):
        shown = _shorten(title, _font(_TITLE_SIZE), layout.width)
        place = (layout.left(column) + layout.width // 2, top - 12)
        draw.text(place, shown, _INK, _font(_TITLE_SIZE), anchor="ms")
    for row in rows:
        _draw_title(draw, row, layout, top)
        for number, line in enumerate(row.lines):
            y = top + layout.above + number * layout.step(row)
            for column, tile in enumerate(line):
                if tile is not None:
                    cell = (layout.left(column), y, layout.width, layout.cell_height(row))
                    _draw_tile(page, draw, tile, *cell)
        top += layout.row_height(row)
    return np.array(page)


def _draw_head(draw: ImageDraw.ImageDraw, room: int, heading: str, note: str, count: str) -> None:
    """Write the heading with the count of pages at its right, and the note."""
    small, bold = _font(_LABEL_SIZE), _font(_HEADING_SIZE, bold=True)
    draw.text((_MARGIN + room, _MARGIN + 20), count, _FAINT, small, anchor="rs")
    line = _shorten(heading, bold, room - round(small.getlength(count)) - (_GAP if count else 0))
    draw.text((_MARGIN, _MARGIN + 20), line, _INK, bold, anchor="ls")
    draw.text((_MARGIN, _MARGIN + 44), _shorten(note, small, room), _FAINT, small, anchor="ls")


def _draw_title(draw: ImageDraw.ImageDraw, row: _Row, layout: _Layout, top: int) -> None:
    """Write the title of a row above it, below a line, or left of it in several lines."""
    if layout.side is None:
        room = layout.page_width - 2 * _MARGIN
        draw.line([(_MARGIN, top), (_MARGIN + room - 1, top)], _LINE)
        font = _font(_TITLE_SIZE, bold=True)
        draw.text((_MARGIN, top + 20), _shorten(row.title, font, room), _INK, font, anchor="ls")
        return
    lines, pitch = _wrap(row.title), _TITLE_SIZE + 5
    y = top + (layout.cell_height(row) - (len(lines) - 1) * pitch) / 2
    for index, line in enumerate(lines):
        draw.text((_MARGIN, y + index * pitch), line, _INK, _font(_TITLE_SIZE), anchor="lm")


def _draw_tile(
    page: Image.Image, draw: ImageDraw.ImageDraw, tile: _Tile, x: int, y: int, width: int,
    height: int,
) -> None:  # fmt: skip
    """Fit a picture into a cell, its label below; a chosen one has a frame and a badge."""
    middle, line, room = x + width // 2, y + height + 18, width
    if tile.picture is None:
        page.paste(_EMPTY, (x, y, x + width, y + height))
    else:
        scale = min(height / tile.picture.shape[0], width / tile.picture.shape[1])
        size = [max(1, round(scale * side)) for side in tile.picture.shape[1::-1]]
        image = Image.fromarray(tile.picture)
        if image.size != tuple(size):
            image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        x, y = x + (width - size[0]) // 2, y + (height - size[1]) // 2
        page.paste(image, (x, y))
        width, height = size
    if tile.frame is None:
        label = _shorten(tile.label, _font(_LABEL_SIZE), room)
        draw.text((middle, line), label, _FAINT, _font(_LABEL_SIZE), anchor="mm")
        return
    out, font = _FRAME_GAP + _FRAME_WIDTH, _font(_LABEL_SIZE, bold=True)
    frame = (x - out, y - out, x + width + out - 1, y + height + out - 1)
    draw.rectangle(frame, outline=tile.frame, width=_FRAME_WIDTH)
    half = font.getlength(tile.label) / 2 + 10
    badge = (middle - half, line - 10, middle + half, line + 10)
    draw.rounded_rectangle(badge, radius=10, fill=tile.frame)
    draw.text((middle, line), tile.label, "white", font, anchor="mm")


@cache
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which lies beside matplotlib's code; that is not imported for it."""
    # Pillow's own font holds little beyond ASCII: no accents, dashes or arrows.
    found = find_spec("matplotlib")
    assert found is not None, "a requirement of this package"
    assert found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0], "mpl-data", "fonts", "ttf")
    return ImageFont.truetype(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)


def _wrap(title: str) -> list[str]:
    """Break a row title into lines that fit beside a grid."""
    return textwrap.wrap(title, _SIDE) or [""]


def _shorten(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Cut a line to the width in pixels, marking the cut by an ellipsis."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"
