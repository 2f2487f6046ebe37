"""Vary training pictures anew in every epoch, on the device that trains."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import UserError


class Augment:
    """Mirror, turn, shift, scale and partly cover pictures at random, each by numbers of its own.

    ``flip`` mirrors half of them left to right. ``rotation`` is in degrees, ``shift`` in fractions
    of the sides, ``scale`` in fractions of the size, each to either side; edges are repeated
    outwards. ``erase`` is the chance that a square of a quarter to half the sides turns gray.
    """

    def __init__(
        self,
        *,
        flip: bool = False,
        rotation: float = 0.0,
        shift: float = 0.0,
        scale: float = 0.0,
        erase: float = 0.0,
    ) -> None:
        if min(rotation, shift, scale) < 0 or max(shift, scale) >= 1 or not 0 <= erase <= 1:
            raise UserError(
                f"augment: rotation, shift, scale and erase are {rotation}, {shift}, {scale}, "
                f"{erase}: expected degrees, fractions from 0 below 1, and a chance of 0 to 1"
            )
        self.flip = flip
        self.rotation, self.shift, self.scale = rotation, shift, scale
        self.erase = erase

    def __call__(self, pictures: Float[Tensor, "b c h w"], seed: int) -> Float[Tensor, "b c h w"]:
        """Return varied pictures in [0, 1]; the same ``seed`` varies them the same way."""
        random = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
        maps = self._maps(len(pictures), random).to(pictures.device)
        grid = functional.affine_grid(maps, list(pictures.shape), align_corners=False)
        varied = functional.grid_sample(
            pictures, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return self._cover(varied, random) if self.erase else varied

    def _maps(self, count: int, random: torch.Generator) -> Float[Tensor, "b 2 3"]:
        """Return where each output pixel looks, in coordinates of -1 … 1."""

        def draw(limit: float) -> Float[Tensor, " b"]:
            return (2 * torch.rand(count, generator=random) - 1) * limit

        angle, factor = draw(math.radians(self.rotation)), 1 / (1 + draw(self.scale))
        # 2: a side is two units long.
        x, y = draw(2 * self.shift), draw(2 * self.shift)
        mirror = torch.where(torch.rand(count, generator=random) < 0.5 * self.flip, -1.0, 1.0)
        cosine, sine = torch.cos(angle) * factor, torch.sin(angle) * factor
        rows = [torch.stack([cosine * mirror, -sine, x], 1)]
        rows.append(torch.stack([sine * mirror, cosine, y], 1))
        return torch.stack(rows, 1)

    def _cover(
        self, pictures: Float[Tensor, "b c h w"], random: torch.Generator
    ) -> Float[Tensor, "b c h w"]:
        count, _, height, width = pictures.shape
        chosen = torch.rand(count, generator=random) < self.erase
        side = 0.25 + 0.25 * torch.rand(count, generator=random)
        top, left = (torch.rand(count, generator=random) * (1 - side) for _ in range(2))
        rows = (torch.arange(height) + 0.5) / height
        columns = (torch.arange(width) + 0.5) / width
        inside = _between(rows, top, side)[:, :, None] & _between(columns, left, side)[:, None, :]
        mask = (inside & chosen[:, None, None])[:, None].to(pictures.device)
        return torch.where(mask, 0.5, pictures)


def _between(
    places: Float[Tensor, " n"], start: Float[Tensor, " b"], length: Float[Tensor, " b"]
) -> Tensor:
    return (places >= start[:, None]) & (places < (start + length)[:, None])
