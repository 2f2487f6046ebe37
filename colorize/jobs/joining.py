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

from colorize.color import join_in_gamut
from colorize.media import Frame, Picture
from colorize.stillness import hold_pixels
from colorize.upsampling import REACH, upsample_chroma

_LUMA, _RGB = "pixels.luma", "pixels.rgb"
_STRIP = 2**16  # pixels joined at once: few enough for a processor's caches


class Joining:
    """The stage of a job that makes full-size frames.

    ``saturation`` is a factor of the chroma. With ``hold`` pixels that do not change in the
    original do not change in the result either, to the bit.
    """

    def __init__(self, *, device: torch.device, saturation: float, hold: bool) -> None:
        self._device, self._saturation, self._hold = device, saturation, hold
        self.state: dict[str, Tensor] = {}

    def __call__(
        self,
        frames: Sequence[Frame],
        chroma: Float[Tensor, "t 2 _h _w"],
        *,
        before: Mapping[str, Tensor],
    ) -> Iterator[Frame]:
        """Yield the frames of a part in colour; ``state`` is then what the next part goes on from.

        ``before`` is the state that the part before in the same shot left; empty at its start.
        """
        self.state = {name: each for name, each in before.items() if name in (_LUMA, _RGB)}
        for frame, planes in zip(frames, chroma, strict=True):
            rgb = self._join(frame, planes)
            if self._hold:
                rgb = self._held(frame, rgb, cell=frame.rgb.shape[0] / planes.shape[1])
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

    def _held(self, frame: Frame, rgb: Picture, *, cell: float) -> Picture:
        """Take over from the frame before what nothing is drawn anew near; remember this frame."""
        luma = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)
        if self.state:
            rgb = hold_pixels(
                rgb,
                luma,
                previous_rgb=self.state[_RGB].numpy(),
                previous_luma=self.state[_LUMA].numpy(),
                reach=math.ceil((REACH + 1) * cell),
            )
        self.state = {_LUMA: torch.from_numpy(luma), _RGB: torch.from_numpy(rgb)}
        return rgb


def to_integers(pictures: Float[Tensor, "b 3 h w"], dtype: np.dtype) -> np.ndarray:
    """Return RGB pictures in [0, 1] as ``b h w 3`` of uint8 or uint16, rounded."""
    scaled = rearrange(pictures, "b c h w -> b h w c") * np.iinfo(dtype).max
    return scaled.round().cpu().numpy().astype(dtype)
