from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.imaging.sheet import contact_sheet, save_sheet

RED, GREEN, BLUE = (200, 20, 30), (10, 180, 40), (20, 30, 210)


def _flat(colour: tuple[int, int, int], size: tuple[int, int] = (30, 40)) -> np.ndarray:
    return np.full((*size, 3), colour, dtype=np.uint8)


def _box(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right of the pixels of one colour, which must fill the box."""
    rows, columns = np.nonzero((sheet == colour).all(axis=-1))
    top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    assert len(rows) == (bottom - top) * (right - left)
    return int(top), int(left), int(bottom), int(right)


def test_pictures_stand_in_a_grid_with_even_gaps() -> None:
    sheet = contact_sheet([[_flat(RED), _flat(GREEN)], [_flat(BLUE), None]], cell_width=40)
    red, green, blue = (_box(sheet, colour) for colour in (RED, GREEN, BLUE))
    assert sheet.dtype == np.uint8
    assert (red[2] - red[0], red[3] - red[1]) == (30, 40)
    assert (green[0], green[1] - red[3]) == (red[0], 10)
    assert (blue[1], blue[0] - red[2]) == (red[1], 10)
    assert sheet.shape[:2] == (blue[2] + red[0], green[3] + red[1])  # equal margins
    # The empty cell is a faint gray of the same shape.
    empty = sheet[blue[0] : blue[2], green[1] : green[3]]
    assert np.unique(empty).tolist() == [0xF1]


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
    assert red[1] < 24 + 150 + 20
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
