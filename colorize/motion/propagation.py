"""Propagate flow along a shot: to its references, carried on from frame to frame.

Flow straight from a frame to a reference fails where much has changed between them, as in a zoom.
From one frame to the next little changes. So at every pixel the flow is kept by which the drawing
of the reference fits best: the one found straight, the one carried on from the frame before, or the
one carried back from the frame after. A reference of another print is first brought to the tones of
each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from colorize.motion.estimators import FINE_SIDE, reference_flow
from colorize.motion.tones import fit_tones

_WINDOW = 9  # pixels of the square over which the misfit of a drawing is averaged
_SAMPLED = 6  # pixels from one to the next of those that tones are fitted on
_GRAY, _FLOW = "gray", "flow."

Plane = Float32[np.ndarray, "p q"]
Flow = Float32[np.ndarray, "p q 2"]


class FlowToReferences(NamedTuple):
    """Backward flow from t frames to r references at the size they are worked at.

    ``straight`` is found between the two alone, None where frames are larger than it is searched
    at; ``propagated`` is what fits best of it and its neighbours' in time.
    """

    straight: Float[Tensor, "t r 2 h w"] | None
    propagated: Float[Tensor, "t r 2 h w"]

    def to(self, device: torch.device) -> FlowToReferences:
        """Return the same flow on another device."""
        straight = None if self.straight is None else self.straight.to(device)
        return FlowToReferences(straight, self.propagated.to(device))


class Propagation:
    """Flow from consecutive frames of one shot to references, which are known by names.

    ``gray`` are the frames at the size they are worked at, in [0, 1]; flow is searched at a
    short side of 160, so that its cost does not depend on it. ``before`` is the :attr:`state` of
    the frames that these go on from. ``tick`` is called for each frame and reference. It is
    kept in half precision: 0.2 MB for a frame of 108x192 and a reference.
    """

    def __init__(
        self,
        gray: Float[Tensor, "t 1 h w"],
        *,
        before: Mapping[str, Tensor] | None = None,
        tick: Callable[[], object] = lambda: None,
    ) -> None:
        self._tick = tick
        self._size = (gray.shape[-2], gray.shape[-1])
        self._gray = self._fit(gray)
        self._luma = self._gray[:, 0].numpy()
        self._before = dict(before or {})
        self._flow = reference_flow()
        self._found: dict[str, tuple[int, Tensor | None, Tensor]] = {}
        self._state: dict[str, Tensor] = {}

    @property
    def state(self) -> dict[str, Tensor]:
        """What the next frames of the shot go on from, of references followed up to the last."""
        return {_GRAY: self._gray[-1:], **self._state} if self._state else {}

    @torch.inference_mode()
    def follow(
        self, name: str, reference: Float[Tensor, "1 1 h w"], *, frames: range | None = None
    ) -> None:
        """Find the flow of ``frames`` (all of them if None) to a reference of their size."""
        frames = range(len(self._gray)) if frames is None else frames
        shown = self._fit(reference)
        found, tones = [], []
        for at in frames:
            self._tick()
            flow, toned = self._straight(self._gray[at : at + 1], shown)
            found.append(flow)
            tones.append(toned)
        straight = np.stack(found)
        path = _Path(self._luma[frames.start : frames.stop], tones, straight)
        earlier = self._before.get(_FLOW + name)
        if frames.start == 0 and earlier is not None and earlier.shape == straight[0].shape:
            path.carry(0, self._between(self._gray[:1], self._before[_GRAY]), earlier.numpy())
        for row in range(1, len(frames)):
            path.carry(row, self._back[frames[row] - 1], path.flow[row - 1])
        for row in reversed(range(len(frames) - 1)):
            path.carry(row, self._ahead[frames[row]], path.flow[row + 1])
        if frames.stop == len(self._gray):
            self._state[_FLOW + name] = torch.from_numpy(path.flow[-1].copy())
        small = min(self._size) <= FINE_SIDE
        direct, best = (
            torch.from_numpy(flow).permute(0, 3, 1, 2) for flow in (straight, path.flow)
        )
        self._found[name] = (
            frames.start,
            self._worked(direct).half() if small else None,
            self._worked(best).half() if small else best.half(),
        )

    def of(self, names: Sequence[str], frames: Sequence[int]) -> FlowToReferences:
        """Return the flow of ``frames`` to references that were followed there."""
        straight, carried = [], []
        for name in names:
            start, direct, best = self._found[name]
            rows = [frame - start for frame in frames]
            if direct is not None:
                straight.append(direct[rows].float())
            carried.append(self._worked(best[rows].float()))
        return FlowToReferences(
            torch.stack(straight, dim=1) if straight else None, torch.stack(carried, dim=1)
        )

    @cached_property
    def _back(self) -> Sequence[Flow]:
        """Where each frame but the first was in the one before."""
        return [self._between(one, before) for before, one in pairwise(self._gray.split(1))]

    @cached_property
    def _ahead(self) -> Sequence[Flow]:
        """Where each frame but the last is in the one after."""
        return [self._between(one, after) for one, after in pairwise(self._gray.split(1))]

    def _straight(
        self, gray: Float[Tensor, "1 1 p q"], reference: Float[Tensor, "1 1 p q"]
    ) -> tuple[Flow, Plane]:
        """Return the flow to a reference, and that in the tones of the frame, which it is found by.

        Flow of patches of another brightness is right for the most part: enough to find the tones.
        """
        flow = self._between(gray, reference)
        sampled = (slice(None, None, _SAMPLED),) * 2
        seen = _fetch(reference[0, 0].numpy(), flow)[sampled]
        one, other = (torch.from_numpy(np.ascontiguousarray(each)).reshape(1, -1)
                      for each in (seen, gray[0, 0].numpy()[sampled]))  # fmt: skip
        toned = fit_tones(one, other, torch.ones_like(one))(reference)
        if not torch.equal(toned, reference):
            flow = self._between(gray, toned)
        return flow, toned[0, 0].numpy()

    def _between(self, gray: Float[Tensor, "1 1 p q"], other: Float[Tensor, "1 1 p q"]) -> Flow:
        return np.ascontiguousarray(self._flow(gray, other)[0].permute(1, 2, 0).numpy())

    def _fit(self, gray: Float[Tensor, "t 1 _h _w"]) -> Float[Tensor, "t 1 p q"]:
        """Bring frames to the size at which flow is searched."""
        scale = FINE_SIDE / min(self._size)
        size = (round(self._size[0] * scale), round(self._size[1] * scale))
        return functional.interpolate(gray, size=size, mode="bicubic", antialias=True).clamp(0, 1)

    def _worked(self, flow: Float[Tensor, "t 2 _h _w"]) -> Float[Tensor, "t 2 h w"]:
        """Bring flow to the size at which frames are worked."""
        if flow.shape[-2:] == self._size:
            return flow
        scale = flow.new_tensor([self._size[1] / flow.shape[-1], self._size[0] / flow.shape[-2]])
        resized = functional.interpolate(flow, size=self._size, mode="bilinear", antialias=True)
        return resized * scale[:, None, None]


class _Path:
    """Flow of consecutive frames to a reference, with how far the drawings differ along it.

    ``references`` are that reference in the tones of each frame.
    """

    def __init__(
        self,
        luma: Float32[np.ndarray, "t p q"],
        references: Sequence[Plane],
        straight: Float32[np.ndarray, "t p q 2"],
    ) -> None:
        self.flow = straight.copy()
        self._luma, self._references = luma, references
        self._misfits = [self._misfit(row, each) for row, each in enumerate(straight)]

    def carry(self, row: int, step: Flow, onward: Flow) -> None:
        """Take the flow by a neighbour, ``step`` and then ``onward``, where it fits better."""
        proposed = step + _fetch(onward, step)
        misfit = self._misfit(row, proposed)
        better = misfit < self._misfits[row]
        np.copyto(self.flow[row], proposed, where=better[..., None])
        np.copyto(self._misfits[row], misfit, where=better)

    def _misfit(self, row: int, flow: Flow) -> Plane:
        """Return how far the reference's luma, moved, is from a frame's, around each pixel."""
        moved = _fetch(self._references[row], flow)
        return cv2.blur(
            np.abs(self._luma[row] - moved), (_WINDOW, _WINDOW), borderType=cv2.BORDER_REPLICATE
        )


def _fetch(image: Float32[np.ndarray, "p q *c"], flow: Flow) -> Float32[np.ndarray, "p q *c"]:
    """Fetch the value of an image at the places that a flow points to; outside, of its edge.

    This is :func:`colorize.motion.warp.warp` of one image, but much faster on a CPU.
    """
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
