from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import ImageColor

from colorize.imaging.contact_sheet import FRAME, By, SheetRow, draw_contact_sheet

GRAY = (90, 90, 90)
BLUE, ORANGE = (ImageColor.getrgb(FRAME[by]) for by in ("auto", "hand"))


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


@pytest.mark.parametrize("count", range(1, 9))
def test_all_colourings_stand_in_lines_of_four_beside_the_original(count: int) -> None:
    (page,) = draw_contact_sheet([_row(count)], heading="Film", thumbnail_width=80)
    ((top, left, bottom, right),) = _boxes(page, GRAY)
    assert (bottom - top, right - left) == (60, 80)
    for number in range(count):
        ((y, x, below, _),) = _boxes(page, _colour(number))
        line, column = divmod(number, 4)
        assert x == left + (column + 1) * (80 + 20) + 16
        assert (y, below) == (top + line * 100, bottom + line * 100)
        assert x + 80 <= page.shape[1] - left


@pytest.mark.parametrize(("by", "colour"), [("auto", BLUE), ("hand", ORANGE)])
@pytest.mark.parametrize("chosen", [0, 2, 5])
def test_the_chosen_tile_and_no_other_is_framed(
    by: By, colour: tuple[int, int, int], chosen: int
) -> None:
    row = _row(6, chosen=chosen, by=by)
    (page,) = draw_contact_sheet([row], heading="Film", thumbnail_width=160)
    ((top, left, bottom, right),) = _boxes(page, _colour(chosen))
    assert _framed(page, colour, 172) == (top - 6, left - 6, bottom + 6, right + 6)
    other = ORANGE if by == "auto" else BLUE
    assert not (page == np.array(other, np.uint8)).all(axis=-1).any()
    # The badge with the number stands below the picture, and within its width.
    below = (page[bottom + 6 :] == np.array(colour, np.uint8)).all(axis=-1)
    columns = np.flatnonzero(below.any(axis=0))
    assert left < columns[0] < columns[-1] < right
    assert below.sum() > 500


def test_a_kept_shot_shows_its_own_picture_alone() -> None:
    kept = SheetRow("shot 2", _flat(_colour(3)), [], 0, "kept")
    (page,) = draw_contact_sheet([_row(2, chosen=1), kept], heading="Film", thumbnail_width=80)
    assert len(_boxes(page, GRAY)) == 1
    ((top, *_),) = _boxes(page, _colour(3))
    ((_, _, bottom, _),) = _boxes(page, GRAY)
    assert top > bottom
    assert not (page[bottom + 40 :] == np.array(BLUE, np.uint8)).all(axis=-1).any()


@pytest.mark.parametrize(
    ("size", "shown"),
    [((60, 80), (90, 120)), ((20, 200), (12, 120)), ((300, 100), (168, 56)), ((1, 4000), (1, 120))],
    ids=["4:3", "wide", "portrait", "a line"],
)
def test_pictures_keep_their_shape(size: tuple[int, int], shown: tuple[int, int]) -> None:
    (page,) = draw_contact_sheet([_row(2, size=size)], heading="Film", thumbnail_width=120)
    ((top, left, bottom, right),) = _boxes(page, GRAY)
    assert (bottom - top, right - left) == shown
    assert left - 32 == 32 + 120 - right  # in the middle of its column


def test_shots_go_on_to_further_pages_in_order() -> None:
    rows = [SheetRow(f"shot {i}", _flat((90, i, 90)), [_flat(GRAY)], 0, "auto") for i in range(7)]
    pages = draw_contact_sheet(rows, heading="Film", rows_per_page=3, thumbnail_width=80)
    assert [len(_boxes(page, GRAY)) for page in pages] == [3, 3, 1]
    assert len({page.shape[1] for page in pages}) == 1
    shown = [[int(page[y, 70, 1]) for y, *_ in _boxes(page, GRAY)] for page in pages]
    assert shown == [[0, 1, 2], [3, 4, 5], [6]]
    # The count of pages, which a sheet of one page does without.
    corner = pages[0][: 32 + 30, -32 - 90 : -32]
    (single,) = draw_contact_sheet(rows[:3], heading="Film", thumbnail_width=80)
    assert (corner < 200).any()
    assert not (single[: 32 + 30, -32 - 90 : -32] < 200).any()


def test_a_film_of_many_shots_fills_pages() -> None:
    rows = [_row(4, chosen=index % 4) for index in range(100)]
    assert len(draw_contact_sheet(rows, heading="Film", thumbnail_width=80)) == 13


def test_long_texts_stay_on_the_page() -> None:
    words = "a very long name " * 30
    rows = [_row(1), SheetRow(words, _flat(GRAY), [_flat(_colour(0))], 0, "auto")]
    pages = draw_contact_sheet(rows, heading=words, note=words, rows_per_page=1, thumbnail_width=80)
    for page in pages:
        assert page.shape[1] == 2 * 32 + 3 * 100 - 20 + 16
        assert not (page[:, -32:] < 150).any()
    dark = (pages[0][: 32 + 30] < 150).all(axis=-1).any(axis=0)
    assert dark[32:200].sum() > 100


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
        draw_contact_sheet(rows, heading="Film")
