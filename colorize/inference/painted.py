"""Read pictures that somebody painted: picture files, and OpenRaster files of a paint program."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from colorize.base.errors import UserError
from colorize.imaging.color import join_in_gamut, rgb_to_chroma
from colorize.imaging.tensors import to_tensor
from colorize.media import Frame, Picture, open_source
from colorize.media.pictures.openraster import SUFFIX, read_openraster


def read_painted(path: Path) -> Frame:
    """Return a painted picture; what is not painted in it is transparent.

    Of an OpenRaster file these are its colours, at the luma of its drawing where it has one: flat
    paint then has the lines that it lies under.

    Raises:
        MediaError: It cannot be read.
        UserError: It is a folder or a film.
    """
    if path.suffix.lower() == SUFFIX and path.is_file():
        painting = read_openraster(path)
        frame = Frame(0, path.name, *painting.colors)
        if painting.drawing is None:
            return frame
        return on_drawing(frame, Frame(0, path.name, painting.drawing))
    with open_source(path) as source:
        if source.kind != "image":
            raise UserError(f"{path} is a {source.kind}: references are pictures")
        return next(iter(source.frames()))


def on_drawing(paint: Frame, drawing: Frame) -> Frame:
    """Return paint with the luma of a frame, to whose size it is brought; its alpha stays.

    What this luma cannot hold of a colour is lost, as it is where a frame is coloured.
    """
    height, width, _ = drawing.rgb.shape
    rgb, alpha = paint.rgb, paint.alpha
    if rgb.shape[:2] != (height, width):
        rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_NEAREST)
        if alpha is not None:
            alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_NEAREST)
    luma = torch.from_numpy(drawing.gray())[None, None]
    joined = join_in_gamut(luma, rgb_to_chroma(to_tensor(rgb[None])))[0]
    return Frame(paint.index, paint.name, _integers(joined.numpy(), rgb.dtype), alpha)


def _integers(planes: Float32[np.ndarray, "3 h w"], dtype: np.dtype) -> Picture:
    scaled = np.moveaxis(planes, 0, 2) * np.iinfo(dtype).max
    return np.ascontiguousarray(np.rint(scaled).astype(dtype))
