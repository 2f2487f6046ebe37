"""Warp frames by optical flow, and decide which pixels a flow explains.

Flow is backward and in pixels, channels (dx, dy): a pixel at (x, y) of the current frame was at
(x + dx, y + dy) in the previous one. Masks: 1 is visible.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

# Forward-backward consistency of Lai et al. 2018, after Ruder et al. 2016.
_CONSISTENCY_SCALE, _CONSISTENCY_OFFSET = 0.01, 0.5
_BOUNDARY_SCALE, _BOUNDARY_OFFSET = 0.01, 0.002


def warp(
    image: Float[Tensor, "b c h w"], flow: Float[Tensor, "b 2 h w"]
) -> Float[Tensor, "b c h w"]:
    """Fetch, for every pixel, the bilinear value of ``image`` at the place ``flow`` points to.

    Border: a place outside the image takes the value of the nearest pixel on its edge; ask
    :func:`points_inside` which ones do. Computed in float32 at least, whatever the autocast.
    """
    height, width = image.shape[-2:]
    dtype = torch.promote_types(image.dtype, torch.float32)
    # grid_sample with align_corners: -1 and 1 are the centres of the first and the last pixel.
    x, y = (place.to(dtype) for place in _places(flow.to(dtype)))
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    return F.grid_sample(
        image.to(dtype), grid, mode="bilinear", padding_mode="border", align_corners=True
    )


def points_inside(flow: Float[Tensor, "b 2 h w"]) -> Bool[Tensor, "b 1 h w"]:
    """Return whether the place that ``flow`` points to lies inside the frame."""
    height, width = flow.shape[-2:]
    x, y = _places(flow)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return inside.unsqueeze(1)


def compose(
    flow: Float[Tensor, "b 2 h w"], previous_flow: Float[Tensor, "b 2 h w"]
) -> Float[Tensor, "b 2 h w"]:
    """Return the backward flow over two steps: frame t to t-2 from t to t-1 and t-1 to t-2."""
    return flow + warp(previous_flow, flow)


def agreement(
    current: Float[Tensor, "b c h w"],
    previous: Float[Tensor, "b c h w"],
    flow: Float[Tensor, "b 2 h w"],
    *,
    threshold: float = 0.05,
) -> Bool[Tensor, "b 1 h w"]:
    """Return 1[max_c |A1 - W(A0)| < threshold]: where the warped previous frame fits the current.

    On true colours it is the temporal loss's mask; on outputs and on gray frames it gives the
    refinement network's confidence maps. Source: Lei & Chen 2019.
    """
    difference = (current - warp(previous, flow)).abs().amax(dim=1, keepdim=True)
    return difference < threshold


def consistency(
    flow: Float[Tensor, "b 2 h w"], reverse: Float[Tensor, "b 2 h w"]
) -> Bool[Tensor, "b 1 h w"]:
    """Return where ``flow`` (this frame to the other) and ``reverse`` (back again) agree.

    With R the reverse flow fetched along B = ``flow``, a pixel is occluded if
    |R + B|² > 0.01 (|R|² + |B|²) + 0.5, or at a motion boundary: |∇B|² > 0.01 |B|² + 0.002.
    Either direction of time serves: the mask belongs to the frame that ``flow`` starts from.

    Source: Lai et al. 2018, Learning Blind Video Temporal Consistency; Ruder et al. 2016.
    Differs: a pixel that comes from outside the frame counts as occluded.
    """
    fetched = warp(reverse, flow).to(flow.dtype)
    size = _squared_norm(flow)
    mismatch = _squared_norm(fetched + flow)
    occluded = mismatch > (
        _CONSISTENCY_SCALE * (_squared_norm(fetched) + size) + _CONSISTENCY_OFFSET
    )
    boundary = _squared_gradient(flow) > _BOUNDARY_SCALE * size + _BOUNDARY_OFFSET
    return ~(occluded | boundary) & points_inside(flow)


def _places(
    flow: Float[Tensor, "b 2 h w"],
) -> tuple[Float[Tensor, "b h w"], Float[Tensor, "b h w"]]:
    """Return the x and y, in pixels, that every pixel points to."""
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device, dtype=flow.dtype) + flow[:, 0]
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + flow[:, 1]
    return x, y


def _squared_norm(flow: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 1 h w"]:
    return flow.square().sum(dim=1, keepdim=True)


def _squared_gradient(flow: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 1 h w"]:
    """Return |∇u|² + |∇v|² by forward differences, zero at the last column and row."""
    right = F.pad(flow[..., 1:] - flow[..., :-1], (0, 1))
    down = F.pad(flow[..., 1:, :] - flow[..., :-1, :], (0, 0, 0, 1))
    return _squared_norm(right) + _squared_norm(down)
