"""Draw what a user chooses from: every shot of a film, gray, beside its K colourings.

A row is a shot: the original at the left, then its colourings by number, the chosen one in a frame
with its number on a badge; blue where it was chosen automatically, orange where by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import matplotlib
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from colorize.base.errors import UserError
from colorize.imaging.sheet import Picture, shorten

By: TypeAlias = Literal["auto", "hand", "kept"]

FRAME = {"auto": "#1f6fb2", "hand": "#c8500a"}  # apart in lightness too
_WORDS = {"auto": "chosen", "hand": "by hand"}
_PAPER, _LINE, _INK, _FAINT = "#fcfcfa", "#dededa", "#202020", "#6e6e6a"
_MARGIN = 32
_GAP = 20
_APART = 16  # more between the original and its colourings
_FRAME_WIDTH, _FRAME_GAP = 4, 2  # around the chosen picture, beside it
_TITLE_BAND, _LABEL_BAND, _ROW_GAP = 30, 40, 8
_HEADING_SIZE, _TITLE_SIZE, _LABEL_SIZE = 24, 15, 13
_TALLEST = 1.4  # height of a tile, in widths: portrait pictures become narrower
_FEWEST_TILES = 3  # that a page is wide, for its heading


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
    """A picture on a page: its upper left corner and size in pixels, and its label."""

    picture: Picture
    x: int
    y: int
    width: int
    height: int
    label: str
    frame: str | None


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """How many colourings stand side by side, and how wide a tile is, in pixels."""

    columns: int
    width: int

    def page_width(self) -> int:
        """Return the width of a page."""
        tiles = max(1 + self.columns, _FEWEST_TILES)
        return 2 * _MARGIN + tiles * (self.width + _GAP) - _GAP + _APART

    def tile_size(self, row: SheetRow) -> tuple[int, int]:
        """Return width and height of a row's tiles: pictures keep their shape."""
        height, width = row.gray.shape[:2]
        scale = min(self.width / width, _TALLEST * self.width / height)
        return max(1, round(scale * width)), max(1, round(scale * height))

    def lines(self, row: SheetRow) -> int:
        """Return how many lines a row's colourings take."""
        return max(1, -(-len(row.outputs) // self.columns))

    def row_height(self, row: SheetRow) -> int:
        """Return the height of a row with its title and the gap below it."""
        return _TITLE_BAND + self.lines(row) * (self.tile_size(row)[1] + _LABEL_BAND) + _ROW_GAP

    def tiles(self, row: SheetRow, top: int) -> Iterator[_Tile]:
        """Yield a row's pictures and their places, in the middle of their columns."""
        width, height = self.tile_size(row)
        top += _TITLE_BAND
        left = _MARGIN + (self.width - width) // 2
        label = "already in colour, kept" if row.by == "kept" else "original"
        yield _Tile(row.gray, left, top, width, height, label, None)
        for number, picture in enumerate(row.outputs):
            line, column = divmod(number, self.columns)
            x = left + _APART + (column + 1) * (self.width + _GAP)
            y = top + line * (height + _LABEL_BAND)
            chosen = number == row.chosen
            label = f"{number} · {_WORDS[row.by]}" if chosen else str(number)
            yield _Tile(picture, x, y, width, height, label, FRAME[row.by] if chosen else None)


def draw_contact_sheet(
    rows: Sequence[SheetRow],
    *,
    heading: str,
    note: str = "",
    columns: int = 4,
    rows_per_page: int = 8,
    thumbnail_width: int = 240,
) -> list[UInt8[np.ndarray, "_ page_w 3"]]:
    """Return the pages of the contact sheet, of one width, their shots in order.

    ``heading`` stands on every page, ``note`` below it (one line). Colourings beyond ``columns``
    go on in the next line. Colourings are numbered from 0.

    Raises: ValueError without any shot, or for a choice that a shot does not have.
    """
    assert min(columns, rows_per_page, thumbnail_width) >= 1
    _check(rows)
    most = max(len(row.outputs) for row in rows)
    layout = _Layout(columns=min(columns, max(1, most)), width=thumbnail_width)
    chunks = [rows[first : first + rows_per_page] for first in range(0, len(rows), rows_per_page)]
    pages = []
    for number, chunk in enumerate(chunks, start=1):
        count = f"page {number} of {len(chunks)}" if len(chunks) > 1 else ""
        pages.append(_draw_page(chunk, layout, heading, note, count))
    return pages


def _check(rows: Sequence[SheetRow]) -> None:
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


def _draw_page(
    rows: Sequence[SheetRow], layout: _Layout, heading: str, note: str, count: str
) -> UInt8[np.ndarray, "page_h page_w 3"]:
    width = layout.page_width()
    top = _MARGIN + 40 + (24 if note else 0)
    height = top + sum(layout.row_height(row) for row in rows) + _MARGIN - _ROW_GAP
    page = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(page)
    _draw_head(draw, width - 2 * _MARGIN, heading, note, count)
    for row in rows:
        draw.line([(_MARGIN, top), (width - _MARGIN - 1, top)], _LINE)
        font = _font(_TITLE_SIZE, bold=True)
        title = shorten(row.title, font, width - 2 * _MARGIN)
        draw.text((_MARGIN, top + 21), title, _INK, font, anchor="ls")
        for tile in layout.tiles(row, top):
            _draw_tile(page, draw, tile)
        top += layout.row_height(row)
    return np.array(page)


def _draw_head(draw: ImageDraw.ImageDraw, room: int, heading: str, note: str, count: str) -> None:
    """Write the heading with the count of pages at its right, and the note."""
    small = _font(_LABEL_SIZE)
    draw.text((_MARGIN + room, _MARGIN + 22), count, _FAINT, small, anchor="rs")
    bold = _font(_HEADING_SIZE, bold=True)
    line = shorten(heading, bold, room - round(small.getlength(count)) - _GAP)
    draw.text((_MARGIN, _MARGIN + 22), line, _INK, bold, anchor="ls")
    draw.text((_MARGIN, _MARGIN + 46), shorten(note, small, room), _FAINT, small, anchor="ls")


def _draw_tile(page: Image.Image, draw: ImageDraw.ImageDraw, tile: _Tile) -> None:
    """Paste a picture and write its label below; a chosen one has a frame and a badge."""
    image = Image.fromarray(tile.picture)
    if image.size != (tile.width, tile.height):
        image = image.resize((tile.width, tile.height), Image.Resampling.LANCZOS)
    page.paste(image, (tile.x, tile.y))
    middle, line = tile.x + tile.width // 2, tile.y + tile.height + 20
    if tile.frame is None:
        draw.text((middle, line), tile.label, _FAINT, _font(_LABEL_SIZE), anchor="mm")
        return
    out = _FRAME_GAP + _FRAME_WIDTH
    right, bottom = tile.x + tile.width, tile.y + tile.height
    frame = (tile.x - out, tile.y - out, right + out - 1, bottom + out - 1)
    draw.rectangle(frame, outline=tile.frame, width=_FRAME_WIDTH)
    font = _font(_LABEL_SIZE, bold=True)
    half = font.getlength(tile.label) / 2 + 10
    badge = (middle - half, line - 10, middle + half, line + 10)
    draw.rounded_rectangle(badge, radius=10, fill=tile.frame)
    draw.text((middle, line), tile.label, "white", font, anchor="mm")


@cache
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)
