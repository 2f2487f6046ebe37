"""Lay pictures out as a contact sheet: rows and columns with titles, on white."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from colorize.base.errors import UserError
from colorize.base.files import write_atomically

_T = TypeVar("_T")
# Anonymous axes: pictures of one sheet may differ in size.
Picture = UInt8[np.ndarray, "_ _ 3"]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_PAPER, _EMPTY, _INK, _FAINT = "#ffffff", "#f1f1f1", "#202020", "#6a6a6a"
_MARGIN = 24
_GAP = 10
_TEXT_SIZE = 17
_SMALL_SIZE = 14
_TITLE_SIZE = 26
_ROW_TITLE_WIDTH = 150


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Where the cells of a sheet lie, in pixels."""

    top: int
    left: int
    height: int
    width: int
    below: int  # height of the caption under each cell

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return x and y of a cell's upper left corner."""
        step = self.height + self.below + _GAP
        return self.left + column * (self.width + _GAP), self.top + row * step

    def sheet_size(self, rows: int, columns: int) -> tuple[int, int]:
        """Return the sheet's width and height."""
        x, y = self.corner(rows, columns)
        return x - _GAP + _MARGIN, y - _GAP + _MARGIN


def contact_sheet(
    rows: Sequence[Sequence[Picture | None]],
    *,
    column_titles: Sequence[str] = (),
    row_titles: Sequence[str] = (),
    captions: Sequence[Sequence[str]] = (),
    title: str = "",
    cell_width: int = 320,
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Return a sheet of pictures, each fitted into a cell of the first picture's shape.

    ``rows`` may hold None for a cell that stays empty, and pictures of any size. ``column_titles``
    stand above the columns, ``row_titles`` left of the rows (wrapped), ``captions`` below the
    pictures (as many as there are pictures), ``title`` on top; each may be left out.

    Raises: ValueError without any picture, or when titles and pictures differ in number.
    """
    columns = max((len(row) for row in rows), default=0)
    _check_counts(rows, columns, column_titles, row_titles, captions)
    texts = [title, *column_titles, *row_titles, *(text for row in captions for text in row)]
    fonts = _fonts("".join(texts))
    first = next(picture for row in rows for picture in row if picture is not None)
    grid = _Grid(
        top=_MARGIN + (_TITLE_SIZE + 18) * bool(title) + (_TEXT_SIZE + 12) * bool(column_titles),
        left=_MARGIN + (_side_width(row_titles, fonts[_TEXT_SIZE]) + 16 if row_titles else 0),
        height=round(cell_width * first.shape[0] / first.shape[1]) or 1,
        width=cell_width,
        below=_SMALL_SIZE + 8 if captions else 0,
    )
    sheet = Image.new("RGB", grid.sheet_size(len(rows), columns), _PAPER)
    for row, column, picture in _cells(rows):
        _paste(sheet, picture, grid, row, column)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - 4), title, _INK, fonts[_TITLE_SIZE])
    _draw_column_titles(draw, column_titles, grid, fonts[_TEXT_SIZE])
    _draw_row_titles(draw, row_titles, grid, fonts[_TEXT_SIZE])
    _draw_captions(draw, captions, grid, fonts[_SMALL_SIZE])
    return np.array(sheet)


def save_sheet(path: Path, sheet: UInt8[np.ndarray, "h w 3"]) -> None:
    """Write a sheet as PNG; the file appears whole or not at all."""
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, format="PNG", optimize=True)
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


def _cells(rows: Sequence[Sequence[_T]]) -> Iterator[tuple[int, int, _T]]:
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            yield row, column, cell


def _paste(sheet: Image.Image, picture: Picture | None, grid: _Grid, row: int, column: int) -> None:
    """Fit a picture into its cell, centred, keeping its shape."""
    x, y = grid.corner(row, column)
    if picture is None or picture.shape[:2] != (grid.height, grid.width):
        sheet.paste(_EMPTY, (x, y, x + grid.width, y + grid.height))
    if picture is None:
        return
    scale = min(grid.height / picture.shape[0], grid.width / picture.shape[1])
    height, width = (max(1, round(scale * side)) for side in picture.shape[:2])
    image = Image.fromarray(picture)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    sheet.paste(image, (x + (grid.width - width) // 2, y + (grid.height - height) // 2))


def _fonts(text: str) -> dict[int, Font]:
    """Return Pillow's own font by size, or matplotlib's for letters it lacks."""
    sizes = (_SMALL_SIZE, _TEXT_SIZE, _TITLE_SIZE)
    # Pillow's bundled Aileron holds little beyond ASCII: no accents, dashes or arrows.
    if all(letter.isascii() or letter in "·…±°" for letter in text):
        return {size: ImageFont.load_default(size) for size in sizes}
    import matplotlib

    path = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return {size: ImageFont.truetype(path, size * 0.92) for size in sizes}


def _side_width(titles: Sequence[str], font: Font) -> int:
    lines = [line for title in titles for line in _wrap(title, font)]
    return round(max(font.getlength(line) for line in lines)) + 1


def _draw_column_titles(
    draw: ImageDraw.ImageDraw, titles: Sequence[str], grid: _Grid, font: Font
) -> None:
    for column, title in enumerate(titles):
        x, y = grid.corner(0, column)
        line = shorten(title, font, grid.width)
        draw.text((x + grid.width // 2, y - 10), line, _INK, font, anchor="ms")


def _draw_row_titles(
    draw: ImageDraw.ImageDraw, titles: Sequence[str], grid: _Grid, font: Font
) -> None:
    pitch = _TEXT_SIZE + 5
    for row, title in enumerate(titles):
        lines = _wrap(title, font)
        top = grid.corner(row, 0)[1] + (grid.height - (len(lines) - 1) * pitch) / 2
        for index, line in enumerate(lines):
            draw.text((_MARGIN, top + index * pitch), line, _INK, font, anchor="lm")


def _draw_captions(
    draw: ImageDraw.ImageDraw, captions: Sequence[Sequence[str]], grid: _Grid, font: Font
) -> None:
    for row, column, caption in _cells(captions):
        x, y = grid.corner(row, column)
        place = (x + grid.width // 2, y + grid.height + _SMALL_SIZE + 3)
        draw.text(place, shorten(caption, font, grid.width), _FAINT, font, anchor="ms")


def _wrap(text: str, font: Font) -> list[str]:
    """Break a row title at spaces, or inside longer words, into lines of its column's width."""
    lines = [""]
    for word in text.split():
        if lines[-1] and font.getlength(f"{lines[-1]} {word}") > _ROW_TITLE_WIDTH:
            lines.append("")
        elif lines[-1]:
            word = f" {word}"
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > _ROW_TITLE_WIDTH:
                lines.append("")
            lines[-1] += letter
    return lines


def shorten(text: str, font: Font, width: int) -> str:
    """Cut a line to the width in pixels, marking the cut by an ellipsis."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"
