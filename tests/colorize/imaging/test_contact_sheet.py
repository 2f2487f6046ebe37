from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from colorize.imaging.contact_sheet import (
    FRAME,
    By,
    SheetRow,
    contact_sheet,
    save_sheet,
    shot_sheets,
)

RED, GREEN, BLUE = (200, 20, 30), (10, 180, 40), (20, 30, 210)
GRAY = (90, 90, 90)
CHOSEN, BY_HAND = (ImageColor.getrgb(FRAME[by]) for by in ("auto", "hand"))


def _flat(colour: Sequence[int], size: tuple[int, int] = (60, 80)) -> np.ndarray:
    return np.full((*size, 3), colour, dtype=np.uint8)


def _colour(number: int) -> tuple[int, int, int]:
    """A colour of its own for colouring ``number``."""
    return 200, 10 + 20 * number, 150


def _row(
    count: int, *, chosen: int = 0, by: By = "auto", size: tuple[int, int] = (60, 80)
) -> SheetRow:
    outputs = [_flat(_colour(number), size) for number in range(count)]
    return SheetRow("shot 1", _flat(GRAY, size), outputs, chosen, by)


def _boxes(page: np.ndarray, colour: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Return top, left, bottom, right of each filled box of one colour, from the top down."""
    found = (page == np.array(colour, np.uint8)).all(axis=-1)
    boxes = []
    while found.any():
        top, left = (int(place) for place in np.argwhere(found)[0])
        right = left + int(np.argmin(np.append(found[top, left:], False)))
        bottom = top + int(np.argmin(np.append(found[top:, left], False)))
        assert found[top:bottom, left:right].all()
        found[top:bottom, left:right] = False
        boxes.append((top, left, bottom, right))
    return boxes


def _framed(page: np.ndarray, colour: Sequence[int], length: int) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right of the frame whose upper and lower bars are that long."""
    marked = (page == np.array(colour, np.uint8)).all(axis=-1)
    rows = np.flatnonzero(marked.sum(axis=1) == length)
    columns = np.flatnonzero(marked[rows[0]])
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _box(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right of the pixels of one colour, which must fill the box."""
    rows, columns = np.nonzero((sheet == colour).all(axis=-1))
    top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    assert len(rows) == (bottom - top) * (right - left)
    return int(top), int(left), int(bottom), int(right)


@pytest.mark.parametrize("count", range(1, 9))
def test_all_colourings_stand_in_lines_of_four_beside_the_original(count: int) -> None:
    (page,) = shot_sheets([_row(count)], heading="Film", thumbnail_width=80)
    ((top, left, bottom, right),) = _boxes(page, GRAY)
    assert (bottom - top, right - left) == (60, 80)
    for number in range(count):
        ((y, x, below, _),) = _boxes(page, _colour(number))
        line, column = divmod(number, 4)
        assert x == left + (column + 1) * (80 + 14) + 14
        assert (y, below) == (top + line * (60 + 30 + 14), bottom + line * (60 + 30 + 14))
        assert x + 80 <= page.shape[1] - left


@pytest.mark.parametrize(("by", "colour"), [("auto", CHOSEN), ("hand", BY_HAND)])
@pytest.mark.parametrize("chosen", [0, 2, 5])
def test_the_chosen_tile_and_no_other_is_framed(
    by: By, colour: tuple[int, int, int], chosen: int
) -> None:
    row = _row(6, chosen=chosen, by=by)
    (page,) = shot_sheets([row], heading="Film", thumbnail_width=160)
    ((top, left, bottom, right),) = _boxes(page, _colour(chosen))
    assert _framed(page, colour, 172) == (top - 6, left - 6, bottom + 6, right + 6)
    other = BY_HAND if by == "auto" else CHOSEN
    assert not (page == np.array(other, np.uint8)).all(axis=-1).any()
    # The badge with the number stands below the picture, and within its width.
    below = (page[bottom + 6 :] == np.array(colour, np.uint8)).all(axis=-1)
    columns = np.flatnonzero(below.any(axis=0))
    assert left < columns[0] < columns[-1] < right
    assert below.sum() > 500


def test_a_kept_shot_shows_its_own_picture_alone() -> None:
    kept = SheetRow("shot 2", _flat(_colour(3)), [], 0, "kept")
    (page,) = shot_sheets([_row(2, chosen=1), kept], heading="Film", thumbnail_width=80)
    assert len(_boxes(page, GRAY)) == 1
    ((top, *_),) = _boxes(page, _colour(3))
    ((_, _, bottom, _),) = _boxes(page, GRAY)
    assert top > bottom
    assert not (page[bottom + 40 :] == np.array(CHOSEN, np.uint8)).all(axis=-1).any()


@pytest.mark.parametrize(
    ("size", "shown"),
    [((60, 80), (90, 120)), ((20, 200), (12, 120)), ((300, 100), (168, 56)), ((1, 4000), (1, 120))],
    ids=["4:3", "wide", "portrait", "a line"],
)
def test_pictures_keep_their_shape(size: tuple[int, int], shown: tuple[int, int]) -> None:
    (page,) = shot_sheets([_row(2, size=size)], heading="Film", thumbnail_width=120)
    ((top, left, bottom, right),) = _boxes(page, GRAY)
    assert (bottom - top, right - left) == shown
    assert left - 28 == 28 + 120 - right  # in the middle of its column


def test_shots_go_on_to_further_pages_in_order() -> None:
    rows = [SheetRow(f"shot {i}", _flat((90, i, 90)), [_flat(GRAY)], 0, "auto") for i in range(7)]
    pages = shot_sheets(rows, heading="Film", rows_per_page=3, thumbnail_width=80)
    assert [len(_boxes(page, GRAY)) for page in pages] == [3, 3, 1]
    assert len({page.shape[1] for page in pages}) == 1
    shown = [[int(page[y, 70, 1]) for y, *_ in _boxes(page, GRAY)] for page in pages]
    assert shown == [[0, 1, 2], [3, 4, 5], [6]]
    # The count of pages, which a sheet of one page does without.
    corner = pages[0][: 28 + 30, -28 - 90 : -28]
    (single,) = shot_sheets(rows[:3], heading="Film", thumbnail_width=80)
    assert (corner < 200).any()
    assert not (single[: 28 + 30, -28 - 90 : -28] < 200).any()


def test_a_film_of_many_shots_fills_pages() -> None:
    rows = [_row(4, chosen=index % 4) for index in range(100)]
    assert len(shot_sheets(rows, heading="Film", thumbnail_width=80)) == 13


def test_long_texts_stay_on_the_page() -> None:
    words = "a very long name " * 30
    rows = [_row(1), SheetRow(words, _flat(GRAY), [_flat(_colour(0))], 0, "auto")]
    pages = shot_sheets(rows, heading=words, note=words, rows_per_page=1, thumbnail_width=80)
    for page in pages:
        assert page.shape[1] == 2 * 28 + 3 * (80 + 14) - 14 + 14
        assert not (page[:, -28:] < 150).any()
    dark = (pages[0][: 28 + 30] < 150).all(axis=-1).any(axis=0)
    assert dark[28:200].sum() > 100


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"expected at least one shot, got none"),
        ([_row(2, chosen=2)], r"shot 1: expected a choice of 0 to 1, got 2"),
        ([_row(2, chosen=-1, by="hand")], r"shot 1: expected a choice of 0 to 1, got -1"),
        ([_row(1, by="kept")], r"shot 1: is kept, but has colourings"),
        ([_row(0)], r"shot 1: expected a choice .* got 0"),
    ],
)
def test_rows_that_cannot_be_drawn_are_refused(rows: list[SheetRow], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shot_sheets(rows, heading="Film")


def test_pictures_stand_in_a_grid_with_even_gaps() -> None:
    sheet = contact_sheet([[_flat(RED), _flat(GREEN)], [_flat(BLUE), None]], cell_width=40)
    red, green, blue = (_box(sheet, colour) for colour in (RED, GREEN, BLUE))
    assert sheet.dtype == np.uint8
    assert (red[2] - red[0], red[3] - red[1]) == (30, 40)
    assert (green[0], green[1] - red[3]) == (red[0], 14)
    assert (blue[1], blue[0] - red[2]) == (red[1], 14)
    assert sheet.shape[:2] == (blue[2] + red[0], green[3] + red[1])  # equal margins
    # The empty cell is a faint gray of the same shape.
    empty = sheet[blue[0] : blue[2], green[1] : green[3]]
    assert np.unique(empty).tolist() == [0xEC, 0xEF]


def test_pictures_of_other_shapes_keep_theirs() -> None:
    sheet = contact_sheet(
        [[_flat(RED), _flat(GREEN, (60, 40)), _flat(BLUE, (5, 20))]], cell_width=80
    )
    sizes = {}
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        top, left, bottom, right = _box(sheet, colour)
        sizes[name] = (bottom - top, right - left)
    assert sizes == {"red": (60, 80), "green": (60, 40), "blue": (20, 80)}


def test_texts_are_written_where_they_belong() -> None:
    rows = [[_flat(RED, (60, 80))], [_flat(GREEN, (60, 80))]]
    plain = contact_sheet(rows, cell_width=80)
    sheet = contact_sheet(
        rows,
        column_titles=["k = 0"],
        row_titles=["first clip", "second"],
        captions=[["30 dB"], ["31 dB"]],
        title="T",
        cell_width=80,
    )
    assert sheet.shape[0] > plain.shape[0]
    assert sheet.shape[1] > plain.shape[1]
    dark = (sheet < 128).all(axis=-1)
    red, green = _box(sheet, RED), _box(sheet, GREEN)
    assert dark[: red[0], red[1] : red[3]].any()  # column title
    assert dark[red[0] : red[2], : red[1]].any()  # row titles
    assert dark[green[0] : green[2], : green[1]].any()
    assert dark[red[2] : green[0], red[1] : red[3]].any()  # captions
    assert dark[green[2] :, red[1] : red[3]].any()
    assert not dark[:, red[3] :].any()
    # Letters have soft edges.
    assert len(np.unique(sheet[: red[0]])) > 2


def test_long_texts_stay_beside_and_within_their_cells() -> None:
    name = "a_very_long_name_of_a_clip_without_a_single_space_in_it"
    row = [_flat(RED, (60, 80)), _flat(BLUE, (60, 80))]
    sheet = contact_sheet([row], column_titles=[name, ""], row_titles=[name], cell_width=80)
    red, blue = _box(sheet, RED), _box(sheet, BLUE)
    assert red[1] < 28 + 170 + 20
    assert not (sheet[: red[0], blue[1] :] < 128).any()


@pytest.mark.parametrize("text", ["Ну, погоди", "240×320", "größer", "ΔE ↓"])
def test_letters_beyond_ascii_are_not_boxes(text: str) -> None:
    glyphs = set()
    for letter in text.replace(" ", ""):
        sheet = contact_sheet([[_flat(RED)]], row_titles=[letter], title="×", cell_width=40)
        glyphs.add(sheet[:, : _box(sheet, RED)[1]].tobytes())
    # A missing letter would look like every other missing letter.
    assert len(glyphs) == len(set(text.replace(" ", "")))


@pytest.mark.parametrize(
    ("titles", "message"),
    [
        ({"column_titles": ["a"]}, r"expected 2 column titles, got 1"),
        ({"row_titles": ["a", "b"]}, r"expected 1 row titles, got 2"),
        ({"captions": [["a"]]}, r"row 0 has 2 pictures and 1 captions"),
        ({"captions": [["a", "b"], ["c"]]}, r"expected 1 rows of captions, got 2"),
    ],
)
def test_titles_must_fit_the_pictures(titles: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        contact_sheet([[_flat(RED), _flat(GREEN)]], **titles)  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [[], [[]], [[None, None]]])
def test_a_sheet_without_pictures_is_refused(rows: list[list[None]]) -> None:
    with pytest.raises(ValueError, match=r"no picture was given"):
        contact_sheet(rows)


def test_the_saved_png_holds_the_sheet(tmp_path: Path) -> None:
    sheet = contact_sheet([[_flat(RED), _flat(GREEN)]], title="Sheet", cell_width=40)
    save_sheet(tmp_path / "new" / "sheet.png", sheet)
    with Image.open(tmp_path / "new" / "sheet.png") as image:
        assert image.format == "PNG"
        assert np.array_equal(np.array(image), sheet)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]


def test_each_row_has_the_shape_of_its_own_pictures() -> None:
    sheet = contact_sheet([[_flat(RED)], [_flat(GREEN, (80, 40))], [_flat(BLUE)]], cell_width=40)
    sizes = [
        (bottom - top, right - left)
        for top, left, bottom, right in map(partial(_box, sheet), (RED, GREEN, BLUE))
    ]
    assert sizes == [(30, 40), (56, 28), (30, 40)]  # portraits are at most 1.4 widths tall


def test_drawing_needs_no_matplotlib() -> None:
    code = (
        "import sys, colorize.imaging.contact_sheet as s; s._font(13); print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'PIL.ImageFont'" in done.stdout
    assert "matplotlib" not in done.stdout
