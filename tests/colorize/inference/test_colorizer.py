"""The Python API: frames and references of every kind in, the command line's pixels out."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from PIL import Image

import colorize
from colorize.base.errors import UserError
from colorize.films import command as cli
from colorize.inference import colorizer as module
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import RenderSettings
from tests.colorize.films.drawn import moving_blocks, save, tinted, write_frames
from tests.colorize.tiny import write_reference_safetensors, write_safetensors

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_reference_safetensors(tmp_path_factory.mktemp("api") / "model.safetensors")


@pytest.fixture(scope="module")
def colorizer(checkpoint: Path) -> Colorizer:
    return Colorizer.load(checkpoint, device="cpu")


@pytest.fixture(scope="module")
def grays() -> list[np.ndarray]:
    """Six gray frames of 64x96 in 8 bits."""
    return moving_blocks((6,))


def rgba(gray: np.ndarray, *, hidden: tuple[int, int, int]) -> np.ndarray:
    """The colours of a frame, its right half transparent, with something arbitrary under it."""
    picture = np.dstack([tinted(gray), np.full(gray.shape, 255, dtype=np.uint8)])
    picture[:, 48:, :3], picture[:, 48:, 3] = hidden, 0
    return picture


def test_it_is_what_the_package_offers() -> None:
    assert colorize.Colorizer is Colorizer
    with pytest.raises(AttributeError, match="module 'colorize' has no attribute 'Colourizer'"):
        colorize.Colourizer  # noqa: B018


def test_the_example_of_its_documentation_runs() -> None:
    results = doctest.testmod(module)
    assert results.attempted >= 7
    assert results.failed == 0


def test_a_gray_frame_comes_back_in_colour_with_its_luma(colorizer, grays) -> None:
    colored = colorizer(grays[0])
    assert (colored.shape, colored.dtype) == ((64, 96, 3), np.uint8)
    assert np.ptp(colored.astype(int), axis=2).max() > 20
    assert np.abs(colored @ LUMA - grays[0]).max() <= 1


def test_three_channels_give_their_luma(colorizer, grays) -> None:
    colored = tinted(grays[0])
    found = colorizer(colored)
    assert np.abs(found @ LUMA - colored @ LUMA).max() <= 1
    wide = np.repeat(grays[0][..., None], 3, axis=2)
    assert np.array_equal(colorizer(wide), colorizer(grays[0]))


def test_sixteen_bits_stay_sixteen_bits(colorizer, grays) -> None:
    deep = colorizer(grays[0].astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - colorizer(grays[0])).max() <= 0.51


def test_a_list_of_frames_is_a_shot(colorizer, grays) -> None:
    shot = colorizer(grays)
    assert [each.shape for each in shot] == [(64, 96, 3)] * 6
    # The background stands still, to the bit; alone a frame has no neighbours.
    assert all(np.array_equal(each[56:], shot[0][56:]) for each in shot)
    (alone,) = colorizer(grays[:1])
    assert np.array_equal(alone, colorizer(grays[0]))


@pytest.mark.parametrize("count", [None, 1, 3])
def test_tensors_come_back_as_tensors_of_the_same_colours(colorizer, grays, count) -> None:
    deep = [gray.astype(np.uint16) * 257 for gray in grays[: count or 1]]
    planes = torch.from_numpy(np.stack(deep).astype(np.float32) / 65535)[:, None]
    colored = colorizer(planes[0] if count is None else planes)
    assert colored.shape == ((3, 64, 96) if count is None else (count, 3, 64, 96))
    expected = np.stack(colorizer(deep)).transpose(0, 3, 1, 2) / 65535
    found = colored.reshape(-1, 3, 64, 96).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_half_tensors_are_taken_too(colorizer, grays) -> None:
    gray = torch.from_numpy(grays[0].astype(np.float32) / 255)[None]
    half, double = colorizer(gray.half()), colorizer(gray.double())
    assert half.dtype == double.dtype == torch.float32
    assert float((half - double).abs().mean()) < 2e-3


def test_references_of_every_kind_give_the_same(colorizer, grays, tmp_path: Path) -> None:
    colored = tinted(grays[2])
    file = save(tmp_path / "sheet.png", colored)
    plane = torch.from_numpy(colored).permute(2, 0, 1).double() / 255
    opaque = np.dstack([colored, np.full(grays[2].shape, 255, dtype=np.uint8)])
    plain = np.stack(colorizer(grays))
    first, *others = [
        np.stack(colorizer(grays, references=[each]))
        for each in (colored, file, str(file), opaque, plane)
    ]
    assert np.abs(first.astype(int) - plain).max() > 5
    for other in others[:3]:
        assert np.array_equal(first, other)
    assert np.abs(first.astype(int) - others[3]).max() <= 1  # a tensor is kept in 16 bits


def test_a_mapping_says_which_frame_a_reference_is(colorizer, grays) -> None:
    own = tinted(grays[2])
    bound = colorizer(grays, references={2: own})
    loose = colorizer(grays, references=[own])
    inside = (grays[2] >= 60) & (grays[2] <= 190)
    assert np.abs(bound[2].astype(int) - own)[inside].max() <= 2
    assert np.abs(loose[2].astype(int) - own)[inside].max() > 5


def test_colours_under_transparency_never_reach_the_film(colorizer, grays) -> None:
    black, magenta = (rgba(grays[2], hidden=each) for each in ((0, 0, 0), (255, 0, 255)))
    for bind in (lambda picture: [picture], lambda picture: {2: picture}):
        first, second = (
            np.stack(colorizer(grays, references=bind(each))) for each in (black, magenta)
        )
        assert np.array_equal(first, second)
        whole = np.stack(colorizer(grays, references=bind(tinted(grays[2]))))
        assert not np.array_equal(first, whole)


def test_an_own_frame_in_part_transparent_keeps_the_networks_colours_there(
    colorizer, grays
) -> None:
    settings = RenderSettings(stillness=0.0)
    found = colorizer(grays, references={2: rgba(grays[2], hidden=(9, 9, 9))}, settings=settings)[2]
    inside = (grays[2] >= 60) & (grays[2] <= 190)
    off = np.abs(found.astype(int) - tinted(grays[2])).max(axis=2)
    assert off[:, :46][inside[:, :46]].max() <= 2
    assert off[:, 50:][inside[:, 50:]].mean() > 5
    assert np.abs(found @ LUMA - grays[2]).max() <= 1


def test_a_variant_is_that_of_the_call_or_of_the_settings(tmp_path: Path, grays) -> None:
    colorizer = Colorizer.load(write_safetensors(tmp_path / "m.safetensors"), device="cpu")
    first, second = (colorizer(grays[0], variant=k) for k in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(colorizer(grays[0]), first)
    chosen = RenderSettings(variant=1)
    assert np.array_equal(colorizer(grays[0], settings=chosen), second)
    assert np.array_equal(colorizer(grays[0], settings=chosen, variant=0), first)
    with pytest.raises(UserError, match="variant is 2: this model has 0 to 1"):
        colorizer(grays[0], variant=2)
    with pytest.raises(UserError, match="this model takes no references"):
        colorizer(grays[0], references=[tinted(grays[0])])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_pixels_are_those_of_the_command_line(
    colorizer, checkpoint: Path, grays, tmp_path: Path, count: int, capsys
) -> None:
    colored = {number: tinted(grays[number]) for number in (1, 4)[:count]}
    files = [save(tmp_path / "r" / f"{n}.png", each) for n, each in colored.items()]
    given = [word for file in files for word in ("--reference", str(file))]
    common = ["--checkpoint", str(checkpoint), "--device", "cpu", "--saturation", "0.8"]
    source = write_frames(tmp_path / "in", grays)
    cli.main([str(source), "-o", str(tmp_path / "out"), *common, *given])
    found = colorizer(grays, references=colored, settings=RenderSettings(saturation=0.8))
    for number, each in enumerate(found):
        with Image.open(tmp_path / "out" / f"{number}.png") as written:
            assert np.array_equal(each, np.array(written)), number


FRAME = np.zeros((8, 12), dtype=np.uint8)
COLOR = np.zeros((8, 12, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("frames", "references", "message"),
    [
        (FRAME.astype(float), (), "frames holds float64: expected NumPy arrays of uint8 or uint16"),
        (FRAME.astype(bool), (), "frames holds bool: expected"),
        (FRAME[0], (), r"frames holds an array of shape \(12,\): expected h w or h w 3"),
        (FRAME[None, :, :, None], (), r"of shape \(1, 8, 12, 1\): expected h w or h w 3"),
        (FRAME[:0], (), r"of shape \(0, 12\): expected h w or h w 3"),
        (np.zeros((8, 12, 4), np.uint8), (), r"of shape \(8, 12, 4\): expected h w or h w 3"),
        (FRAME / 255, (), r"\(255 \* array\)\.round\(\)\.astype\(np\.uint8\) makes one"),
        ([], (), "frames is empty: expected one frame or more"),
        ([FRAME, FRAME[:4]], (), r"frame 1 is \(4, 12\) of uint8, frame 0 \(8, 12\) of uint8: exp"),
        ([FRAME, FRAME.astype(np.uint16)], (), r"frame 1 is \(8, 12\) of uint16, frame 0"),
        (torch.zeros(3, 8, 12), (), r"a tensor of shape \(3, 8, 12\): expected 1 h w or t 1 h w"),
        (torch.zeros(8, 12), (), r"of shape \(8, 12\): expected 1 h w or t 1 h w"),
        (torch.zeros(0, 1, 8, 12), (), r"of shape \(0, 1, 8, 12\): expected 1 h w or t 1 h w"),
        (torch.full((1, 8, 12), 1.5), (), r"from 1\.5 to 1\.5: expected float in \[0, 1\]"),
        (torch.full((1, 8, 12), float("nan")), (), r"from nan to nan: expected float in \[0, 1\]"),
        (torch.zeros(1, 8, 12, dtype=torch.uint8), (), r"a tensor of torch\.uint8 from 0 to 0"),
        (FRAME, "sheet.png", "references is one picture: pass a list of pictures"),
        (FRAME, [FRAME], r"references holds an array of shape \(8, 12\): expected h w 3 or h w 4"),
        (FRAME, [COLOR / 255], "references holds float64: expected NumPy arrays of uint8 or"),
        (FRAME, [torch.zeros(1, 3, 8, 12)], r"of shape \(1, 3, 8, 12\): expected 3 h w"),
        (FRAME, [torch.full((3, 8, 12), -1.0)], r"from -1 to -1: expected float in \[0, 1\]"),
        (FRAME, {1: COLOR}, "references names frame 1: the shot has 0 to 0"),
        (FRAME, {-1: COLOR}, "references names frame -1: the shot has 0 to 0"),
        (FRAME, ["absent.png"], r"absent\.png does not exist"),
    ],
)
def test_what_it_does_not_take_is_one_line(
    colorizer, frames: Any, references: Any, message
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        colorizer(frames, references=references)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("frames", "references", "message"),
    [
        (None, (), "frames is NoneType: expected a NumPy array or a list of them"),
        (Image.fromarray(FRAME), (), r"frames is Image: .*np\.asarray\(picture\) makes one"),
        (FRAME, None, "references is NoneType: expected a list of pictures, or none"),
    ],
)
def test_other_types_are_one_line_too(
    monkeypatch, colorizer, frames: Any, references: Any, message
) -> None:
    """Nobody else checks types when it is used; the tests' own check stands aside."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(UserError, match=message) as refused:
        colorizer(frames, references=references)
    assert "\n" not in str(refused.value)


def test_a_folder_is_no_reference(colorizer, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "r", [COLOR])
    with pytest.raises(UserError, match=r"r is a folder: references are pictures"):
        colorizer(FRAME, references=[folder])
