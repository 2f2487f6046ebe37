"""Flat fills take one chroma each; what is painted, graded or of two colours stays as it is."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from colorize.color import rgb_to_luma
from colorize.snapping import find_fills, snap_to_fills
from tests.colorize import tiny

TOOLS = Path(__file__).resolve().parents[2] / "tools"
INK = 0.08


def chroma_of(color: tuple[float, float], size: tuple[int, int]) -> torch.Tensor:
    return torch.tensor(color).view(1, 2, 1, 1).expand(1, 2, *size).clone()


def noise(shape: torch.Size, *, deviation: float = 0.02, seed: int = 0) -> torch.Tensor:
    return deviation * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def drawing(size: tuple[int, int] = (48, 64)) -> tuple[np.ndarray, np.ndarray]:
    """A painted ground with two outlined rectangles on it: luma, and 1 and 2 where they lie."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    luma = 0.45 + 0.2 * np.sin(x / 3.0) * np.cos(y / 4.0)
    number = np.zeros(size, np.int32)
    for label, (top, left, value) in enumerate(((6, 6, 0.7), (20, 34, 0.4)), start=1):
        luma[top : top + 20, left : left + 22] = INK
        inside = np.s_[top + 2 : top + 18, left + 2 : left + 20]
        luma[inside], number[inside] = value, label
    return luma.astype(np.float32), number


def as_gray(luma: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(luma)[None, None]


def test_each_fill_takes_its_median_and_the_painted_ground_stays():
    luma, number = drawing()
    chroma = noise(torch.Size((1, 2, *luma.shape)))
    chroma[0, :, number == 1] += torch.tensor([[0.1], [-0.2]])
    chroma[0, :, number == 2] += torch.tensor([[-0.15], [0.25]])
    snapped = snap_to_fills(as_gray(luma), chroma)
    for label in (1, 2):
        inside, given = snapped[0][:, number == label], chroma[0][:, number == label].numpy()
        expected = torch.from_numpy(np.median(given, axis=1))
        assert torch.equal(inside, expected[:, None].expand_as(inside))
    elsewhere = np.isin(number, (1, 2), invert=True)
    ground = elsewhere & (luma > INK)
    assert torch.equal(snapped[0][:, ground], chroma[0][:, ground])


def test_fills_are_found_where_they_were_drawn():
    luma, number = drawing()
    fills = find_fills(luma)
    for label in (1, 2):
        (found,) = np.unique(fills[number == label])
        assert found > 0
        assert np.array_equal(fills == found, number == label)
    # Ink two pixels wide is an area of one luma too; nothing of the ground is.
    assert set(np.unique(fills[(number == 0) & (luma > INK)])) == {0}


def test_a_figure_that_the_frame_cuts_is_closed_by_its_border():
    luma, number = drawing()
    cut = find_fills(np.ascontiguousarray(luma[10:, 10:]))
    assert np.array_equal(cut > 0, np.isin(number, (1, 2))[10:, 10:] | (luma == INK)[10:, 10:])


def test_strength_is_how_far_the_way_to_the_median_is_gone():
    luma, number = drawing()
    chroma = chroma_of((0.1, 0.1), luma.shape)
    chroma[0, 0, 10, 10] = 0.3
    assert number[10, 10] == 1
    gray = as_gray(luma)
    assert snap_to_fills(gray, chroma, strength=0.0) is chroma
    assert float(snap_to_fills(gray, chroma, strength=0.25)[0, 0, 10, 10]) == pytest.approx(0.25)
    assert float(snap_to_fills(gray, chroma)[0, 0, 10, 10]) == pytest.approx(0.1)


@pytest.mark.parametrize("strength", [-0.1, 1.5])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ValueError, match=f"strength is {strength}: expected 0 .* to 1"):
        snap_to_fills(torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4), strength=strength)


@pytest.mark.parametrize("angle", [0, 30, 45, 90])
@pytest.mark.parametrize("slope", [0.05, 0.5, 1.4, 2.9, 3.1, 3.4, 5, 9])  # in 1/255 a pixel
@pytest.mark.parametrize("rounded", [False, True])
def test_a_gradient_stays_to_the_bit(angle, slope, rounded):
    y, x = np.mgrid[:54, :96].astype(np.float32)
    turn = np.deg2rad(angle)
    luma = 20 + slope * (np.cos(turn) * x + np.sin(turn) * y)
    luma = (np.rint(luma) if rounded else luma) / 255
    chroma = noise(torch.Size((1, 2, 54, 96)))
    gray = as_gray(luma.astype(np.float32))
    assert torch.equal(snap_to_fills(gray, chroma), chroma)


@pytest.mark.parametrize("height", [15, 60, 160])
@pytest.mark.parametrize("width", [6, 15, 40])
def test_the_flat_top_of_a_glow_is_no_fill(height, width):
    y, x = np.mgrid[:54, :96]
    luma = 40 + height * np.exp(-((x - 40) ** 2 + (y - 25) ** 2) / (2 * width**2))
    chroma = noise(torch.Size((1, 2, 54, 96)))
    for values in (luma, np.rint(luma)):
        gray = as_gray((values / 255).astype(np.float32))
        assert torch.equal(snap_to_fills(gray, chroma), chroma)


def test_a_flat_area_without_a_line_around_is_no_fill():
    luma = np.full((60, 60), 0.5, np.float32)
    luma[20:40, 20:40] += 8 / 255  # a step that is a zone's end, but no outline
    chroma = noise(torch.Size((1, 2, 60, 60)))
    assert torch.equal(snap_to_fills(as_gray(luma), chroma), chroma)
    luma[20:40, 20:40] += 8 / 255
    assert not torch.equal(snap_to_fills(as_gray(luma), chroma), chroma)


def test_texture_in_an_outline_stays():
    luma, number = drawing()
    rng = np.random.default_rng(0)
    mottle = cv2.GaussianBlur(rng.standard_normal(luma.shape).astype(np.float32), (0, 0), 2)
    luma = np.where(number == 1, luma + 0.04 * mottle / mottle.std(), luma)
    chroma = noise(torch.Size((1, 2, *luma.shape)))
    snapped = snap_to_fills(as_gray(luma), chroma)
    assert torch.equal(snapped[0][:, number == 1], chroma[0][:, number == 1])
    assert not torch.equal(snapped[0][:, number == 2], chroma[0][:, number == 2])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
def test_two_colours_of_one_luma_in_one_region_stay(share):
    luma, number = drawing()
    rows, columns = np.nonzero(number == 1)
    other = columns < np.quantile(columns, share)
    chroma = noise(torch.Size((1, 2, *luma.shape)), deviation=0.01)
    chroma[0, 0, rows, columns] += torch.from_numpy(np.where(other, 0.1, -0.05)).float()
    snapped = snap_to_fills(as_gray(luma), chroma)
    assert torch.equal(snapped[0][:, number == 1], chroma[0][:, number == 1])
    assert not torch.equal(snapped[0][:, number == 2], chroma[0][:, number == 2])


def test_colours_that_drift_through_a_fill_are_no_two():
    """Bleeding: chroma that runs evenly from one side to the other becomes its middle."""
    luma, number = drawing()
    rows, columns = np.nonzero(number == 1)
    chroma = torch.zeros(1, 2, *luma.shape)
    chroma[0, 1, rows, columns] = torch.from_numpy(0.02 * (columns - columns.min())).float()
    snapped = snap_to_fills(as_gray(luma), chroma)
    # 18 columns: the median lies between 0.02 * 8 and 0.02 * 9.
    assert snapped[0, 1][number == 1].unique().tolist() == pytest.approx([0.17])


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (1, 9), (9, 1), (1, 1), (2, 2)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_frames_without_a_line_stay_at_any_size(size, value):
    chroma = noise(torch.Size((2, 2, *size)))
    gray = torch.full((2, 1, *size), value)
    assert torch.equal(snap_to_fills(gray, chroma), chroma)


def test_a_small_odd_frame_is_snapped():
    luma = np.full((17, 19), 0.5, np.float32)
    cv2.rectangle(luma, (5, 5), (11, 11), INK, 1)
    chroma = noise(torch.Size((1, 2, 17, 19)))
    snapped = snap_to_fills(as_gray(luma), chroma)
    inside = np.s_[0, :, 6:11, 6:11]
    median = np.median(chroma[inside].flatten(1).numpy(), axis=1)
    assert np.array_equal(snapped[inside].flatten(1).numpy(), np.tile(median[:, None], 25))
    chroma[inside] = snapped[inside]
    assert torch.equal(snapped, chroma)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_frames_are_taken_one_by_one_and_the_dtype_stays(dtype):
    luma, number = drawing()
    flipped = np.ascontiguousarray(luma[:, ::-1])
    gray = torch.cat([as_gray(luma), as_gray(flipped)])
    chroma = noise(torch.Size((2, 2, *luma.shape))).to(dtype)
    before = chroma.clone()
    both = snap_to_fills(gray, chroma)
    assert both.dtype == dtype
    assert torch.equal(chroma, before)
    alone = [snap_to_fills(gray[t : t + 1], chroma[t : t + 1]) for t in range(2)]
    assert torch.equal(both, torch.cat(alone))
    ground = (number == 0) & (luma > INK)
    assert torch.equal(both[0][:, ground], chroma[0][:, ground])


def test_the_tool_measures_draws_and_agrees_with_its_own_parts(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(TOOLS))
    checkpoint = tiny.write_safetensors(tmp_path / "model.safetensors")
    few = ("--seeds", 9003, "--shots", 1, "--frames", 2, "--size", 72, 128)
    words = ("-o", tmp_path / "out", "--checkpoint", checkpoint, *few)
    monkeypatch.setattr(sys, "argv", ["measure_snapping", *map(str, words)])
    runpy.run_path(str(TOOLS / "measure_snapping.py"), run_name="__main__")
    table = json.loads((tmp_path / "out" / "results.json").read_text())["cartoon"]
    assert set(table) == {"blur and noise", "bleeding", "patches", "exact", "network"}
    assert table["exact"]["delta_e"] < 1e-3
    assert table["exact"]["delta_e_snapped"] < 0.1
    noisy = table["blur and noise"]
    assert noisy["fills_snapped"] < 0.9 * noisy["fills"]
    assert noisy["changed_fills"] > 10 * noisy["changed_rest"]
    assert f"| {noisy['delta_e']:.3f} | {noisy['delta_e_snapped']:.3f} |" in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "fills.png") as picture:
        assert picture.width > 3 * 3 * 72


def test_true_fills_are_flat_and_no_ink(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from snapping.figures import true_fills

    color = np.full((1, 8, 12, 3), 120, np.uint8)
    color[0, :, :4] = (200, 60, 40)
    color[0, :, 4:8] = 10
    color[0, :, 8:] += np.random.default_rng(0).integers(0, 40, (8, 4, 3), np.uint8)
    segments = np.broadcast_to(np.arange(12, dtype=np.int32) // 4, (1, 8, 12)).copy()
    found = true_fills(color, segments)[0, 0]
    assert found[:, :4].all()
    assert not found[:, 4:].any()
    assert float(rgb_to_luma(torch.tensor([[[10.0]]] * 3)[None] / 255)) < 0.15  # what is ink here
