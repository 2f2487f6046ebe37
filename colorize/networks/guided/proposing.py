"""What references propose for gray frames: colours as they are, moved, matched, and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from colorize.motion.tones import fit_tones
from colorize.motion.warp import warp
from colorize.networks.guided.block_matching import fetch, refine_matches
from colorize.networks.guided.fusion import KINDS, Proposals
from colorize.networks.guided.matching import Found, Matches
from colorize.networks.guided.references import References
from colorize.networks.unet import resize_bilinear

_ALIKE, _SURE = 0.8, 30.0  # cosine at which two places may be one, and how sharply it parts them


def proposals(
    gray: Float[Tensor, "b 1 h w"],
    keys: Float[Tensor, "b d p q"],
    references: References,
    layers: Float[Tensor, "b r _ h w"],
    matches: Matches,
    share: Float[Tensor, "b r"],
) -> Proposals:
    """Return those of each reference, copied and moved, and those of all of a frame together.

    ``layers`` are luma and chroma; where there is a mask, the chroma times it, and the mask.
    """
    rows, owners, served = references.rows(), references.owners(), references.served()
    size, most = gray.shape[-2:], references.luma.shape[1]
    copied = layers.flatten(0, 1)[rows]
    own, seen = keys[owners], _flat(references.keys)[rows]
    moved = [
        _moved(copied, own, seen, _flat(flow)[rows])
        for flow in (references.flow, references.propagated)
        if flow is not None
    ]
    at = refine_matches(
        matches.reference[served],
        matches.place[served],
        gray[served],
        references.luma[served],
        mask=None if references.mask is None else references.mask[served],
    )
    matched, alike = fetch(layers[served], at), matches.similarity[served]
    attended = resize_bilinear(matches.attended[served], size)
    if references.mask is not None:
        found = resize_bilinear(matches.found[served], size)
        attended = torch.cat([attended, found], dim=1)
    groups = [(copied, (own * seen).sum(dim=1, keepdim=True)), *moved]
    groups += [(matched, alike), (attended, alike)]
    column = torch.arange(most, device=gray.device).repeat(len(gray))[rows]
    slots = (most, most * len(moved), 1, 1)
    planes, visible = torch.cat([group for group, _ in groups]), None
    if references.mask is not None:
        planes, shown = mean_of_shown(planes)
        visible = shown > 0.5
    return Proposals(
        frame=torch.cat([owners] * (1 + len(moved)) + [served] * 2),
        slot=torch.cat(
            [column + most * group for group in range(1 + len(moved))]
            + [torch.full_like(served, sum(slots[:2]) + extra) for extra in range(2)]
        ),
        kind=torch.arange(len(KINDS), device=gray.device).repeat_interleave(
            torch.tensor([len(rows), len(rows) * len(moved), len(served), len(served)]).to(
                gray.device, non_blocking=True
            ),
            output_size=len(planes),
        ),
        luma=planes[:, :1],
        chroma=planes[:, 1:],
        similarity=resize_bilinear(torch.cat([each for _, each in groups]), size),
        share=torch.cat(
            [share.flatten()[rows]] * (1 + len(moved)) + [share.new_zeros(len(served))] * 2
        ),
        slots=slots,
        visible=visible,
    )


def toned(
    gray: Float[Tensor, "b 1 h w"],
    references: References,
    found: Found,
    grid: Sequence[int],
) -> References:
    """Return references whose luma is as bright as that of the frames, where both are found.

    Another print of the same drawing has another gamma and contrast.
    """
    rows, owners = references.rows(), references.owners()
    luma = references.luma.flatten(0, 1)
    seen = shrink(references.luma, grid).flatten(0, 1)[rows].flatten(1)
    own = functional.adaptive_avg_pool2d(gray, (grid[0], grid[1]))[owners].flatten(1)
    sure = torch.sigmoid(_SURE * (found.similarity - _ALIKE))
    toned = fit_tones(seen.gather(1, found.place), own, sure)(luma[rows])
    planes = luma.index_copy(0, rows, toned.to(luma))
    return replace(references, luma=planes.unflatten(0, references.luma.shape[:2]))


def mean_of_shown(
    layers: Float[Tensor, "*b 4 h w"],
) -> tuple[Float[Tensor, "*b 3 h w"], Float[Tensor, "*b 1 h w"]]:
    """Part luma, chroma times mask, and mask: return the mean colours of what is shown, and it."""
    luma, chroma, mask = layers.split([1, 2, 1], dim=-3)
    return torch.cat([luma, chroma / mask.clamp_min(1e-6)], dim=-3), mask


def shrink(planes: Float[Tensor, "*b _h _w"], size: Sequence[int]) -> Float[Tensor, "*b p q"]:
    """Average planes over the blocks of a grid of ``size`` (rows, columns)."""
    shrunk = functional.adaptive_avg_pool2d(planes.flatten(0, -4), (size[0], size[1]))
    return shrunk.unflatten(0, planes.shape[:-3])


def _moved(
    copied: Float[Tensor, "n c h w"],
    own: Float[Tensor, "n d p q"],
    seen: Float[Tensor, "n d p q"],
    flow: Float[Tensor, "n 2 h w"],
) -> tuple[Float[Tensor, "n c h w"], Float[Tensor, "n 1 p q"]]:
    """Return references moved along a flow, and how alike the places there and here are."""
    size, grid = flow.shape[-2:], own.shape[-2:]
    right, down = shrink(flow, grid).split(1, dim=1)
    coarse = torch.cat([right * (grid[1] / size[1]), down * (grid[0] / size[0])], dim=1)
    there = warp(seen, coarse)
    return warp(copied, flow), (own * there).sum(dim=1, keepdim=True)


def _flat(planes: Float[Tensor, "b r *s"] | None) -> Float[Tensor, br * s]:
    assert planes is not None
    return planes.flatten(0, 1)
