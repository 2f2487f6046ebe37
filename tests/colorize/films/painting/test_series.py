"""Palettes with examples: what is written is read again, and what is wrong with a file is said."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from colorize.base.errors import UserError
from colorize.films.painting.palette import Palette, Swatch, read_palette
from colorize.films.painting.series import (
    Example,
    Series,
    example_of,
    example_paths,
    read_example,
    read_series,
)
from colorize.media import Frame

PALETTE = Palette((Swatch(3, "#c04d08", "coat"), Swatch(700, "#2040a0")))


def example(name: str = "shot 1") -> Example:
    gray = np.arange(48 * 64, dtype=np.uint32).reshape(48, 64) * 255 // (48 * 64)
    layer = np.zeros((48, 64), np.uint16)
    layer[10:20, 5:30], layer[30:40, 40:60] = 3, 700
    return Example(name, gray.astype(np.uint8), layer)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "series.json"
    Series(PALETTE, (example(), example("shot 2"))).write(path)
    found = read_series(path)
    assert found.palette == PALETTE == read_palette(path)
    assert [each.name for each in found.examples] == ["shot 1", "shot 2"]
    assert np.array_equal(found.examples[1].gray, example().gray)
    assert np.array_equal(found.examples[1].layer, example().layer)


def test_an_example_is_small_and_keeps_its_swatches() -> None:
    gray = np.full((1080, 1920, 3), 90, np.uint8)
    layer = np.zeros((1080, 1920), np.uint16)
    layer[:540] = 3
    found = example_of(Frame(7, "", gray), layer, "large")
    assert found.gray.shape == found.layer.shape == (360, 640)
    assert np.all(found.gray == 90)
    assert set(np.unique(found.layer)) == {0, 3}
    assert abs(float((found.layer == 3).mean()) - 0.5) < 0.01


def test_an_example_is_a_picture_of_parts_on_its_drawing(tmp_path: Path) -> None:
    path = tmp_path / "series.json"
    Series(PALETTE, (example(),)).write(path)
    ((name, place, digest),) = example_paths(path)
    picture, drawing = read_example(place)
    assert name == "series.json: shot 1"
    assert len(digest) == 64
    assert np.array_equal(drawing.rgb[..., 1], example().gray)
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha > 0, example().layer > 0)
    red, _, blue = picture.rgb[35, 50].astype(int)
    assert blue > red + 20
    before = digest
    changed = PALETTE.changed(700, color="#20a040", name=None)
    Series(changed, (example(),)).write(path)
    assert example_paths(path)[0][2] != before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.update(format="other"), "is no palette"),
        (lambda content: content.update(examples=3), "examples: expected a list"),
        (lambda content: content["examples"][0].pop("layer"), "expected name, frame and layer"),
        (lambda content: content["examples"][0].update(frame="?"), "no base64"),
        (lambda content: content["examples"][0].update(frame="aGFsbG8="), "no PNG"),
        (lambda content: content["examples"].append(content["examples"][0]), "two examples"),
        (lambda content: content["swatches"].pop(), "swatch 700, which the palette has not"),
        (
            lambda content: content["examples"][0].update(layer=content["examples"][0]["frame"]),
            "a layer of 16",
        ),
        (lambda content: content.update(examples=content["examples"] * 65), "at most 64"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, change, said: str) -> None:
    path = tmp_path / "series.json"
    Series(PALETTE, (example(),)).write(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=said) as error:
        read_series(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_picture_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "series.json"
    Series(PALETTE, (example(),)).write(path)
    content = json.loads(path.read_text())
    packed = bytearray(base64.b64decode(content["examples"][0]["layer"]))
    packed[16:24] = (60000).to_bytes(4, "big") * 2
    content["examples"][0]["layer"] = base64.b64encode(packed).decode()
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="60000×60000"):
        read_series(path)


def test_a_palette_without_examples_carries_nothing(tmp_path: Path) -> None:
    path = tmp_path / "palette.json"
    PALETTE.write(path)
    assert read_series(path).examples == ()
    with pytest.raises(UserError, match="has no examples"):
        example_paths(path)


def test_an_example_that_is_gone_is_told(tmp_path: Path) -> None:
    path = tmp_path / "series.json"
    Series(PALETTE, (example(),)).write(path)
    with pytest.raises(UserError, match="no example 2 any more"):
        read_example(f"{path}#2")
