"""Layers of swatches: kept exactly, and painted on the luma that was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.base.errors import UserError
from colorize.films.painting.layer import check_layer, layer_png, painted, read_layer
from colorize.films.painting.palette import Palette, Swatch
from colorize.media import Frame

PALETTE = Palette((Swatch(2, "#8080c0"), Swatch(40000, "#ff0000")))


def layer() -> np.ndarray:
    made = np.zeros((4, 6), dtype=np.uint16)
    made[1, 2], made[3, 5] = 2, 40000
    return made


def frame(luma: int = 128, dtype: type = np.uint8) -> Frame:
    return Frame(3, "", np.full((4, 6, 3), luma, dtype=dtype))


def test_a_layer_is_read_as_it_was_written_by_others_too(tmp_path: Path) -> None:
    path = tmp_path / "layer.png"
    path.write_bytes(layer_png(layer()))
    assert np.array_equal(read_layer(path), layer())
    assert np.array_equal(np.asarray(Image.open(path)), layer())


@pytest.mark.parametrize("content", [b"", b"no picture", b"short"])
def test_a_damaged_layer_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "layer.png"
    path.write_bytes(layer_png(layer())[:40] if content == b"short" else content)
    with pytest.raises(UserError, match=r"layer\.png is damaged"):
        read_layer(path)


def test_paint_keeps_the_luma_and_the_rest_is_clear() -> None:
    picture = painted(frame(128), layer(), PALETTE)
    assert np.array_equal(np.argwhere(picture.alpha), [[1, 2], [3, 5]])
    assert set(np.unique(picture.alpha)) == {0, 255}
    # #8080c0 has a luma of 135.3, Cb = (192 - 135.3) / 1.772, Cr = (128 - 135.3) / 1.402.
    red = 128 + (128 - 135.296)
    blue = 128 + (192 - 135.296)
    green = (128 - 0.299 * red - 0.114 * blue) / 0.587
    assert np.allclose(picture.rgb[1, 2], (red, green, blue), atol=1)
    assert picture.index == 3
    assert abs(float(picture.gray()[3, 5]) * 255 - 128) < 1  # red's own luma is 76


def test_deep_frames_get_deep_paint() -> None:
    picture = painted(frame(30000, np.uint16), layer(), PALETTE)
    assert picture.rgb.dtype == picture.alpha.dtype == np.uint16
    assert picture.alpha.max() == 65535
    assert abs(float(picture.gray()[1, 2]) * 65535 - 30000) < 1.5


def test_a_layer_of_another_size_or_palette_is_refused() -> None:
    check_layer(layer(), frame(), PALETTE)
    with pytest.raises(UserError, match="a layer of 5×4 pixels: frame 3 has 6×4"):
        check_layer(layer()[:, :5], frame(), PALETTE)
    with pytest.raises(UserError, match="swatch 40000, which the palette has not"):
        check_layer(layer(), frame(), PALETTE.without(40000))
