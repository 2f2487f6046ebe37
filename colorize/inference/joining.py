"""Join the chroma of frames to their luma at full size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from colorize.base.threads import one_thread
from colorize.imaging.color import join_in_gamut
from colorize.imaging.geometry import resize
from colorize.imaging.upsampling import REACH, upsample_chroma
from colorize.inference.library import ColoredPicture, Library, own_colors
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, Picture
from colorize.motion.smoothing import hold_pixels

_LUMA, _RGB = "pixels.luma", "pixels.rgb"
_STRIP = 2**16  # pixels joined at once: few enough for a processor's caches


class Joining:
    """Make full-size frames of one colouring of a shot.

    Pixels that do not change in the original do not change in the result either, to the bit, unless
    the settings ask for no stillness. Frames that are references themselves (``library``) get their
    own colours, at full size and as they are, where these are opaque. ``own_luma`` as in
    :class:`colorize.inference.coloring.Coloring`.
    """

    def __init__(
        self,
        settings: RenderSettings,
        *,
        device: torch.device,
        library: Library | None = None,
        own_luma: bool = False,
    ) -> None:
        self._settings, self._device = settings, device
        self._library, self._own_luma = library, own_luma
        self.state: dict[str, Tensor] = {}

    def __call__(
        self,
        frames: Sequence[Frame],
        chroma: Float[Tensor, "t _c _h _w"],
        *,
        before: Mapping[str, Tensor],
        names: Sequence[str] = (),
    ) -> Iterator[Frame]:
        """Yield frames in colour; ``state`` is then what the next ones go on from.

        ``before`` is the state that the frames before in the same shot left; empty at its start.
        ``names`` are the references of the shot.
        """
        self.state = {name: each for name, each in before.items() if name in (_LUMA, _RGB)}
        for frame, planes in zip(frames, chroma, strict=True):
            picture = self._library.own(names, frame.index) if self._library else None
            with one_thread():
                rgb = self._colored(frame, planes, picture)
            if self._settings.stillness > 0:
                cell = frame.rgb.shape[0] / planes.shape[1] if picture is None else None
                rgb = self._held(frame, rgb, cell=cell)
            yield frame.with_rgb(rgb)

    @torch.inference_mode()
    def _colored(
        self, frame: Frame, planes: Float[Tensor, "_c _h _w"], picture: ColoredPicture | None
    ) -> Picture:
        if self._own_luma:
            size = frame.rgb.shape[:2]
            free = resize(planes[None].to(self._device), size).clamp(0, 1)
            return to_integers(free, frame.rgb.dtype)[0]
        luma = torch.from_numpy(frame.gray())[None, None]
        if picture is None:
            return self._joined(frame, luma.to(self._device), planes)
        own, opacity = own_colors(picture, (luma.shape[-2], luma.shape[-1]))
        rgb = to_integers(join_in_gamut(luma, own), frame.rgb.dtype)[0]
        if opacity is None:
            return rgb
        around = self._joined(frame, luma.to(self._device), planes)
        return np.where(opacity[0, 0, :, :, None].numpy() >= 0.5, rgb, around)

    def _joined(
        self, frame: Frame, luma: Float[Tensor, "1 1 h w"], chroma: Float[Tensor, "2 _h _w"]
    ) -> Picture:
        """Join small chroma to the luma of a frame, strip by strip."""
        small = chroma[None].to(self._device) * self._settings.saturation
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


def to_integers(pictures: Float[Tensor, "b 3 h w"], dtype: np.dtype) -> np.ndarray:
    """Return RGB pictures in [0, 1] as ``b h w 3`` of uint8 or uint16, rounded."""
    scaled = rearrange(pictures, "b c h w -> b h w c") * np.iinfo(dtype).max
    return scaled.round().cpu().numpy().astype(dtype)
