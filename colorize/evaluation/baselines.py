"""Simple ways to colour by reference frames, which a network has to beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import require_choice
from colorize.data import Clip
from colorize.imaging.color import join_in_gamut, lab_to_rgb, rgb_to_chroma, rgb_to_lab, rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.media import Frame
from colorize.motion.estimators import FlowMethod, build_flow_estimator, reference_flow
from colorize.motion.warp import warp

Method = Literal["copied", "moved", "transferred"]

_WINDOW = 5  # pixels, of the deviation of luma
_SAMPLES = 1024  # pixels of a reference that colours are looked up among


class Baseline:
    """Colour frames by the reference nearest in time, keeping their luma.

    - ``copied``: its chroma as it is;
    - ``moved``: its chroma warped along optical flow between the gray frames, by ``flow``;
    - ``transferred``: for each pixel the a and b of the pixel of the reference whose lightness and
      local deviation of lightness are most similar.

    Source of ``transferred``: Welsh et al. 2002, Transferring Color to Greyscale Images, section 3.
    Differs: samples on a regular grid, not jittered, and the chroma is joined to Y', not to L*.
    """

    needs_all = False

    def __init__(
        self, method: str, *, flow: FlowMethod = "dis", flow_weights: str = "torchvision"
    ) -> None:
        require_choice("baseline", method, Method)
        self.method = method
        self.device = torch.device("cpu")
        self._flow = (
            reference_flow()
            if flow == "dis"
            else build_flow_estimator(method=flow, weights=flow_weights)
        )
        self._pictures: dict[int, dict[int, Float[Tensor, "1 3 h w"]]] = {}

    def open(self, clip: Clip, shown: Mapping[int, Sequence[int]]) -> None:
        """Take the references of each shot."""
        self._pictures = {
            start: {n: to_tensor(np.array(clip.frames[n : n + 1])) for n in numbers}
            for start, numbers in shown.items()
        }

    @torch.inference_mode()
    def __call__(self, start: int, frames: Iterator[Frame]) -> Iterator[Float[Tensor, "1 3 h w"]]:
        """Yield colourings in [0, 1] of frames of the shot that starts at ``start``."""
        pictures = self._pictures[start]
        for frame in frames:
            gray = torch.from_numpy(frame.gray())[None, None]
            nearest = min(pictures, key=lambda number: abs(number - frame.index))
            yield self._color(gray, pictures[nearest])

    def _color(
        self, gray: Float[Tensor, "1 1 h w"], picture: Float[Tensor, "1 3 h w"]
    ) -> Float[Tensor, "1 3 h w"]:
        if self.method == "transferred":
            return join_in_gamut(gray, transferred(gray, picture))
        chroma = rgb_to_chroma(picture)
        if self.method == "moved":
            chroma = warp(chroma, self._flow(gray, rgb_to_luma(picture)))
        return join_in_gamut(gray, chroma)


def transferred(
    gray: Float[Tensor, "1 1 h w"], reference: Float[Tensor, "1 3 _h _w"]
) -> Float[Tensor, "1 2 h w"]:
    """Return for each pixel the chroma that the most similar pixel of a reference gives it."""
    lab = rgb_to_lab(reference)
    lightness = rgb_to_lab(gray.expand(-1, 3, -1, -1))[:, :1]
    # The reference's lightness gets the mean and deviation of the frame's (Welsh et al.).
    own = lab[:, :1]
    scale = lightness.std() / own.std().clamp_min(1e-6)
    known = _described((own - own.mean()) * scale + lightness.mean())
    step = max(1, round((known.shape[0] / _SAMPLES) ** 0.5))
    height, width = own.shape[-2:]
    rows = torch.arange(step // 2, height, step)[:, None] * width
    chosen = (rows + torch.arange(step // 2, width, step)[None]).flatten()
    nearest = torch.cdist(_described(lightness), known[chosen]).argmin(dim=1)
    ab = rearrange(lab[:, 1:], "1 c h w -> (h w) c")[chosen][nearest]
    planes = rearrange(ab, "(h w) c -> 1 c h w", w=gray.shape[-1])
    return rgb_to_chroma(lab_to_rgb(torch.cat([lightness, planes], dim=1)).clamp(0, 1))


def _described(lightness: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "n 2"]:
    """Return lightness and its deviation in a window of every pixel."""
    pad = _WINDOW // 2
    padded = functional.pad(lightness, (pad, pad, pad, pad), mode="replicate")
    mean = functional.avg_pool2d(padded, _WINDOW, stride=1)
    square = functional.avg_pool2d(padded.square(), _WINDOW, stride=1)
    deviation = (square - mean.square()).clamp_min(0).sqrt()
    return rearrange(torch.cat([lightness, deviation], dim=1), "1 c h w -> (h w) c")
