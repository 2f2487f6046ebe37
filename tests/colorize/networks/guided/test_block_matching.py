"""Block matching: against plain loops, and on pictures that moved by known pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from colorize.networks.guided.block_matching import fetch, refine_matches

_AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def coarse(grid: tuple[int, int], down: int, right: int, reference: int = 0) -> torch.Tensor:
    """Matches of a grid whose every place moved by whole places, kept inside."""
    rows = (torch.arange(grid[0])[:, None] + down).clamp(0, grid[0] - 1)
    columns = (torch.arange(grid[1]) + right).clamp(0, grid[1] - 1)
    return (reference * grid[0] + rows) * grid[1] + columns


def refined(
    best: torch.Tensor,
    gray: torch.Tensor,
    references: torch.Tensor,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return where the pixels of one frame (1 h w) are found in references (r 1 h w), flattened.

    ``best`` indexes the references' places (r p q flattened).
    """
    places = best.shape[-2] * best.shape[-1]
    at = refine_matches(
        (best // places)[None],
        (best % places)[None],
        gray[None],
        references[None],
        mask=None if mask is None else mask[None],
    )
    return at[0]


def parted(at: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, ...]:
    """Return reference, row and column of places in r h w flattened."""
    height, width = size
    return at // (height * width), at // width % height, at % width


def fetched(planes: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Return the values of references (r c h w) at the places of one frame's pixels."""
    return fetch(planes[None], at[None])[0]


def by_loops(
    best: np.ndarray, gray: np.ndarray, references: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Return (reference, row, column) of each pixel, considered one by one."""
    (rows, columns), (height, width) = best.shape, gray.shape
    cell = height / rows, width / columns

    def place(candidate: tuple, y: int, x: int) -> tuple[int, int, int]:
        reference, down, right = candidate
        return reference, min(max(y + down, 0), height - 1), min(max(x + right, 0), width - 1)

    def price(field: np.ndarray, y: int, x: int) -> float:
        """Mean difference over the patch; each of its pixels looks where its own entry says."""
        costs = [
            abs(gray[v, u] - references[at]) + 1 - mask[at]
            for v in range(max(0, y - 2), min(height, y + 3))
            for u in range(max(0, x - 2), min(width, x + 3))
            for at in [place(field[v, u], v, u)]
        ]
        return float(np.mean(costs))

    def moves(i: int, j: int) -> tuple[int, int, int]:
        reference, rest = divmod(int(best[i, j]), rows * columns)
        row, column = divmod(rest, columns)
        return reference, round((row - i) * cell[0]), round((column - j) * cell[1])

    def field_of(dy: int, dx: int) -> np.ndarray:
        field = np.empty((height, width, 3), dtype=int)
        for y in range(height):
            for x in range(width):
                i = min(max(math.floor((y + 0.5) / cell[0]) + dy, 0), rows - 1)
                j = min(max(math.floor((x + 0.5) / cell[1]) + dx, 0), columns - 1)
                field[y, x] = moves(i, j)
        return field

    def better(chosen: np.ndarray, lowest: np.ndarray, candidate: np.ndarray) -> None:
        for y in range(height):
            for x in range(width):
                cost = price(candidate, y, x)
                if cost < lowest[y, x] - 1e-4:
                    chosen[y, x], lowest[y, x] = candidate[y, x], cost

    chosen = field_of(0, 0)
    lowest = np.array([[price(chosen, y, x) for x in range(width)] for y in range(height)])
    for dy, dx in _AROUND:
        better(chosen, lowest, field_of(dy, dx))
    step = max(1, round(max(cell) / 2))
    while True:
        start = chosen.copy()
        for dy, dx in _AROUND:
            better(chosen, lowest, start + np.array([0, dy * step, dx * step]))
        if step == 1:
            return np.array(
                [[place(chosen[y, x], y, x) for x in range(width)] for y in range(height)]
            )
        step //= 2


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("size", "grid"), [((8, 12), (2, 3)), ((7, 10), (3, 4))])
def test_places_are_those_of_plain_loops(
    size: tuple[int, int], grid: tuple[int, int], masked: bool
) -> None:
    gray, references = noise(1, *size), noise(2, 1, *size, seed=1)
    mask = (noise(2, 1, *size, seed=3) > 0.4).float() if masked else torch.ones(2, 1, *size)
    random = torch.Generator().manual_seed(2)
    best = torch.randint(0, 2 * grid[0] * grid[1], grid, generator=random)
    expected = by_loops(
        best.numpy(), *(each.double().numpy() for each in (gray[0], references[:, 0], mask[:, 0]))
    )
    at = refined(best, gray, references, mask if masked else None)
    actual = torch.stack(parted(at, size), dim=-1)
    np.testing.assert_array_equal(actual.numpy(), expected)


def test_frames_are_refined_each_as_alone() -> None:
    gray, references = noise(3, 1, 16, 20), noise(3, 2, 1, 16, 20, seed=1)
    random = torch.Generator().manual_seed(2)
    reference = torch.randint(0, 2, (3, 4, 5), generator=random)
    place = torch.randint(0, 20, (3, 4, 5), generator=random)
    together = refine_matches(reference, place, gray, references)
    for frame in range(3):
        alone = refined(20 * reference[frame] + place[frame], gray[frame], references[frame])
        assert torch.equal(together[frame], alone)


def test_what_is_masked_out_is_taken_last() -> None:
    """The frame is in the first reference, whose right half is masked out; the second differs."""
    gray = noise(1, 32, 48)
    references = torch.stack([gray, gray + 0.5])
    mask = torch.ones(2, 1, 32, 48)
    mask[0, ..., 24:] = 0
    best = coarse((8, 12), 0, 0)
    best[:, 1::2] += 96  # every other block starts in the second
    at = parted(refined(best, gray, references, mask), (32, 48))[0]
    assert at[:, :20].eq(0).all()
    assert at[:, 28:].eq(1).all()


# Shifts that are a whole number of half cells: the first step of the search meets them, whatever
# the picture. Others are met where the luma leads there.
@pytest.mark.parametrize(
    ("size", "grid", "shift"),
    [
        ((48, 64), (12, 16), (0, 0)),
        ((48, 64), (12, 16), (4, -8)),
        ((48, 64), (12, 16), (6, 10)),
        ((48, 64), (12, 16), (-6, 2)),
        ((96, 112), (12, 14), (8, -12)),
        ((96, 112), (12, 14), (-4, 16)),
    ],
)
def test_a_picture_that_moved_is_found_to_the_pixel(
    size: tuple[int, int], grid: tuple[int, int], shift: tuple[int, int]
) -> None:
    (height, width), (down, right) = size, shift
    wide = noise(1, height + 40, width + 40)
    reference = wide[:, 20 : 20 + height, 20 : 20 + width]
    gray = wide[:, 20 + down :, 20 + right :][:, :height, :width]
    best = coarse(grid, round(down * grid[0] / height), round(right * grid[1] / width))
    at = refined(best, gray, reference[None])
    _, row, column = parted(at, size)
    rows, columns = torch.arange(height)[:, None] + down, torch.arange(width) + right
    inner = torch.zeros(size, dtype=torch.bool)
    # Pixels whose patch, and the blocks around theirs, are in the reference too.
    edge = 2 + 2 * max(height // grid[0], width // grid[1])
    inner[edge + abs(down) : -edge - abs(down), edge + abs(right) : -edge - abs(right)] = True
    assert int(inner.sum()) > 10
    assert (row == rows)[inner].all()
    assert (column == columns)[inner].all()
    planes = torch.cat([reference, reference.square()])[None]
    assert torch.equal(fetched(planes, at)[0][inner], gray[0][inner])


def test_the_reference_that_shows_a_pixel_is_the_one_that_is_taken() -> None:
    gray = noise(1, 32, 48)
    references = torch.stack([noise(1, 32, 48, seed=1), gray])
    best = coarse((4, 6), 0, 0, reference=1)
    best[::2, 1::3] -= 24  # some blocks start in the other reference
    at = refined(best, gray, references)
    # A patch within one block of 8 pixels sees one reference alone.
    inner = (torch.arange(48) % 8 - 3.5).abs() < 2
    inner = inner & inner[:32, None]
    assert (parted(at, (32, 48))[0] == 1)[inner].all()
    assert torch.equal(fetched(references, at)[0][inner], gray[0][inner])


def test_a_search_never_makes_the_match_worse() -> None:
    soft = functional.interpolate(noise(1, 1, 6, 8), size=(32, 48), mode="bicubic")[0]
    reference = functional.interpolate(noise(1, 1, 6, 8, seed=1), size=(32, 48), mode="bicubic")
    best = torch.randint(0, 96, (8, 12), generator=torch.Generator().manual_seed(3))
    at = refined(best, soft, reference)
    rows, columns = torch.arange(32)[:, None], torch.arange(48)
    cells = best[rows // 4, columns // 4]
    start_rows = rows + 4 * (cells // 12 - rows // 4)
    start = 48 * start_rows + columns + 4 * (cells % 12 - columns // 4)
    found, begun = ((soft - fetched(reference, each)).abs().mean() for each in (at, start))
    assert float(found) < 0.5 * float(begun)


def test_values_are_fetched_from_their_places_with_their_gradient() -> None:
    planes = noise(2, 3, 2, 4, 5).double().requires_grad_()
    at = torch.randint(0, 3 * 4 * 5, (2, 4, 5), generator=torch.Generator().manual_seed(1))
    values = planes.detach().numpy()
    reference, row, column = (each.numpy() for each in parted(at, (4, 5)))
    for frame in range(2):
        expected = values[frame][reference[frame], :, row[frame], column[frame]]
        np.testing.assert_array_equal(
            fetch(planes, at).detach()[frame].numpy(), expected.transpose(2, 0, 1)
        )
    assert torch.autograd.gradcheck(lambda values: fetch(values, at), planes)
