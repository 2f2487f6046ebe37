"""The refinement network g: takes flicker out of a colouring, given the frame before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from colorize.base.errors import UserError, require_choice
from colorize.imaging.color import join, rgb_to_chroma
from colorize.motion.estimators import FlowMethod
from colorize.motion.warp import agreement, warp
from colorize.networks.base import Luma
from colorize.networks.unet import Normalization, UNet

TrainingFlow = Literal["gray", "color"]
TrainedOutputs = Literal["all", "one"]

_IN_CHANNELS, _OUT_CHANNELS = 18, 3  # six pictures or masks of 3 channels each


class Evidence(NamedTuple):
    """What g sees (``planes``), and the two parts of it that its loss takes as well."""

    planes: Float[Tensor, "b 18 h w"]
    warped: Float[Tensor, "b 3 h w"]
    flicker: Bool[Tensor, "b 1 h w"]


def refinement_evidence(
    color: Float[Tensor, "b 3 h w"],
    previous_color: Float[Tensor, "b 3 h w"],
    gray: Float[Tensor, "b 1 h w"],
    previous_gray: Float[Tensor, "b 1 h w"],
    flow: Float[Tensor, "b 2 h w"],
    *,
    threshold: float = 0.05,
) -> Evidence:
    """Return [coarse, W(c0), c1, low, cmap_C, cmap_X] of a colourized frame and the one before.

    ``flow`` is backward, W warps by it. cmap_C and cmap_X say where colours and grays agree along
    it to within ``threshold``; low = cmap_X and not cmap_C is flicker: gray agrees, colour does
    not; coarse is the frame with the flickering places put back to gray.

    Source: Lei & Chen 2019, section 3.2, and released code.
    """
    warped = warp(previous_color, flow)
    steady_color = agreement(color, previous_color, flow, threshold=threshold)
    steady_gray = agreement(gray, previous_gray, flow, threshold=threshold)
    flicker = steady_gray & ~steady_color
    coarse = torch.where(flicker, gray, color)
    masks = [mask.to(color.dtype).expand_as(color) for mask in (flicker, steady_color, steady_gray)]
    return Evidence(torch.cat([coarse, warped, color, *masks], dim=1), warped, flicker)


class Refiner(nn.Module):
    """The refinement network: the generator's U-Net on :func:`refinement_evidence`.

    ``luma="keep"`` gives the result exactly the luma of the gray frame, ``"free"`` is [L].

    ``flow_method`` and ``flow_weights`` choose the flow between black-and-white frames that g is
    used with (:mod:`colorize.motion.estimators`). ``training_flow="gray"`` trains on that flow;
    ``"color"`` trains on the flow of the true colour frames, which [L] did although no film to be
    coloured has it. ``trained_outputs`` says which of the K colourings of a pair a step refines:
    ``"all"``, or ``"one"``, in turn, for a K-th of the cost.

    Source: Lei & Chen 2019, section 3.2 (VCRN).
    """

    provides: ClassVar[frozenset[str]] = frozenset({"warped", "unrefined", "flicker"})

    def __init__(
        self,
        *,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        normalization: Normalization = "none",
        luma: Luma = "free",
        threshold: float = 0.05,
        flow_method: FlowMethod = "dis",
        flow_weights: str = "torchvision",
        training_flow: TrainingFlow = "gray",
        trained_outputs: TrainedOutputs = "all",
    ) -> None:
        super().__init__()
        if threshold <= 0:
            raise UserError(f"refiner.threshold is {threshold}: expected above 0")
        require_choice("refiner.luma", luma, Luma)
        require_choice("refiner.training_flow", training_flow, TrainingFlow)
        require_choice("refiner.trained_outputs", trained_outputs, TrainedOutputs)
        self.luma = luma
        self.threshold = threshold
        self.flow_method = flow_method
        self.flow_weights = flow_weights
        self.training_flow = training_flow
        self.trained_outputs = trained_outputs
        self.unet = UNet(
            in_channels=_IN_CHANNELS,
            out_channels=_OUT_CHANNELS,
            channels=channels,
            normalization=normalization,
        )

    def forward(
        self, evidence: Float[Tensor, "b 18 h w"], gray: Float[Tensor, "b 1 h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """Return the refined frame in RGB, not clipped."""
        refined = self.unet(evidence).to(gray.dtype)
        return refined if self.luma == "free" else join(gray, rgb_to_chroma(refined))
