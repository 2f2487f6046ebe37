"""Tell a frame that is in colour already from a black-and-white one, also a tinted one."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float64, UInt8, UInt16

_THUMBNAIL = (48, 64)  # height, width: noise of the codec averages out
# Of the chroma range [-0.5, 0.5]; a gray film stored as 4:2:0 H.264 or JPEG stays below 0.01.
_CLEARLY = 0.03
_SHARE = 0.05  # of the picture that must be clearly coloured


def is_colored(
    rgb: UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"], *, share: float = _SHARE
) -> bool:
    """Return whether a frame has colours of its own.

    A tint is none: chroma that follows the luma alone, as in sepia, blue night or yellowed prints,
    is taken away first by a linear fit; so a picture of two flat colours passes for tinted. At
    least ``share`` of a thumbnail must then differ from gray by more than 0.03 in Cb or Cr.

    Source: ours.
    """
    luma, chroma = _thumbnail(rgb)
    terms = np.stack([np.ones_like(luma), luma], axis=1)
    tint = terms @ np.linalg.lstsq(terms, chroma, rcond=None)[0]
    return bool(np.mean(np.abs(chroma - tint).max(axis=1) > _CLEARLY) >= share)


def clearly_colored(
    pixels: UInt8[np.ndarray, "n 3"] | UInt16[np.ndarray, "n 3"],
) -> float:
    """Return the share of some pixels that differ from gray by more than 0.03 in Cb or Cr."""
    _, chroma = _luma_and_chroma(pixels)
    return float((np.abs(chroma).max(axis=1) > _CLEARLY).mean())


def _thumbnail(
    rgb: UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"],
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, "n 2"]]:
    """Return luma in [0, 1], and Cb and Cr in [-0.5, 0.5], of a small picture's pixels."""
    height, width = (min(a, b) for a, b in zip(_THUMBNAIL, rgb.shape[:2], strict=True))
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return _luma_and_chroma(small.reshape(-1, 3))


def _luma_and_chroma(
    pixels: UInt8[np.ndarray, "n 3"] | UInt16[np.ndarray, "n 3"],
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, "n 2"]]:
    red, green, blue = (pixels / np.iinfo(pixels.dtype).max).T
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma, np.stack([(blue - luma) / 1.772, (red - luma) / 1.402], axis=1)
