"""Join the chroma of a part to its original frames at full size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from colorize.films.plan.manifest import Reference
from colorize.films.render.guides import Guides
from colorize.imaging.color import join_in_gamut
from colorize.imaging.upsampling import REACH, upsample_chroma
from colorize.media import Frame, Picture
from colorize.motion.smoothing import hold_pixels

_LUMA, _RGB = "pixels.luma", "pixels.rgb"
_STRIP = 2**16  # pixels joined at once: few enough for a processor's caches


class Joining:
    """The stage of a job that makes full-size frames.

    ``saturation`` is a factor of the chroma. With ``hold`` pixels that do not change in the
    original do not change in the result either, to the bit. Frames that are references themselves
    (``guides``) get their own colours, at full size and as they are.
    """

    def __init__(
        self, *, device: torch.device, saturation: float, hold: bool, guides: Guides | None = None
    ) -> None:
        self._device, self._saturation, self._hold = device, saturation, hold
        self._guides = guides
        self.state: dict[str, Tensor] = {}

    def __call__(
        self,
        frames: Sequence[Frame],
        chroma: Float[Tensor, "t 2 _h _w"],
        *,
        before: Mapping[str, Tensor],
        names: Sequence[str] = (),
    ) -> Iterator[Frame]:
        """Yield the frames of a part in colour; ``state`` is then what the next part goes on from.

        ``before`` is the state that the part before in the same shot left; empty at its start.
        ``names`` are the references of the shot.
        """
        self.state = {name: each for name, each in before.items() if name in (_LUMA, _RGB)}
        for frame, planes in zip(frames, chroma, strict=True):
            reference = self._guides.own(names, frame.index) if self._guides else None
            rgb = self._join(frame, planes) if reference is None else self._own(frame, reference)
            if self._hold:
                cell = frame.rgb.shape[0] / planes.shape[1] if reference is None else None
                rgb = self._held(frame, rgb, cell=cell)
            yield frame.with_rgb(rgb)

    @torch.inference_mode()
    def _join(self, frame: Frame, chroma: Float[Tensor, "2 _h _w"]) -> Picture:
        luma = torch.from_numpy(frame.gray()).to(self._device)[None, None]
        small = chroma[None].to(self._device) * self._saturation
        full = upsample_chroma(small, luma)
        rows = max(1, _STRIP // luma.shape[-1])
        strips = zip(luma.split(rows, dim=-2), full.split(rows, dim=-2), strict=True)
        return np.concatenate(
            [to_integers(join_in_gamut(*strip), frame.rgb.dtype)[0] for strip in strips]
        )

    def _held(self, frame: Frame, rgb: Picture, *, cell: float | None) -> Picture:
        """Take over from the frame before what nothing is drawn anew near; remember this frame.

        ``cell`` is the size of a pixel of the working size; None takes nothing over.
        """
        luma = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)
        if self.state and cell is not None:
            rgb = hold_pixels(
                rgb,
                luma,
                previous_rgb=self.state[_RGB].numpy(),
                previous_luma=self.state[_LUMA].numpy(),
                reach=math.ceil((REACH + 1) * cell),
            )
        self.state = {_LUMA: torch.from_numpy(luma), _RGB: torch.from_numpy(rgb)}
        return rgb

    @torch.inference_mode()
    def _own(self, frame: Frame, reference: Reference) -> Picture:
        """Join the colours of a reference to the frame that it is."""
        assert self._guides is not None
        luma = torch.from_numpy(frame.gray())[None, None]
        chroma = self._guides.chroma_of(reference, (luma.shape[-2], luma.shape[-1]))
        return to_integers(join_in_gamut(luma, chroma), frame.rgb.dtype)[0]


def to_integers(pictures: Float[Tensor, "b 3 h w"], dtype: np.dtype) -> np.ndarray:
    """Return RGB pictures in [0, 1] as ``b h w 3`` of uint8 or uint16, rounded."""
    scaled = rearrange(pictures, "b c h w -> b h w c") * np.iinfo(dtype).max
    return scaled.round().cpu().numpy().astype(dtype)
