"""Turn matches on a coarse grid into a place in a reference for every pixel."""

from __future__ import annotations

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

_PATCH = 5  # side of the patches whose luma is compared, pixels
_NEIGHBORS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


class Places(NamedTuple):
    """Where each pixel was found: which reference, and the row and column there."""

    reference: Int64[Tensor, "h w"]
    row: Int64[Tensor, "h w"]
    column: Int64[Tensor, "h w"]


@torch.no_grad()
def refine_matches(
    best: Int64[Tensor, "p q"],
    gray: Float[Tensor, "1 h w"],
    references: Float[Tensor, "r 1 h w"],
) -> Places:
    """Return the place of each pixel, starting from the matches of its block.

    ``best`` indexes the references' places (r p q flattened). Of the matches of a pixel's own block
    and its eight neighbours, and then of the places around the best, the one is taken whose patch
    has the most similar luma.

    Source: Barnes et al. 2009, PatchMatch, propagation and search (without their randomness).
    """
    grid = best.shape[-2:]
    height, width = gray.shape[-2:]
    flat = references.flatten()
    rows = torch.arange(height, device=gray.device)[:, None]
    columns = torch.arange(width, device=gray.device)[None, :]

    reference = best // (grid[0] * grid[1])
    own_rows = torch.arange(grid[0], device=gray.device)[:, None]
    own_columns = torch.arange(grid[1], device=gray.device)[None, :]
    cell = height / grid[0], width / grid[1]
    down = ((best // grid[1] % grid[0] - own_rows) * cell[0]).round().long()
    right = ((best % grid[1] - own_columns) * cell[1]).round().long()
    field = torch.stack([reference, down, right], dim=0)

    def place(candidate: Int64[Tensor, "3 h w"]) -> Places:
        reference, down, right = candidate.unbind(0)
        return Places(
            reference, (rows + down).clamp(0, height - 1), (columns + right).clamp(0, width - 1)
        )

    def cost(candidate: Int64[Tensor, "3 h w"]) -> Float[Tensor, "1 h w"]:
        at = place(candidate)
        index = (at.reference * height + at.row) * width + at.column
        found = flat[index.flatten()].view_as(gray)
        return _patch_mean((gray - found).abs())

    chosen = _enlarge(field, (height, width))
    lowest = cost(chosen)

    def consider(candidate: Int64[Tensor, "3 h w"]) -> None:
        nonlocal chosen, lowest
        price = cost(candidate)
        better = price < lowest - 1e-4
        chosen = torch.where(better, candidate, chosen)
        lowest = torch.where(better, price, lowest)

    padded = functional.pad(field[None].float(), (1, 1, 1, 1), mode="replicate")[0].long()
    for dy, dx in _NEIGHBORS:
        neighbor = padded[..., 1 + dy : 1 + dy + grid[0], 1 + dx : 1 + dx + grid[1]]
        consider(_enlarge(neighbor, (height, width)))
    for step in _steps(max(cell)):
        start = chosen
        for dy, dx in _NEIGHBORS:
            consider(start + chosen.new_tensor([0, dy * step, dx * step])[:, None, None])
    return place(chosen)


def fetch(planes: Float[Tensor, "r c h w"], at: Places) -> Float[Tensor, "c h w"]:
    """Return the values of the references' ``planes`` at the places of each pixel."""
    _, channels, height, width = planes.shape
    index = ((at.reference * height + at.row) * width + at.column).flatten()
    found = rearrange(planes, "r c h w -> c (r h w)")[:, index]
    return found.view(channels, height, width)


def _patch_mean(planes: Float[Tensor, "1 h w"]) -> Float[Tensor, "1 h w"]:
    """Average over the patch around each pixel, as far as it lies in the frame: rows, columns."""
    for size in ((_PATCH, 1), (1, _PATCH)):
        planes = functional.avg_pool2d(
            planes, size, stride=1, padding=(size[0] // 2, size[1] // 2), count_include_pad=False
        )
    return planes


def _steps(cell: float) -> list[int]:
    """Return how far the search around a match goes, pixels: down to 1 from half a cell."""
    steps = [max(1, round(cell / 2))]
    while steps[-1] > 1:
        steps.append(steps[-1] // 2)
    return steps


def _enlarge(field: Int64[Tensor, "c p q"], size: tuple[int, int]) -> Int64[Tensor, "c h w"]:
    """Give every pixel the value of its cell."""
    return functional.interpolate(field[None].float(), size=size, mode="nearest-exact")[0].long()
