"""Bring chroma from the working size to a frame's own size, along the edges of the frame's luma.

A *cell* is the part of a frame that one pixel of the working size covers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import UserError

# A pixel's chroma depends on the cell that it lies in and on so many on each side, on no others.
REACH = 2

_TOLERANCE = 0.03  # difference in luma about which a pixel counts as of the same fill
_BARRIER = 0.1  # step in luma about which an edge keeps back what lies behind it
# Pixels worked on at once: few enough for a processor's caches, and enough to outweigh the calls.
_STRIP = 2**17


@torch.no_grad()
def upsample_chroma(
    chroma: Float[Tensor, "b c _h _w"], luma: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, "b c h w"]:
    """Return chroma at the size of ``luma``; where it has that size already, as it is.

    ``luma`` is the original in [0, 1]. ``chroma`` has planes of any range: (Cb, Cr), or those of
    several colourings of a frame, which then share their weights. The result is the mean of the
    3 x 3 nearest cells, a pixel of luma y weighing each of them by

        spline * gate / (tolerance² + (y - mean)² + variance)²

    with mean and variance of the luma in the cell: their part is the mean of (y - y')² over its
    pixels y', so that a cell which an edge divides counts little. The spline, quadratic, falls with
    distance; the gate is low where an edge stands within half a cell of the pixel on the way to the
    cell, and keeps fills of one luma apart. Constant chroma stays constant. Memory beyond the
    result is bounded: it comes in strips, which change no bit of it.

    Raises:
        ValueError: The chroma is larger than the luma.

    Source: Kopf et al. 2007, Joint Bilateral Upsampling, eq. 3.
    Differs: the range weight is rational, so that it never vanishes, and counts the variance; the
    gates are ours.
    """
    working, size = tuple(chroma.shape[-2:]), tuple(luma.shape[-2:])
    if working[0] > size[0] or working[1] > size[1]:
        raise UserError(f"upsampling: chroma of {working} is larger than luma of {size}; resize it")
    if working == size:
        return chroma
    rows, columns = (_Axis(*counts) for counts in zip(size, working, strict=True))
    cells = _cells(chroma, luma)
    padded = functional.pad(luma, (columns.half, columns.half, 0, 0), mode="replicate")
    result = luma.new_empty(*chroma.shape[:2], *luma.shape[-2:])
    count = max(1, _STRIP // (rows.longest * len(luma) * columns.pixels))
    for first in range(0, rows.cells, count):
        strip = range(first, min(first + count, rows.cells))
        near = cells[..., first : strip.stop + 2, :]
        result[..., rows.start(first) : rows.start(strip.stop), :] = _strip(
            near, padded, rows=rows, columns=columns, strip=strip
        )
    return result


@dataclass(frozen=True)
class _Axis:
    """How the pixels of one axis lie in its cells: each in the one that holds its centre."""

    pixels: int
    cells: int

    @property
    def half(self) -> int:
        """Half a cell in pixels, at least 1."""
        return max(1, round(self.pixels / self.cells / 2))

    @property
    def longest(self) -> int:
        """The most pixels that lie in one cell."""
        return -(-self.pixels // self.cells)

    def start(self, cell: int) -> int:
        """Return the first pixel of a cell; of the cell after the last, the number of pixels."""
        # Cell j begins at j * pixels / cells and the centre of pixel p is p + 1/2: in integers.
        return -((self.cells - 2 * cell * self.pixels) // (2 * self.cells))

    def cell(self, pixel: Int[Tensor, "*n"]) -> Int[Tensor, "*n"]:
        """Return the cell that each pixel lies in."""
        return (2 * pixel + 1) * self.cells // (2 * self.pixels)

    def spline(self, pixel: Int[Tensor, "*n"], cell: Int[Tensor, "*#n"]) -> Float[Tensor, "3 ..."]:
        """Return the B-spline of each pixel's distance to the cell before, its own and the next."""
        whole = 2 * self.pixels
        offset = ((2 * pixel + 1) * self.cells - (2 * cell + 1) * self.pixels) / whole
        before, after = (0.5 - offset).square() / 2, (0.5 + offset).square() / 2
        return torch.stack([before, 0.75 - offset.square(), after])


def _cells(
    chroma: Float[Tensor, "b c _h _w"], luma: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, "b c+2 _h+2 _w+2"]:
    """Return mean luma, its variance + tolerance², and chroma of each cell, the border repeated."""
    height, width = chroma.shape[-2:]
    mean, square = (
        functional.adaptive_avg_pool2d(values, (height, width)) for values in (luma, luma**2)
    )
    spread = (square - mean**2).clamp_min(0) + _TOLERANCE**2
    return functional.pad(torch.cat([mean, spread, chroma], dim=1), (1, 1, 1, 1), mode="replicate")


def _strip(
    cells: Float[Tensor, "b c+2 m+2 _w+2"],
    luma: Float[Tensor, "b 1 h padded"],
    *,
    rows: _Axis,
    columns: _Axis,
    strip: range,
) -> Float[Tensor, "b c rows w"]:
    """Return the chroma of the pixels in a strip of m rows of cells.

    ``luma`` is that of the frame, repeated on both sides by half a cell. Each row of cells is given
    the same number of pixel rows, the longest: axes ``b c m s w``. Those too many are dropped last.
    """
    device, margin, side = luma.device, rows.half, columns.half
    own = torch.tensor(strip, device=device).unsqueeze(-1)
    starts = torch.tensor([rows.start(cell) for cell in strip], device=device).unsqueeze(-1)
    places = starts + torch.arange(-margin, rows.longest + margin, device=device)
    window = luma.index_select(-2, places.clamp(0, rows.pixels - 1).flatten())
    window = window.unflatten(-2, places.shape)
    inner = places[:, margin:-margin]
    pixel = torch.arange(columns.pixels, device=device)
    column = columns.cell(pixel)
    mean = _mean(
        window[..., margin:-margin, side:-side],
        cells,
        down=_gated(window[..., side:-side], rows.spline(inner, own).unsqueeze(-1), margin, -2),
        across=_gated(window[..., margin:-margin, :], columns.spline(pixel, column), side, -1),
        column=column,
    )
    kept = (rows.cell(inner) == own).flatten().nonzero().flatten()
    return mean.flatten(2, 3).index_select(-2, kept)


def _gated(
    window: Float[Tensor, "b 1 m _s _w"], spline: Float[Tensor, "3 ..."], half: int, axis: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights of the cell before, the own and the next along an axis, edges counted.

    ``window`` has ``half`` pixels more on both sides of that axis.
    """
    high, low = (_running(window, half + 1, axis, by) for by in (torch.maximum, torch.minimum))
    count = high.shape[axis] - half
    pixels = window.narrow(axis, half, count)
    gates = []
    for first in (0, half):  # runs that end at the pixel, and that begin there
        above = high.narrow(axis, first, count) - pixels
        step = torch.maximum(above, pixels - low.narrow(axis, first, count))
        gates.append((step.square_().add_(_BARRIER**2).reciprocal_() * _BARRIER**2).square_())
    return gates[0].mul_(spline[0]), spline[1], gates[1].mul_(spline[2])


def _running(
    values: Tensor, count: int, axis: int, by: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Return the extreme of each ``count`` neighbours along an axis: ``count - 1`` fewer values."""
    width = 1
    while width < count:
        step = min(width, count - width)
        kept = values.shape[axis] - step
        values = by(values.narrow(axis, 0, kept), values.narrow(axis, step, kept))
        width += step
    return values


def _mean(
    pixels: Float[Tensor, "b 1 m s w"],
    cells: Float[Tensor, "b c+2 m+2 _w+2"],
    *,
    down: tuple[Tensor, Tensor, Tensor],
    across: tuple[Tensor, Tensor, Tensor],
    column: Int[Tensor, " w"],
) -> Float[Tensor, "b c m s w"]:
    """Return the weighted mean of the chroma of the 3 x 3 cells around each pixel's own.

    Each operation rounds once, none is fused: a pixel's bits do not depend on where its strip ends.
    """
    total = pixels.new_zeros(len(pixels), cells.shape[1] - 2, *pixels.shape[2:])
    weights = torch.zeros_like(pixels)
    for x, weight_across in enumerate(across):
        wide = cells.index_select(-1, column + x).unsqueeze(3)
        for y, weight_down in enumerate(down):
            near = wide[:, :, y : y + pixels.shape[2]]
            weight = pixels - near[:, :1]
            weight = weight.square_().add_(near[:, 1:2]).reciprocal_().square_()
            weight.mul_(weight_across).mul_(weight_down)
            weights += weight
            total += weight * near[:, 2:]
    return total.div_(weights)
