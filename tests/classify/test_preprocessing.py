"""From a file to the planes of a network."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from classify.preprocessing import PictureError, Preprocessing, decode, to_unit
from tests.classify.samples import noise, png


def test_color_of_the_right_size_is_kept_pixel_by_pixel() -> None:
    pixels = noise(0, (5, 7))
    planes = Preprocessing(size=(5, 7), channels=3).of_file(png(pixels), "x.png")
    np.testing.assert_array_equal(planes, pixels.transpose(2, 0, 1))


def test_gray_is_the_luma_of_bt_601() -> None:
    pixels = noise(1, (6, 4))
    planes = Preprocessing(size=(6, 4), channels=1).of_file(png(pixels), "x.png")
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    assert planes.shape == (1, 6, 4)
    assert np.abs(planes[0] - luma).max() <= 0.51


def test_shrinking_averages_and_may_change_the_shape() -> None:
    columns = np.repeat(np.array([[0, 200]], np.uint8), 40, axis=0).repeat(40, axis=1)
    planes = Preprocessing(size=(4, 2), channels=1).of_array(columns)
    # A triangle of 40 pixels to either side, cut off at the edge: 5 of its 35 lie beyond 40.
    assert planes.shape == (1, 4, 2)
    assert abs(int(planes[0, 0, 0]) - 200 / 7) < 1
    assert abs(int(planes[0, 0, 1]) - 200 * 6 / 7) < 1


def test_transparency_shows_white_paper() -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    shown = np.asarray(decode(png(rgba), "x.png"))
    assert shown[0, 0].tolist() == [10, 20, 30]
    assert shown[1, 1].tolist() == [255, 255, 255]


def test_sixteen_bits_become_eight() -> None:
    deep = np.array([[0, 257 * 100], [257 * 200, 65535]], np.uint16)
    assert np.asarray(decode(png(deep), "x.png")).tolist() == [[0, 100], [200, 255]]


def test_an_animation_shows_its_first_picture_and_exif_turns() -> None:
    frames = [Image.fromarray(np.full((3, 4), value, np.uint8)) for value in (255, 0)]
    content = io.BytesIO()
    frames[0].save(content, format="GIF", save_all=True, append_images=frames[1:])
    assert np.asarray(decode(content.getvalue(), "x.gif")).max() == 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    content = io.BytesIO()
    Image.new("RGB", (4, 3)).save(content, format="JPEG", exif=exif)
    assert decode(content.getvalue(), "x.jpg").size == (3, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a/b\.png is not a picture that can be read"),
        (b"no picture at all", r"a/b\.png is not a picture"),
        (png(noise(0, (64, 64)))[:3000], r"a/b\.png is damaged"),
    ],
)
def test_a_broken_file_is_named(content, message) -> None:
    with pytest.raises(PictureError, match=message) as error:
        decode(content, "a/b.png")
    assert "\n" not in str(error.value)


def test_unit_range() -> None:
    pictures = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    torch.testing.assert_close(to_unit(pictures).flatten(), torch.tensor([0.0, 0.2, 1.0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": (5,), "channels": 1}, r"preprocessing\.size is \[5\]"),
        ({"size": (5, 5), "channels": 4}, r"preprocessing\.channels is 4"),
    ],
)
def test_wrong_settings(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Preprocessing(**settings)
