"""Turn a decoded frame of a film into an upright sRGB picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from colorize.media.frame import Picture

# Without these three FFmpeg doubles chroma columns and rounds carelessly: on flat colours in 4:2:0
# the luma error is 1.26 of 255 instead of 0.35.
SCALING = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
# FFmpeg's rotation, in degrees against the clock -> what makes a frame upright.
_QUARTERS = {90: (True, True, False), 180: (False, True, True), 270: (True, False, True)}
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED


def to_rgb(
    frame: VideoFrame,
    reformatter: VideoReformatter,
    turn: tuple[bool, bool, bool],
    size: tuple[int, int] | None = None,
) -> Picture:
    """Return the upright sRGB of a decoded frame, 16-bit if it has more than 8 bits a channel.

    ``turn`` is the film's :func:`orientation`; a frame of another ``size`` (height, width, as
    stored) is scaled to it.
    """
    deep = max(component.bits for component in frame.format.components) > 8
    matrix = None
    if frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb:
        large = frame.height >= 720 or frame.width >= 1280
        matrix = Colorspace.ITU709 if large else Colorspace.ITU601
    converted = reformatter.reformat(
        frame,
        width=size[1] if size else None,
        height=size[0] if size else None,
        format="rgb48le" if deep else "rgb24",
        src_colorspace=matrix,
        dst_color_range=ColorRange.JPEG,
        interpolation=SCALING,
    )
    transposed, upside_down, mirrored = turn
    rgb = converted.to_ndarray()
    if frame.format.name.startswith("gray"):
        limited = frame.color_range == ColorRange.MPEG
        rgb = _gray_levels(rgb, frame.format.components[0].bits, limited=limited)
    rgb = rgb.swapaxes(0, 1) if transposed else rgb
    rgb = rgb[::-1] if upside_down else rgb
    rgb = rgb[:, ::-1] if mirrored else rgb
    return np.ascontiguousarray(rgb)


def _gray_levels(gray: Picture, bits: int, *, limited: bool) -> Picture:
    """Return the levels that swscale leaves undone for gray formats of ``bits`` a sample.

    Whatever it is told, it takes gray for full range, as it is where it is not tagged limited; and
    it fills up 10 bits with zeros, so that white is 65472 instead of 65535.

    Source: ITU-R BT.601-7, 2.5.3: black is 16 and white 235, of 8 bits.
    """
    depth = gray.dtype.itemsize * 8
    if not limited and bits in (8, 16):
        return gray
    stored = np.arange(2**depth) / 2 ** (depth - bits)
    step = 2 ** (bits - 8)
    full = (stored - 16 * step) / (219 * step) if limited else stored / (2**bits - 1)
    return np.rint(np.clip(full, 0, 1) * (2**depth - 1)).astype(gray.dtype)[gray]


def orientation(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Return whether to transpose a frame, then turn it upside down, then mirror it.

    To be asked once a film: PyAV's side data and its frame refer to each other, so that a frame
    asked for it stays in memory until Python's collector comes round.

    A display matrix (a b u, c d v, x y w) sends (p, q) to (a p + c q, b p + d q); quarter turns
    and mirrors only, other angles are left alone.
    Source: ISO/IEC 14496-12, 8.5.2.3; FFmpeg's libavutil/display.h.
    """
    try:
        side_data: Any = frame.side_data
    except ValueError:  # PyAV knows no kinds newer than itself, such as the views of stereo films
        return _QUARTERS.get(frame.rotation % 360, (False, False, False))
    if "DISPLAYMATRIX" not in side_data:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), np.int32)[:5]
    if a == d == 0:
        return True, bool(b < 0), bool(c < 0)
    return False, bool(d < 0), bool(a < 0)
