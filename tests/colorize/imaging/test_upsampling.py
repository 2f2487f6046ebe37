"""Chroma at full size: against a plain loop over pixels, and what it does beside ink lines."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from colorize.imaging import color, upsampling
from colorize.imaging.upsampling import REACH, upsample_chroma
from colorize.metrics.lab import ciede2000

INK = 0.08


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def _drawing(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Luma of smooth fills with hard edges, some grain and a dark line."""
    coarse = _random(1, 1, 4, 5, seed=seed).mul(4).round() / 4
    luma = torch.nn.functional.interpolate(coarse, size=(height, width), mode="nearest")
    luma = 0.15 + 0.7 * luma + 0.02 * _random(1, 1, height, width, seed=seed + 1)
    luma[..., width // 3 : width // 3 + 2] = INK
    return luma


def _by_loops(chroma: np.ndarray, luma: np.ndarray) -> np.ndarray:
    """Weigh cells pixel by pixel in float64; ``c _h _w`` and ``h w`` to ``c h w``."""
    (h, w), (rows, columns) = luma.shape, chroma.shape[1:]
    half = [max(1, round(h / rows / 2)), max(1, round(w / columns / 2))]
    result = np.zeros((len(chroma), h, w))
    for y, x in np.ndindex(h, w):
        place = ((y + 0.5) * rows / h, (x + 0.5) * columns / w)
        total = 0.0
        for j, i in np.ndindex(3, 3):
            cell = math.floor(place[0]) + j - 1, math.floor(place[1]) + i - 1
            inside = min(max(cell[0], 0), rows - 1), min(max(cell[1], 0), columns - 1)
            of_cell = _pixels_of(luma, inside, (rows, columns))
            gates = [
                _gate(luma[:, x], y, (j - 1) * half[0]),
                _gate(luma[y], x, (i - 1) * half[1]),
            ]
            away = [abs(place[k] - cell[k] - 0.5) for k in (0, 1)]
            near = 0.03**2 + ((luma[y, x] - of_cell) ** 2).mean()
            weight = np.prod([_spline(distance) for distance in away] + gates) / near**2
            result[:, y, x] += weight * chroma[:, inside[0], inside[1]]
            total += weight
        result[:, y, x] /= total
    return result


def _pixels_of(luma: np.ndarray, cell: tuple[int, int], counts: tuple[int, int]) -> np.ndarray:
    """Return the pixels that a cell covers, wholly or in part."""
    spans = [
        slice(index * size // count, -(-(index + 1) * size // count))
        for index, size, count in zip(cell, luma.shape, counts, strict=True)
    ]
    return luma[spans[0], spans[1]]


def _gate(line: np.ndarray, start: int, steps: int) -> float:
    """Return how open the way from a pixel along its row or column is."""
    passed = start + np.arange(0, steps, np.sign(steps) or 1)
    passed = np.append(passed, start + steps).clip(0, len(line) - 1)
    barrier = np.abs(line[passed] - line[start]).max()
    return (0.1**2 / (0.1**2 + barrier**2)) ** 2


def _spline(distance: float) -> float:
    if distance < 0.5:
        return 0.75 - distance**2
    return max(1.5 - distance, 0.0) ** 2 / 2


@pytest.mark.parametrize(
    ("size", "working"),
    [((23, 38), (5, 9)), ((24, 30), (6, 6)), ((9, 11), (8, 11)), ((7, 9), (1, 1))],
)
def test_every_pixel_is_the_mean_that_a_loop_finds(size, working) -> None:
    luma = _drawing(*size)
    chroma = _random(1, 2, *working, seed=2) - 0.5
    expected = _by_loops(chroma[0].double().numpy(), luma[0, 0].double().numpy())
    result = upsample_chroma(chroma, luma)
    assert result.dtype == torch.float32
    np.testing.assert_allclose(result[0].numpy(), expected, rtol=0, atol=5e-5)


@pytest.mark.parametrize("size", [(108, 192), (180, 320), (111, 197), (720, 193)])
def test_constant_chroma_stays_constant(size) -> None:
    color_of_all = torch.tensor([-0.31, 0.47]).view(1, 2, 1, 1)
    luma = _drawing(*size)
    luma[..., : size[0] // 2, :] = _random(1, 1, size[0] // 2, size[1])  # every weight there is
    result = upsample_chroma(color_of_all.expand(1, 2, 54, 96), luma)
    assert result.shape == (1, 2, *size)
    torch.testing.assert_close(result, color_of_all.expand_as(result), rtol=0, atol=1e-6)


def test_chroma_stays_between_that_of_its_cells() -> None:
    chroma = _random(1, 2, 13, 17) - 0.5
    result = upsample_chroma(chroma, _drawing(60, 77))
    wide = torch.nn.functional.max_pool2d(chroma, 3, 1, 1)
    assert result.abs().max() <= chroma.abs().max() + 1e-6
    assert result[0, 0, :4, :4].max() <= wide[0, 0, 0, 0] + 1e-6


def test_chroma_of_the_frames_size_is_left_alone() -> None:
    chroma = _random(2, 2, 9, 13)
    assert torch.equal(upsample_chroma(chroma, _random(2, 1, 9, 13, seed=1)), chroma)


def test_frames_and_planes_do_not_touch_each_other() -> None:
    chroma = _random(2, 6, 9, 16) - 0.5
    luma = torch.cat([_drawing(50, 90), _drawing(50, 90, seed=5)])
    together = upsample_chroma(chroma, luma)
    for frame in range(2):
        for plane in range(0, 6, 2):
            alone = upsample_chroma(chroma[frame, None, plane : plane + 2], luma[frame, None])
            assert torch.equal(together[frame, None, plane : plane + 2], alone)


@pytest.mark.parametrize("size", [(240, 426), (241, 427), (137, 77)])
def test_strips_change_no_bit(size, monkeypatch) -> None:
    chroma, luma = _random(1, 2, 54, 77) - 0.5, _drawing(*size)
    monkeypatch.setattr(upsampling, "_STRIP", 10**9)
    whole = upsample_chroma(chroma, luma)
    for pixels in (1, 5_000, 40_000):
        monkeypatch.setattr(upsampling, "_STRIP", pixels)
        assert torch.equal(upsample_chroma(chroma, luma), whole)


def test_what_is_farther_than_the_reach_changes_no_bit() -> None:
    rows, columns, size = 27, 48, (180, 319)
    luma, chroma = _drawing(*size), _random(1, 2, rows, columns) - 0.5
    other, moved = _random(1, 1, *size, seed=8), _random(1, 2, rows, columns, seed=9) - 0.5
    # Cells (r, c) and all within the reach stay as they are; only whole pixels of theirs do.
    r, c = 13, 20
    kept = (slice(r - REACH, r + REACH + 1), slice(c - REACH, c + REACH + 1))
    moved[0, :, kept[0], kept[1]] = chroma[0, :, kept[0], kept[1]]
    box = _pixels_of(np.arange(math.prod(size)).reshape(size), (r, c), (rows, columns))
    own = np.unravel_index(box[1:-1, 1:-1].ravel(), size)
    edges = [
        (math.ceil((index - REACH) * n / count), (index + REACH + 1) * n // count)
        for index, n, count in zip((r, c), size, (rows, columns), strict=True)
    ]
    inside = (..., slice(*edges[0]), slice(*edges[1]))
    other[inside] = luma[inside]
    before, after = upsample_chroma(chroma, luma)[0], upsample_chroma(moved, other)[0]
    assert torch.equal(before[:, own[0], own[1]], after[:, own[0], own[1]])
    assert (before - after).abs().mean() > 0.05
    moved[0, :, r + 1, c] += 0.1  # a neighbour of the cell does have its say
    nearer = upsample_chroma(moved, other)[0]
    assert not torch.equal(nearer[:, own[0], own[1]], after[:, own[0], own[1]])


def _fills(line: int, *, lumas: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a picture of two flat fills parted by slanted ink lines, and where its ink is."""
    y, x = torch.meshgrid(torch.arange(180.0), torch.arange(320.0), indexing="ij")
    across = (x + 0.3 * y) % 46
    chroma = torch.tensor([[-0.12, 0.1], [0.1, -0.11]])  # (Cb, Cr) of an orange and of a blue
    ink = (across % 23) < line
    second = across >= 23
    luma = torch.where(second, lumas[1], lumas[0]).masked_fill(ink, INK)
    planes = torch.where(second, chroma[1, :, None, None], chroma[0, :, None, None])
    return color.join(luma[None, None], planes.masked_fill(ink, 0)[None]), ink


def _bilinear(chroma: torch.Tensor, luma: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.interpolate(chroma, size=luma.shape[-2:], mode="bilinear")


def _error_on_fills(
    picture: torch.Tensor,
    ink: torch.Tensor,
    method: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return mean ΔE2000 of what is not ink, within 7 pixels of it."""
    luma, chroma = color.rgb_to_luma(picture), color.rgb_to_chroma(picture)
    small = torch.nn.functional.adaptive_avg_pool2d(chroma, (27, 48))
    result = color.join_in_gamut(luma, method(small, luma))
    error = ciede2000(color.rgb_to_lab(result), color.rgb_to_lab(picture))[0]
    near = cv2.dilate(ink.numpy().astype(np.uint8), np.ones((1, 15))) > 0
    return float(error[torch.from_numpy(near) & ~ink].mean())


@pytest.mark.parametrize("lumas", [(0.7, 0.45), (0.55, 0.55)], ids=["two lumas", "one luma"])
@pytest.mark.parametrize("line", [2, 3, 4, 5, 6])
def test_colours_do_not_bleed_over_ink_lines(line, lumas) -> None:
    picture, ink = _fills(line, lumas=lumas)
    blurred = _error_on_fills(picture, ink, _bilinear)
    sharp = _error_on_fills(picture, ink, upsample_chroma)
    assert blurred > 2.5  # an eye sees 1
    assert sharp < 0.15 * blurred


def test_grain_makes_no_speckles() -> None:
    picture, ink = _fills(4, lumas=(0.7, 0.45))
    luma, chroma = color.rgb_to_luma(picture), color.rgb_to_chroma(picture)
    small = torch.nn.functional.adaptive_avg_pool2d(chroma, (27, 48))
    grain = 3 / 255 * torch.randn(luma.shape, generator=torch.Generator().manual_seed(1))
    clean, grainy = (upsample_chroma(small, (luma + g).clamp(0, 1)) for g in (0 * grain, grain))
    differences = (grainy - clean)[0, :, ~ink].abs()
    assert 0 < float(differences.mean()) < 0.001
    assert float(differences.quantile(0.999)) < 8 / 255  # fills differ by 0.22, 56 steps of 8 bits


class _Sizes(TorchDispatchMode):
    """Note how many values each operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        # A view has no memory of its own.
        if isinstance(result, torch.Tensor) and not result._is_view():
            self.seen.append(result.numel())
        return result


def test_memory_beyond_the_result_is_that_of_strips(monkeypatch) -> None:
    monkeypatch.setattr(upsampling, "_STRIP", 2**13)
    chroma, luma = _random(1, 2, 64, 16), _random(1, 1, 1024, 256)
    with _Sizes() as sizes:
        upsample_chroma(chroma, luma)
    # Whole are the result, the square of luma, and luma with its sides repeated by half a cell.
    whole = [count for count in sizes.seen if count > 4 * 2**13]
    assert sorted(set(whole)) == [1024 * 256, 1024 * (256 + 2 * 8), 2 * 1024 * 256]


def test_what_cannot_be_upsampled_is_refused() -> None:
    with pytest.raises(ValueError, match=r"chroma of \(9, 4\) is larger than luma of \(8, 8\)"):
        upsample_chroma(_random(1, 2, 9, 4), _random(1, 1, 8, 8))
