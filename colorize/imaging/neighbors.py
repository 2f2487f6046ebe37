"""Find, for every pixel, the nearest pixels of its frame in colour and position.

The space is ``(r, g, b, x / s, y / s)``: RGB in [0, 1], x and y in pixels, s = ``spatial_scale``.
The pixel itself is the first of its own neighbours. Indices are flat: ``y * width + x``.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int32
from scipy.spatial import cKDTree
from torch import Tensor

from colorize.base.errors import UserError

# Colours of the space around the frame: so far off that none of it is ever a neighbour.
_OUTSIDE = 1e3


def nearest_exact(
    color: Float[np.ndarray, "h w 3"], *, count: int = 5, spatial_scale: float = 500.0
) -> Int32[np.ndarray, "q h w"]:
    """Return the ``count`` nearest pixels of each pixel by a kd-tree; runs on the CPU.

    Source: Lei & Chen 2019, with the count and the scale of the released code.
    """
    height, width, _ = color.shape
    _refuse_too_many(count, height * width, "the whole frame")
    y, x = np.mgrid[:height, :width] / spatial_scale
    points = np.concatenate([color.reshape(-1, 3), x.reshape(-1, 1), y.reshape(-1, 1)], axis=1)
    _, index = cKDTree(points).query(points, k=np.arange(1, count + 1))
    return index.T.reshape(count, height, width).astype(np.int32)


def nearest_windowed(
    color: Float[Tensor, "b 3 h w"],
    *,
    count: int = 5,
    radius: int = 8,
    spatial_scale: float = 500.0,
) -> Int32[Tensor, "b q h w"]:
    """Return the ``count`` nearest pixels among those at most ``radius`` columns and rows away.

    For training on a GPU, which the exact search (0.13 s a frame on a core) would keep waiting.
    Dense tensor work on any device: one squared distance per offset, kept in sorted order by
    minimum and maximum. Bits of a positive float32 sort as integers, so the lowest bits of each
    distance make room for the number of its offset, and value and place travel together.

    Differs: from the exact search in what lies outside the window, and by a relative 1e-4 of a
    squared distance (radius 8) below which two neighbours count as equally near.
    """
    _, _, height, width = color.shape
    reachable = min(height, radius + 1) * min(width, radius + 1)
    _refuse_too_many(count, reachable, f"a window of radius {radius} in a corner")
    frame = color.float()
    padded = F.pad(frame, (radius,) * 4, value=_OUTSIDE)
    side = 2 * radius + 1
    offset_bits = (1 << (side * side - 1).bit_length()) - 1
    nearest = [torch.full_like(frame[:, 0], torch.inf).view(torch.int32) for _ in range(count)]
    for offset in range(side * side):
        down, right = divmod(offset, side)
        shifted = padded[..., down : down + height, right : right + width]
        place = ((down - radius) ** 2 + (right - radius) ** 2) / spatial_scale**2
        squared = (shifted - frame).square_().sum(dim=1).add_(place)
        key = squared.view(torch.int32).bitwise_and_(~offset_bits).bitwise_or_(offset)
        for rank in range(count):
            nearest[rank], key = (
                torch.minimum(nearest[rank], key),
                torch.maximum(nearest[rank], key),
            )
    offsets = torch.stack(nearest, dim=1).bitwise_and_(offset_bits)
    rows = offsets.div(side, rounding_mode="floor") - radius
    here = torch.arange(height * width, dtype=torch.int32, device=color.device)
    return here.view(height, width) + rows * width + offsets % side - radius


def distances(
    color: Float[Tensor, "b 3 h w"],
    neighbors: Int32[Tensor, "b q h w"],
    *,
    spatial_scale: float = 500.0,
) -> Float[Tensor, "b q h w"]:
    """Return the distance in the five-dimensional space from each pixel to its neighbours."""
    height, width = color.shape[-2:]
    y = torch.arange(height, device=color.device, dtype=color.dtype)[:, None].expand(-1, width)
    x = torch.arange(width, device=color.device, dtype=color.dtype).expand(height, -1)
    place = (torch.stack([x, y]) / spatial_scale).expand(color.shape[0], -1, -1, -1)
    points = torch.cat([color, place], dim=1).flatten(2)
    index = neighbors.flatten(1).long().unsqueeze(1).expand(-1, 5, -1)
    near = points.gather(2, index).unflatten(2, neighbors.shape[1:])
    return (near - points.unflatten(2, (1, height, width))).square().sum(dim=1).sqrt()


def _refuse_too_many(count: int, available: int, where: str) -> None:
    if not 1 <= count <= available:
        raise UserError(
            f"neighbors.count is {count}, but {where} holds {available} pixels: "
            "expected 1 to that many; use a larger radius or frame"
        )
