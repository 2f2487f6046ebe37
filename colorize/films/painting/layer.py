"""Layers: which swatch is painted at each pixel of a frame, in a 16-bit gray PNG."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import UInt16

from colorize.base.errors import UserError
from colorize.films.painting.palette import Palette
from colorize.imaging.color import join_in_gamut, rgb_to_chroma
from colorize.inference.joining import to_integers
from colorize.media import Frame

Layer = UInt16[np.ndarray, "h w"]


def layer_png(layer: Layer) -> bytes:
    """Return the file of a layer."""
    return cv2.imencode(".png", layer)[1].tobytes()


def read_layer(path: Path) -> Layer:
    """Return the layer of a file.

    Raises:
        UserError: There is none, or it is damaged.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    layer = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if len(content) else None
    if layer is None or layer.dtype != np.uint16 or layer.ndim != 2:
        raise UserError(f"{path} is damaged: expected a gray PNG of 16 bits; remove it")
    return layer


def check_layer(layer: Layer, frame: Frame, palette: Palette) -> None:
    """Refuse a layer that does not fit its frame or its palette.

    Raises:
        UserError: It has another size, or a swatch that there is not.
    """
    if layer.shape != frame.rgb.shape[:2]:
        height, width = frame.rgb.shape[:2]
        raise UserError(
            f"a layer of {layer.shape[1]}×{layer.shape[0]} pixels: frame {frame.index} has "
            f"{width}×{height}"
        )
    known = {0} | {each.id for each in palette.swatches}
    strange = sorted(set(np.unique(layer).tolist()) - known)
    if strange:
        raise UserError(f"the layer is painted with swatch {strange[0]}, which the palette has not")


def painted(frame: Frame, layer: Layer, palette: Palette) -> Frame:
    """Return the picture of what is painted: each colour on the luma of the frame, else clear.

    It has the depth of the frame. A colour that some luma cannot hold is as strong as it can be
    there (:func:`colorize.imaging.color.join_in_gamut`).
    """
    largest = int(np.iinfo(frame.rgb.dtype).max)
    colors = np.zeros((LOOKUP, 3), dtype=np.float32)
    for each in palette.swatches:
        colors[each.id] = np.asarray(each.rgb, dtype=np.float32) / 255
    chroma = rgb_to_chroma(torch.from_numpy(colors).T[None, :, :, None])[0, :, :, 0].T
    planes = chroma[torch.from_numpy(layer.astype(np.int64))].permute(2, 0, 1)[None]
    luma = torch.from_numpy(frame.gray())[None, None]
    rgb = to_integers(join_in_gamut(luma, planes), frame.rgb.dtype)[0]
    alpha = np.where(layer > 0, largest, 0).astype(frame.rgb.dtype)
    return Frame(frame.index, frame.name, rgb, alpha)


LOOKUP = 65536  # all values of a layer
