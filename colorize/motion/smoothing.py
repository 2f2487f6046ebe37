"""Hold the colours of a shot still: along its motion, and to the bit where nothing moves.

A network that colours frame by frame says something slightly different of every one of them.
:func:`hold_still` averages what it says of one place of the drawing over the frames that show it,
before and after; :func:`hold_pixels` repeats finished pixels where nothing is drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from colorize.base.errors import UserError
from colorize.motion.estimators import FlowEstimator
from colorize.motion.warp import points_inside, warp

DEFAULT_STRENGTH = 0.9

# A place is still while its gray stays this near to what it was, and that of all pixels around.
_SAME = 1.01 / 255
_AROUND = 3  # pixels: an outline that jumps over a place by up to twice as many is seen to pass
# Scales at which a difference of two frames along the flow tells that they show two things.
_GRAY_SCALE = 0.08
_FLOW_SCALE, _FLOW_OFFSET = 0.01, 0.5  # of squared lengths, as in colorize.motion.warp.consistency
_CHROMA_OFFSET, _WINDOW = 0.05, 9
_FADE = 0.9  # a frame: how fast what a later part knows better takes over from the part before
_BLOCK = 4  # pixels: the unit in which places near a change are found


class Held(NamedTuple):
    """What the next part of a shot needs: its last frame so far, and what its places were given.

    ``anchor`` is the gray that each place had when it was last drawn anew; ``sums`` are the
    weighted sums of (Cb, Cr, 1) along the motion so far; ``shown`` is the chroma that went out.
    """

    gray: Float[Tensor, "1 1 h w"]
    anchor: Float[Tensor, "1 1 h w"]
    chroma: Float[Tensor, "1 2 h w"]
    sums: Float[Tensor, "1 3 h w"]
    shown: Float[Tensor, "1 2 h w"]


class _Steps(NamedTuple):
    """How to go from each frame to its neighbour in one direction of time."""

    flow: Float[Tensor, "s 2 h w"]
    trust: Float[Tensor, "s 1 h w"]
    still: Bool[Tensor, "s 1 h w"]

    def each(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield the steps one by one, each with an axis of length 1 in front."""
        return zip(*(_one_by_one(values) for values in self), strict=True)

    def reversed(self) -> _Steps:
        """Return the last step first."""
        return _Steps(*(values.flip(0) for values in self))


def hold_still(
    gray: Float[Tensor, "t 1 h w"],
    chroma: Float[Tensor, "t 2 h w"],
    *,
    flow: FlowEstimator,
    strength: float = DEFAULT_STRENGTH,
    before: Held | None = None,
) -> tuple[Float[Tensor, "t 2 h w"], Held]:
    """Return (Cb, Cr) of the next t frames of a shot, averaged along the motion of ``gray``.

    A frame d steps away counts ``strength`` to the power d, less where gray, flow or colours tell
    that it shows something else; 0 returns ``chroma`` itself, 1 averages whatever is seen. Where
    gray stands still, all frames count alike, and the result is to the bit that of the frame
    before. ``before`` continues a shot: the past reaches over its parts, the future ends with each,
    and where that made the last frame of a part differ, the next part sets out from there.

    Raises:
        ValueError: ``strength`` is not in [0, 1], or ``before`` has another size.
    """
    _check(gray, strength, before)
    if before is not None:
        gray = torch.cat([before.gray, gray])
        chroma = torch.cat([before.chroma, chroma])
    still, anchor = _still_places(gray, None if before is None else before.anchor)
    past, future = _steps(gray, flow, still)
    own = torch.cat([chroma, torch.ones_like(gray)], dim=1)
    first = own[:1] if before is None else before.sums
    from_past = _accumulate(own, past, strength, first)
    from_future = _accumulate(own.flip(0), future.reversed(), strength, own[-1:]).flip(0)
    sums = from_past + from_future - own
    mean = sums[:, :2] / sums[:, 2:]
    shown = chroma if strength == 0 else _continued(mean, past, before)
    held = Held(gray[-1:], anchor, chroma[-1:], from_past[-1:], shown[-1:])
    return (shown if before is None else shown[1:]), held


def hold_pixels(
    rgb: Shaped[np.ndarray, "h w 3"],
    luma: Shaped[np.ndarray, "h w"],
    *,
    previous_rgb: Shaped[np.ndarray, "h w 3"],
    previous_luma: Shaped[np.ndarray, "h w"],
    reach: int,
) -> Shaped[np.ndarray, "h w 3"]:
    """Return a finished frame, to the bit that of the frame before where nothing is drawn anew.

    8- or 16-bit; ``luma`` is what was coloured, of the same shot. A pixel is taken over if its
    luma and that of all pixels within ``reach`` are what they were. ``reach`` in pixels is at least
    as far as a pixel's colour depends on others (the footprint of the upsampling), or colours that
    a figure sheds on what is beside it would stay behind; and an outline that jumps over a place by
    up to twice as much is seen to pass. A figure without outline in exactly the gray of what lies
    behind it cannot be seen.
    """
    assert rgb.shape == previous_rgb.shape
    assert rgb.dtype == previous_rgb.dtype
    (height, width), unit = luma.shape, _BLOCK
    changed = cv2.compare(luma, previous_luma, cv2.CMP_NE)
    missing = (-height % unit, -width % unit)
    whole = cv2.copyMakeBorder(changed, 0, missing[0], 0, missing[1], cv2.BORDER_CONSTANT, value=0)
    # The mean of a block with a single pixel of 255 is 16, never rounded to 0.
    rows, columns = whole.shape[0] // unit, whole.shape[1] // unit
    blocks = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    side = 2 * -(-reach // unit) + 1
    still = (cv2.dilate(blocks, np.ones((side, side), np.uint8)) == 0).view(np.uint8)
    mask = cv2.resize(still, whole.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.copyTo(previous_rgb, mask[:height, :width], rgb.copy())


def _check(gray: Float[Tensor, "t 1 h w"], strength: float, before: Held | None) -> None:
    if not 0 <= strength <= 1:
        raise UserError(
            f"strength is {strength}: expected 0 (colours as they come) to 1 (hold most)"
        )
    if before is not None and before.gray.shape[-2:] != gray.shape[-2:]:
        now, then = (f"{each.shape[-1]}x{each.shape[-2]}" for each in (gray, before.gray))
        raise UserError(
            f"frames are {now}, but what is held of their shot is {then}: colour a shot at one "
            "size, or start anew with before=None"
        )


def _still_places(
    gray: Float[Tensor, "t 1 h w"], anchor: Float[Tensor, "1 1 h w"] | None
) -> tuple[Bool[Tensor, "s 1 h w"], Float[Tensor, "1 1 h w"]]:
    """Return where each frame but the first is as it was, and the last frame's anchors.

    Gray is compared with that of the frame in which a place was last drawn anew, not with the frame
    before: a slow fade moves on by less than any tolerance.
    """
    kept = gray[:1] if anchor is None else anchor
    found = []
    for frame in _one_by_one(gray[1:]):
        difference = (frame - kept).abs()
        still = F.max_pool2d(difference, 2 * _AROUND + 1, stride=1, padding=_AROUND) <= _SAME
        kept = torch.where(still, kept, frame)
        found.append(still)
    return torch.cat(found) if found else gray[1:].bool(), kept


def _steps(
    gray: Float[Tensor, "t 1 h w"], flow: FlowEstimator, still: Bool[Tensor, "s 1 h w"]
) -> tuple[_Steps, _Steps]:
    """Return the steps from each frame to the one before, and from each to the next."""
    # No step at all where gray stands still, so that nothing is interpolated there.
    back = flow(gray[1:], gray[:-1]).masked_fill(still, 0)
    forth = flow(gray[:-1], gray[1:]).masked_fill(still, 0)
    return (
        _Steps(back, _trust(gray[1:], gray[:-1], back, forth), still),
        _Steps(forth, _trust(gray[:-1], gray[1:], forth, back), still),
    )


def _trust(
    gray: Float[Tensor, "s 1 h w"],
    other: Float[Tensor, "s 1 h w"],
    flow: Float[Tensor, "s 2 h w"],
    reverse: Float[Tensor, "s 2 h w"],
) -> Float[Tensor, "s 1 h w"]:
    """Return, in [0, 1], how surely ``flow`` leads from each pixel to the same place of ``other``.

    Gray must agree, and the flow with its reverse: the exponential of what
    :func:`colorize.motion.warp.consistency` compares, so that there is no seam where it would cross
    a threshold.
    """
    fetched = warp(torch.cat([other, reverse], dim=1), flow)
    difference, reverse = gray - fetched[:, :1], fetched[:, 1:]
    lengths = flow.square().sum(1, keepdim=True) + reverse.square().sum(1, keepdim=True)
    mismatch = (flow + reverse).square().sum(1, keepdim=True)
    doubt = (difference / _GRAY_SCALE).square() + mismatch / (_FLOW_SCALE * lengths + _FLOW_OFFSET)
    return torch.exp(-doubt) * points_inside(flow)


def _accumulate(
    own: Float[Tensor, "t 3 h w"],
    steps: _Steps,
    strength: float,
    first: Float[Tensor, "1 3 h w"],
) -> Float[Tensor, "t 3 h w"]:
    """Return the weighted sums of (Cb, Cr, 1) of each frame and all that the steps lead to."""
    sums = [first]
    for frame, (flow, trust, still) in zip(_one_by_one(own[1:]), steps.each(), strict=True):
        fetched = warp(sums[-1], flow)
        weight = strength * trust * _likeness(fetched, frame)
        sums.append(frame + torch.where(still, sums[-1], weight * fetched))
    return torch.cat(sums)


def _likeness(
    sums: Float[Tensor, "1 3 h w"], own: Float[Tensor, "1 3 h w"]
) -> Float[Tensor, "1 1 h w"]:
    """Return, in [0, 1], how like the colours summed so far are to a frame's own.

    Only a difference that stands out of those around it counts against them: a figure whose colour
    flickers differs all over, a colour that a wrong flow fetched from beyond an edge alone.
    """
    difference = (sums[:, :2] / sums[:, 2:] - own[:, :2]).square().sum(1, keepdim=True).sqrt()
    around = difference
    for window in ((1, _WINDOW), (_WINDOW, 1)):
        padding = (window[0] // 2, window[1] // 2)
        around = F.avg_pool2d(around, window, 1, padding, count_include_pad=False)
    return torch.exp(-(difference / (_CHROMA_OFFSET + around)).square())


def _continued(
    mean: Float[Tensor, "t 2 h w"], past: _Steps, before: Held | None
) -> Float[Tensor, "t 2 h w"]:
    """Return the means, going on from what the part before showed of the first frame.

    Where gray stands still that goes on to the bit; elsewhere what it differed by fades away.
    """
    shown = [mean[:1] if before is None else before.shown]
    rest = shown[0] - mean[:1]
    for now, (flow, trust, still) in zip(_one_by_one(mean[1:]), past.each(), strict=True):
        if before is not None:
            rest = torch.where(still, rest, _FADE * trust * warp(rest, flow))
        shown.append(torch.where(still, shown[-1], now + rest))
    return torch.cat(shown)


def _one_by_one(values: Tensor) -> tuple[Tensor, ...]:
    """Return the frames of a tensor with their axis; PyTorch splits none into one empty piece."""
    return values.split(1) if len(values) else ()
