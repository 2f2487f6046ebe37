"""Palettes: kept as JSON, exchanged as GIMP's, refused when they are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL.GimpPaletteFile import GimpPaletteFile

from colorize.base.errors import UserError
from colorize.films.painting.palette import (
    FORMAT,
    Palette,
    Swatch,
    colors_of_gpl,
    gpl_of,
    read_palette,
)

JACKET, SKY = Swatch(3, "#c04d08", "Jerry's jacket"), Swatch(7, "#80b0ff")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "palette.json"
    Palette((JACKET, SKY)).write(path)
    assert read_palette(path) == Palette((JACKET, SKY))
    assert json.loads(path.read_bytes())["swatches"][0] == {
        "id": 3, "color": "#c04d08", "name": "Jerry's jacket"
    }  # fmt: skip


def test_new_colours_get_new_numbers_and_the_same_colour_without_a_name_only_one() -> None:
    palette, new = Palette((JACKET, SKY)).added("#102030")
    assert new == Swatch(8, "#102030")
    assert palette.added("#102030") == (palette, new)
    assert palette.added("#c04d08")[1].id == 9  # not the jacket's: that may change
    with pytest.raises(UserError, match="two swatches are called Jerry's jacket"):
        palette.added("#000000", "Jerry's jacket")


def test_a_swatch_is_changed_and_removed_in_its_place() -> None:
    palette = Palette((JACKET, SKY)).changed(3, color="#00ff00", name=None)
    assert palette.swatches == (Swatch(3, "#00ff00"), SKY)
    assert palette.without(3).swatches == (SKY,)
    with pytest.raises(UserError, match="there is no swatch 4"):
        palette.changed(4, color="#00ff00", name=None)


def test_after_the_last_number_free_ones_are_used() -> None:
    palette = Palette((Swatch(1, "#000000"), Swatch(65535, "#ffffff")))
    assert palette.added("#808080")[1].id == 2


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[]", "expected JSON with format 'tooncolor-palette-1'"),
        ("{", "is no palette: it is no JSON"),
        ({"swatches": 3}, "swatches is 3: expected a list"),
        ({"swatches": [{"id": 1}]}, "expected a number and a color"),
        ({"swatches": [{"id": True, "color": "#000000"}]}, "expected a number and a color"),
        ({"swatches": [{"id": 0, "color": "#000000"}]}, "expected a number from 1 to 65535"),
        ({"swatches": [{"id": 1, "color": "red"}]}, "expected one like #c04d08"),
        ({"swatches": [{"id": 1, "color": "#000000", "name": " "}]}, "expected 1 to 80 letters"),
        ({"swatches": [{"id": 1, "color": "#000000"}] * 2}, "two swatches have the number 1"),
        ({"swatches": [{"id": 1, "color": "#000000", "gamma": 2}]}, "expected id, color and name"),
    ],
)
def test_what_is_no_palette_is_refused_by_its_name(tmp_path: Path, content, line: str) -> None:
    path = tmp_path / "palette.json"
    text = content if isinstance(content, str) else json.dumps({"format": FORMAT, **content})
    path.write_text(text)
    with pytest.raises(UserError, match=line) as refused:
        read_palette(path)
    assert str(path) in str(refused.value)


def test_another_program_reads_the_palette_of_gimp(tmp_path: Path) -> None:
    path = tmp_path / "series.gpl"
    path.write_text(gpl_of(Palette((JACKET, SKY)), "A series"))
    with path.open("rb") as file:
        colors, mode = GimpPaletteFile(file).getpalette()
    assert mode == "RGB"
    assert colors[:6] == bytes((0xC0, 0x4D, 0x08, 0x80, 0xB0, 0xFF))


def test_a_palette_of_gimp_is_read_with_its_names() -> None:
    text = (
        "GIMP Palette\r\nName: Bears\r\nColumns: 16\r\n#\r\n"
        "  0   0   0\tUntitled\n255 128  64   Fur, light\n 12  34  56\n255 0 0\tFur, light\n"
        "18 52 86\t#123456\n"
    )
    assert colors_of_gpl(text, "bears.gpl") == [
        ("#000000", None), ("#ff8040", "Fur, light"), ("#0c2238", None), ("#ff0000", None),
        ("#123456", None),
    ]  # fmt: skip
    assert colors_of_gpl(gpl_of(Palette((JACKET, SKY)), "x"), "x.gpl") == [
        ("#c04d08", "Jerry's jacket"), ("#80b0ff", None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "bears.gpl is no palette of GIMP"),
        ("GIMP Palette\n256 0 0\tTooRed\n", "bears.gpl, line 2: "),
        ("GIMP Palette\nred\n", "bears.gpl, line 2: "),
    ],
)
def test_what_is_no_palette_of_gimp_is_refused(text: str, line: str) -> None:
    with pytest.raises(UserError, match=line):
        colors_of_gpl(text, "bears.gpl")


def test_colours_of_another_palette_take_the_place_of_those_of_their_names() -> None:
    palette = Palette((JACKET, SKY)).with_colors([("#00ff00", "Jerry's jacket"), ("#010203", None)])
    assert palette.swatches == (
        Swatch(3, "#00ff00", "Jerry's jacket"), SKY, Swatch(8, "#010203")
    )  # fmt: skip
