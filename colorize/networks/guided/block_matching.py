"""Turn matches on a coarse grid into a place in a reference for every pixel."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

_PATCH = 5  # side of the patches whose luma is compared, pixels
_NEIGHBORS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


@torch.no_grad()
def refine_matches(
    reference: Int64[Tensor, "b p q"],
    place: Int64[Tensor, "b p q"],
    gray: Float[Tensor, "b 1 h w"],
    luma: Float[Tensor, "b r 1 h w"],
    *,
    mask: Float[Tensor, "b r 1 h w"] | None = None,
) -> Int64[Tensor, "b h w"]:
    """Return where each pixel is found, in the references' r h w flattened.

    Each starts from the match of its block: ``reference`` 0 … r-1 and ``place`` in p q flattened.
    Of the matches of its own block and of the eight around it, and then of the places around the
    best, the one is taken whose patch has the most similar luma; where ``mask`` shows nothing is
    taken last.

    Source: Barnes et al. 2009, PatchMatch, propagation and search (without their randomness).
    """
    grid, (height, width) = place.shape[-2:], gray.shape[-2:]
    rows = torch.arange(height, device=gray.device)[:, None]
    columns = torch.arange(width, device=gray.device)[None, :]
    own_rows = torch.arange(grid[0], device=gray.device)[:, None]
    own_columns = torch.arange(grid[1], device=gray.device)[None, :]
    cell = height / grid[0], width / grid[1]
    down = ((place // grid[1] - own_rows) * cell[0]).round().long()
    right = ((place % grid[1] - own_columns) * cell[1]).round().long()
    field = torch.stack([reference, down, right], dim=1)

    def index(candidate: Int64[Tensor, "b 3 h w"]) -> Int64[Tensor, "b h w"]:
        reference, down, right = candidate.unbind(1)
        row, column = (rows + down).clamp(0, height - 1), (columns + right).clamp(0, width - 1)
        return (reference * height + row) * width + column

    def cost(candidate: Int64[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h w"]:
        at = index(candidate)
        difference = (gray - fetch(luma, at)).abs()
        if mask is not None:
            difference = difference + 1 - fetch(mask, at)
        return _patch_mean(difference)

    chosen = _enlarge(field, (height, width))
    lowest = cost(chosen)

    def consider(candidate: Int64[Tensor, "b 3 h w"]) -> None:
        nonlocal chosen, lowest
        price = cost(candidate)
        better = price < lowest - 1e-4
        chosen = torch.where(better, candidate, chosen)
        lowest = torch.where(better, price, lowest)

    padded = functional.pad(field.float(), (1, 1, 1, 1), mode="replicate").long()
    for dy, dx in _NEIGHBORS:
        neighbor = padded[..., 1 + dy : 1 + dy + grid[0], 1 + dx : 1 + dx + grid[1]]
        consider(_enlarge(neighbor, (height, width)))
    for step in _steps(max(cell)):
        start = chosen
        for dy, dx in _NEIGHBORS:
            moved = [start[:, 0], start[:, 1] + dy * step, start[:, 2] + dx * step]
            consider(torch.stack(moved, dim=1))
    return index(chosen)


def fetch(
    planes: Float[Tensor, "b r c h w"], at: Int64[Tensor, "b h w"]
) -> Float[Tensor, "b c h w"]:
    """Return the values of the references' ``planes`` at the places of each pixel."""
    flat = rearrange(planes, "b r c h w -> b c (r h w)")
    index = at.flatten(1).unsqueeze(1).expand(-1, flat.shape[1], -1)
    return flat.gather(2, index).unflatten(2, at.shape[-2:])


def _patch_mean(planes: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
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


def _enlarge(field: Int64[Tensor, "b c p q"], size: tuple[int, int]) -> Int64[Tensor, "b c h w"]:
    """Give every pixel the value of its cell."""
    return functional.interpolate(field.float(), size=size, mode="nearest-exact").long()
