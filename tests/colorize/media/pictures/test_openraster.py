"""OpenRaster files: what was painted comes back to the pixel; what is damaged is one clear line."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.media import Frame, MediaError
from colorize.media.pictures.openraster import (
    COLORS,
    DRAFT,
    DRAWING,
    LUMINOSITY,
    Layer,
    draw_frame,
    encode_openraster,
    read_openraster,
)

HEIGHT, WIDTH = 24, 40
GENERATOR = np.random.default_rng(3)
GRAY = GENERATOR.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
LINES = np.repeat(GRAY[..., None], 3, axis=2)
RGB = GENERATOR.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
ALPHA = GENERATOR.integers(1, 256, (HEIGHT, WIDTH), dtype=np.uint8)
DRAFTED = GENERATOR.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def write(path: Path, *layers: Layer) -> Path:
    path.write_bytes(encode_openraster(layers, merged=LINES))
    return path


def stacked(path: Path, stack: str, **pictures: np.ndarray) -> Path:
    """Write a file by hand: the text inside <image>, and layers by name."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        text = f'<image version="0.0.3" w="{WIDTH}" h="{HEIGHT}">{stack}</image>'
        archive.writestr("stack.xml", text)
        for name, pixels in pictures.items():
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, "PNG")
            archive.writestr(f"data/{name}.png", content.getvalue())
    return path


@pytest.fixture
def suggested(tmp_path: Path) -> Path:
    path = tmp_path / "frame_0012.ora"
    path.write_bytes(draw_frame(Frame(12, "", LINES), draft=DRAFTED))
    return path


def test_a_file_is_laid_out_as_the_specification_says(suggested) -> None:
    with zipfile.ZipFile(suggested) as archive:
        first, *_ = archive.infolist()
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        merged = np.array(Image.open(io.BytesIO(archive.read("mergedimage.png"))))
        thumbnail = Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png")))
        text = archive.read("stack.xml").decode()
    assert (merged == LINES).all()
    assert thumbnail.size == (WIDTH, HEIGHT)
    drawing, colors, draft = (text.index(f'"{name}"') for name in (DRAWING, COLORS, DRAFT))
    assert drawing < colors < draft  # from the top
    assert text.count('edit-locked="true"') == text.count('visibility="hidden"') == 1
    assert f'composite-op="{LUMINOSITY}"' in text


def test_nothing_is_painted_in_a_fresh_file(suggested) -> None:
    painting = read_openraster(suggested)
    assert painting.drawing is not None
    assert (painting.drawing == LINES).all()
    assert not painting.colors.alpha.any()


def test_another_library_paints_and_every_pixel_comes_back(suggested, tmp_path) -> None:
    pyora = pytest.importorskip("pyora", reason="pip install pyora: OpenRaster by others")
    project = pyora.Project.load(str(suggested))
    layers = {layer.name: layer for layer in project.iter_layers}
    assert set(layers) == {DRAWING, COLORS, DRAFT}
    assert np.array_equal(np.array(layers[DRAFT].get_image_data())[..., :3], DRAFTED)
    assert not layers[DRAFT].visible
    layers[COLORS].set_image_data(Image.fromarray(np.dstack([RGB, ALPHA])))
    project.save(str(tmp_path / "painted.ora"))
    painting = read_openraster(tmp_path / "painted.ora")
    assert (painting.colors.rgb == RGB).all()
    assert (painting.colors.alpha == ALPHA).all()
    assert painting.drawing is not None
    assert (painting.drawing[..., :3] == LINES).all()


def test_16_bits_come_back(tmp_path) -> None:
    rgb = GENERATOR.integers(0, 65536, (HEIGHT, WIDTH, 3), dtype=np.uint16)
    alpha = GENERATOR.integers(1, 65536, (HEIGHT, WIDTH), dtype=np.uint16)
    painting = read_openraster(write(tmp_path / "a.ora", Layer("colours", rgb, alpha)))
    assert painting.colors.rgb.dtype == np.uint16
    assert (painting.colors.rgb == rgb).all()
    assert (painting.colors.alpha == alpha).all()
    assert painting.drawing is None


def test_layers_lie_over_one_another_as_in_another_program(tmp_path) -> None:
    """Pillow's own compositing is the oracle."""
    below, above = np.dstack([RGB, ALPHA]), np.dstack([DRAFTED, ALPHA[::-1]])
    path = write(
        tmp_path / "a.ora",
        Layer("top", DRAFTED, ALPHA[::-1]),
        Layer("unseen", LINES, visible=False),
        Layer("bottom", RGB, ALPHA),
    )
    expected = np.array(Image.alpha_composite(Image.fromarray(below), Image.fromarray(above)))
    found = read_openraster(path).colors
    assert np.abs(found.alpha.astype(int) - expected[..., 3]).max() <= 1
    assert np.abs(found.rgb.astype(int) - expected[..., :3]).max() <= 2  # Pillow's 8-bit steps
    assert np.abs(expected[..., :3].astype(int) - RGB).max() > 50


def test_offsets_opacity_and_groups_are_followed(tmp_path) -> None:
    patch = np.full((4, 6, 4), (200, 30, 10, 255), np.uint8)
    stack = (
        '<stack><stack name="group" opacity="0.5">'
        '<layer name="one" src="data/patch.png" x="-2" y="3"/>'
        '<layer name="two" src="data/patch.png" x="30.0" y="20.0" opacity="0.4"/></stack>'
        '<layer name="off" src="data/patch.png" visibility="hidden" composite-op="svg:screen"/>'
        "</stack>"
    )
    colors = read_openraster(stacked(tmp_path / "a.ora", stack, patch=patch)).colors
    assert (colors.alpha[3:7, :4] == 128).all()
    assert (colors.alpha[20:, 30:36] == 51).all()
    assert colors.alpha.astype(bool).sum() == 4 * 4 + 4 * 6
    assert (colors.rgb[colors.alpha > 0] == (200, 30, 10)).all()


def test_a_drawing_is_told_by_its_name_or_its_mode(tmp_path) -> None:
    pixels = np.dstack([LINES, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    for mark in ('name="Drawing"', f'name="ink" composite-op="{LUMINOSITY}"'):
        stack = f'<stack><layer {mark} src="data/lines.png"/></stack>'
        painting = read_openraster(stacked(tmp_path / "a.ora", stack, lines=pixels))
        assert not painting.colors.alpha.any()
        assert painting.drawing is not None
        assert (painting.drawing == LINES).all()


def test_a_mode_that_is_not_known_names_its_layer_and_the_remedy(tmp_path) -> None:
    path = write(tmp_path / "a.ora", Layer("shade", RGB, ALPHA, operation="svg:multiply"))
    with pytest.raises(MediaError, match=r"'shade' is blended by svg:multiply.*Normal, or merge"):
        read_openraster(path)


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("<stack><layer src='data/gone.png'/></stack>", "there is no data/gone.png"),
        ("<stack><layer src='data/a.png' opacity='much'/></stack>", "could not convert"),
        ("<stack><layer src='data/a.png' x='0.5'/></stack>", "no whole number"),
        ("<stack>" + "<stack>" * 60 + "</stack>" * 60 + "</stack>", "more than 50 deep"),
        ("", "has no layers"),
        ("<stack>" + "<layer src='data/a.png'/>" * 501 + "</stack>", "more than 500"),
        ("<stack>", "damaged or no OpenRaster file"),
    ],
)
def test_what_is_wrong_inside_is_one_line(tmp_path, stack, message) -> None:
    path = stacked(tmp_path / "a.ora", stack, a=RGB)
    with pytest.raises(MediaError, match=message) as caught:
        read_openraster(path)
    assert str(path) in str(caught.value)


def test_entities_and_huge_pictures_are_refused_before_they_grow(tmp_path) -> None:
    path = tmp_path / "a.ora"
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><image w="4" h="4"><stack/></image>'
    large = '<image w="30000" h="30000"><stack/></image>'
    for text, message in ((bomb, "declares"), (large, "30000x30000")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("stack.xml", text)
        with pytest.raises(MediaError, match=message):
            read_openraster(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stack.xml", " " * 2**21)
    with pytest.raises(MediaError, match=r"stack\.xml has 2097152 bytes"):
        read_openraster(path)


def test_files_cut_off_anywhere_are_refused(suggested) -> None:
    content = suggested.read_bytes()
    for length in np.linspace(0, len(content) - 1, 40).astype(int):
        suggested.write_bytes(content[:length])
        with pytest.raises(MediaError, match="damaged or no OpenRaster"):
            read_openraster(suggested)


def test_bytes_changed_anywhere_raise_nothing_else(suggested) -> None:
    content = suggested.read_bytes()
    for place in GENERATOR.integers(0, len(content), 200):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        suggested.write_bytes(bytes(changed))
        with contextlib.suppress(MediaError):
            read_openraster(suggested)
