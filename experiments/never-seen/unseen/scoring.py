"""Score the colours of frames, whatever has befallen their luma."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_lab, rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.metrics.lab import ciede2000
from colorize.metrics.psnr import psnr

Frames = UInt8[np.ndarray, "t h w 3"]


def psnr_of_colors(colored: Frames, truth: Frames) -> Float64[np.ndarray, " t"]:
    """Return the PSNR in dB of each frame's chroma joined to the true luma, against the truth.

    What befell the luma of the film itself does not count: only the colours that came of it do.
    """
    true = to_tensor(truth)
    joined = join_in_gamut(rgb_to_luma(true), rgb_to_chroma(to_tensor(colored)))
    return psnr(joined, true).numpy()


def within(
    colored: Frames, truth: Frames, mask: Bool[np.ndarray, "t h w"], *, distance: float
) -> float:
    """Return the share of the masked pixels whose CIEDE2000 from the truth is at most that."""
    labs = (rgb_to_lab(to_tensor(each).double()) for each in (colored, truth))
    return float((ciede2000(*labs).numpy()[mask] <= distance).mean())


def psnr_within(colored: Frames, truth: Frames, mask: Bool[np.ndarray, "t h w"]) -> float:
    """Return the PSNR in dB of the masked pixels of all frames together."""
    error = (colored[mask].astype(np.float64) - truth[mask]) / 255
    return float(-10 * np.log10(max(np.square(error).mean(), 1e-10)))


def cut_out(
    picture: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], *, margin: int = 6
) -> UInt8[np.ndarray, "p q 4"]:
    """Return what a mask shows of a picture, on transparency, with a margin in pixels around it.

    Raises: ValueError when it shows nothing.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise ValueError("the mask shows nothing")
    alpha = np.where(mask, 255, 0).astype(np.uint8)
    whole = np.pad(np.dstack([picture, alpha]), [(margin, margin)] * 2 + [(0, 0)])
    return whole[rows[0] : rows[-1] + 2 * margin + 1, columns[0] : columns[-1] + 2 * margin + 1]


def on_white(picture: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture on white, opaque."""
    return np.where(picture[..., 3:] > 0, picture[..., :3], 255).astype(np.uint8)
