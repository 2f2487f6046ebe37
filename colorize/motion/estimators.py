"""Estimate backward optical flow between frames: by OpenCV's DIS, or by torchvision's RAFT."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from colorize.base.errors import UserError, require_choice
from colorize.imaging.color import rgb_to_luma
from colorize.pretrained.weights import Wanted

FlowMethod = Literal["dis", "raft_small", "raft_large"]
DisPreset = Literal["medium", "fine"]

FINE_SIDE = 160  # below it patches of 8 pixels are too large for what drawings hold
# Four pyramid levels of correlation on features at an eighth of the size need at least 16 of them.
_RAFT_STRIDE, _RAFT_SMALLEST_SIDE = 8, 128
# OpenCV's coarsest pyramid level must hold whole 8x8 patches.
_DIS_SMALLEST_SIDE = 32
# Torchvision's weights of each network.
_RAFT = {
    "raft_small": "Raft_Small_Weights.C_T_V2",
    "raft_large": "Raft_Large_Weights.C_T_SKHT_V2",
}


@runtime_checkable
class FlowEstimator(Protocol):
    """Whatever estimates backward flow from two batches of frames."""

    def __call__(
        self, current: Float[Tensor, "b c h w"], previous: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b 2 h w"]:
        """Return where each pixel of ``current`` was in ``previous``; frames in [0, 1]."""
        ...


class Dis:
    """Estimate flow by OpenCV's dense inverse search on uint8 luma; needs no weights, CPU only.

    ``preset`` trades quality for time. ``"medium"`` is OpenCV's own, which stops at half the
    frame's size; ``"fine"`` searches down to single pixels of frames whose short side is enlarged
    to 160 where it is below, and leaves out the variational smoothing, which blurs motion across
    outlines (experiments/reference compares them). Since only luma is seen, colour frames and their
    black-and-white versions give the same flow, in training and in use.

    Source: Kroeger et al. 2016, Fast Optical Flow using Dense Inverse Search.
    """

    def __init__(self, *, preset: DisPreset = "medium") -> None:
        require_choice("flow.preset", preset, DisPreset)
        self._preset = preset

    def __call__(
        self, current: Float[Tensor, "b c h w"], previous: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b 2 h w"]:
        """Return backward flow, on the device of ``current``; frames are RGB or gray in [0, 1]."""
        height, width = current.shape[-2:]
        if len(current) == 0:
            return current.new_zeros(0, 2, height, width)
        # A new one each time: it keeps the scales of the smallest frame it ever saw.
        algorithm = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        enlarged = 1.0
        if self._preset == "fine":
            algorithm.setFinestScale(0)
            algorithm.setVariationalRefinementIterations(0)
            enlarged = max(1.0, FINE_SIDE / min(height, width))
        pairs = zip(_luma_bytes(current), _luma_bytes(previous), strict=True)
        flows = [_search(algorithm, *pair, enlarged=enlarged) for pair in pairs]
        stacked = torch.from_numpy(np.stack(flows)[:, :height, :width]).permute(0, 3, 1, 2)
        return stacked.contiguous().to(current.device)


def reference_flow() -> Dis:
    """Return what estimates flow from frames to references: the same in training and in use."""
    return Dis(preset="fine")


class Raft(nn.Module):
    """Estimate flow by torchvision's RAFT, frozen.

    ``input="gray"`` feeds luma in all three channels, so that colour frames and their
    black-and-white versions give the same flow; ``"color"`` feeds RGB as it is. ``weights`` is
    "torchvision" (downloaded once, then cached) or a file with torchvision's layout.

    Raises: PretrainedWeightsError when the weights cannot be had or do not fit.
    Source: Teed & Deng 2020, RAFT.
    Differs: frames are padded by their edge to multiples of 8 and at least 128, then cut back.
    """

    def __init__(
        self,
        *,
        method: Literal["raft_small", "raft_large"] = "raft_small",
        weights: str = "torchvision",
        input: Literal["gray", "color"] = "gray",
        iterations: int = 12,
    ) -> None:
        super().__init__()
        self.input = input
        self.iterations = iterations
        self.network = _raft_with_weights(method, weights)
        self.network.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Raft:
        """Stay in evaluation mode: the batch norm of the large network must not drift."""
        return super().train(False)

    @torch.no_grad()
    def forward(
        self, current: Float[Tensor, "b c h w"], previous: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b 2 h w"]:
        """Return backward flow; frames are RGB or gray in [0, 1]."""
        height, width = current.shape[-2:]
        if len(current) == 0:
            return current.new_zeros(0, 2, height, width)
        frames = [self._prepare(frame) for frame in (current, previous)]
        with torch.autocast(current.device.type, enabled=False):  # its steps add up small errors
            flow = self.network(*frames, num_flow_updates=self.iterations)[-1]
        return flow[..., :height, :width].contiguous()

    def _prepare(self, frame: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 hh ww"]:
        gray = self.input == "gray" and frame.shape[1] == 3
        frame = rgb_to_luma(frame) if gray else frame
        bottom, right = (
            max(-side % _RAFT_STRIDE, _RAFT_SMALLEST_SIDE - side) for side in frame.shape[-2:]
        )
        padded = F.pad(frame, (0, right, 0, bottom), mode="replicate")
        return (2 * padded - 1).expand(-1, 3, -1, -1)  # RAFT was trained on [-1, 1]


def build_flow_estimator(
    *,
    method: FlowMethod = "dis",
    weights: str = "torchvision",
    input: Literal["gray", "color"] = "gray",
) -> FlowEstimator:
    """Return the estimator called ``method``; ``weights`` and ``input`` concern RAFT alone.

    Raises:
        ValueError: For an unknown method, or ``input="color"`` with DIS, which sees luma only.
        PretrainedWeightsError: When RAFT's weights cannot be had.
    """
    if method == "dis":
        if input != "gray":
            raise UserError(
                f"flow.input is {input!r}, but flow.method=dis sees luma only: set flow.input=gray "
                "or flow.method=raft_small"
            )
        return Dis()
    require_choice("flow.method", method, FlowMethod)
    return Raft(method=method, weights=weights, input=input)


def _luma_bytes(frames: Float[Tensor, "b c h w"]) -> np.ndarray:
    """Return uint8 luma ``b h w``, padded by its edge to a size that DIS can take."""
    luma = rgb_to_luma(frames) if frames.shape[1] == 3 else frames
    missing = [max(0, _DIS_SMALLEST_SIDE - side) for side in frames.shape[-2:]]
    luma = F.pad(luma.float(), (0, missing[1], 0, missing[0]), mode="replicate")
    return (luma[:, 0] * 255).round().clamp(0, 255).byte().cpu().numpy()


def _search(
    algorithm: cv2.DISOpticalFlow, current: np.ndarray, previous: np.ndarray, *, enlarged: float
) -> np.ndarray:
    """Return the flow ``h w 2`` between luma ``h w``, found on pictures ``enlarged`` times."""
    if enlarged == 1:
        return algorithm.calc(current, previous, None)  # type: ignore[call-overload]
    height, width = current.shape
    size = round(width * enlarged), round(height * enlarged)
    large = [cv2.resize(each, size, interpolation=cv2.INTER_CUBIC) for each in (current, previous)]
    found = algorithm.calc(*large, None)  # type: ignore[call-overload]
    scale = np.array([width / size[0], height / size[1]], dtype=np.float32)
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_AREA) * scale


def _raft_with_weights(method: str, weights: str) -> nn.Module:
    """Build the network and fill it completely; torchvision is imported only here."""
    from torchvision.models import optical_flow

    wanted = Wanted(
        network=method,
        option="flow.weights",
        torchvision=_RAFT[method],
        otherwise="choose flow.method=dis",
    )
    found = wanted.find(weights)
    network: nn.Module = getattr(optical_flow, method)(weights=None)
    found.fill(network.state_dict())
    return network
