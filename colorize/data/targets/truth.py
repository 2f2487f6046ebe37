"""Bring what is known of stored frames the way the frames go: cut, mirrored and resized.

What is known are arrays over all frames of a clip at their stored size: backward ``flow``
(t h w 2, in pixels), ``visible`` (t h w) and ``segments`` (t h w). What comes out are targets as
:mod:`colorize.data.targets.compute` takes them.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, Int32, Shaped
from torch import Tensor

from colorize.data.augment import Geometry, resize
from colorize.motion.warp import points_inside

_ALL = 0.999  # of a pixel, but for rounding


def shown(
    known: Mapping[str, Shaped[np.ndarray, "t h w *channels"]],
    *,
    frames: slice,
    geometry: Geometry,
) -> dict[str, Tensor]:
    """Return the known targets of some frames of a clip; ``visible`` needs ``flow`` beside it.

    The first of the frames has none to look back to: no flow, and nothing visible.
    """
    targets: dict[str, Tensor] = {}
    if "flow" in known:
        targets["flow"] = shown_flow(known["flow"][frames], geometry)
    if "visible" in known:
        targets["visible"] = shown_visible(known["visible"][frames], targets["flow"], geometry)
    if "segments" in known:
        targets["segments"] = torch.from_numpy(_nearest(known["segments"][frames], geometry))
    return targets


def shown_flow(
    flow: Float32[np.ndarray, "t h w 2"], geometry: Geometry
) -> Float32[Tensor, "t 2 th tw"]:
    """Return flow in pixels of the shown size; a mirrored frame moves the other way along x."""
    height, width = geometry.size
    cut = geometry.cut(flow)
    scale = np.array([width / cut.shape[2], height / cut.shape[1]], np.float32)
    scaled = np.stack([cv2.resize(each, (width, height)) for each in cut]) * scale
    if geometry.flip:
        scaled = scaled[:, :, ::-1] * np.array([-1, 1], np.float32)
    scaled[0] = 0
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))


def shown_visible(
    visible: Bool[np.ndarray, "t h w"],
    flow: Float32[Tensor, "t 2 th tw"],
    geometry: Geometry,
) -> Bool[Tensor, "t 1 th tw"]:
    """Return visibility: of pixels all of whose stored pixels are, and come from inside the box.

    A pixel that is visible in part holds colours that the frame before does not.
    """
    share = resize(geometry.cut(visible.astype(np.float32)), geometry.size)
    share = np.ascontiguousarray(share[:, :, ::-1]) if geometry.flip else share
    seen = torch.from_numpy(share > _ALL)
    seen[0] = False
    return seen.unsqueeze(1) & points_inside(flow)


def _nearest(
    values: Int32[np.ndarray, "t h w"], geometry: Geometry
) -> Int32[np.ndarray, "t th tw"]:
    """Return the value of the pixel whose centre is nearest to that of each shown pixel."""
    size = geometry.size[::-1]
    how = cv2.INTER_NEAREST_EXACT  # plain INTER_NEAREST takes the upper left pixel
    near = np.stack([cv2.resize(e, size, interpolation=how) for e in geometry.cut(values)])
    return np.ascontiguousarray(near[:, :, ::-1]) if geometry.flip else near
