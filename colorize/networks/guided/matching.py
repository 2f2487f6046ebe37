"""Find for every place of a gray frame the places of reference frames that show the same thing."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from colorize.networks.unet import resize_bilinear
from colorize.pretrained.squeezenet import SqueezeNet

STRIDE = 4  # pixels of a frame for one place of its grid
_START_SHARPNESS = 30.0  # of cosine similarities
_START_DISTANCE = 2.0  # logits lost by moving across the whole frame


class Seen(NamedTuple):
    """Frames as matching sees them: unit vectors on a grid, and the activations they come from."""

    keys: Float[Tensor, "b d p q"]
    taps: list[Float[Tensor, "b _c _p _q"]]


class Matches(NamedTuple):
    """What the places of one frame correspond to in its r references.

    ``soft`` are weights over the references' places (r p q flattened), each row of sum 1; ``best``
    is the heaviest of them and ``similarity`` the cosine there.
    """

    soft: Float[Tensor, "pq rpq"]
    best: Int64[Tensor, "p q"]
    similarity: Float[Tensor, "1 p q"]


class Matcher(nn.Module):
    """Match gray frames on frozen SqueezeNet activations, through a learnt projection.

    Activations at three depths are brought to a quarter of the frame's size, each of length 1, and
    projected to ``width`` channels; how alike two places are is the cosine of these, times a learnt
    sharpness, less a learnt penalty on the square of their distance in the frame.
    """

    def __init__(self, *, features: SqueezeNet, width: int = 96) -> None:
        super().__init__()
        self.features = features
        self.project = nn.Sequential(
            nn.Conv2d(sum(features.channels), 2 * width, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, width, 3, padding=1, padding_mode="replicate"),
        )
        self.log_sharpness = nn.Parameter(torch.tensor(_START_SHARPNESS).log())
        self.distance = nn.Parameter(torch.tensor(_START_DISTANCE))

    def look(self, gray: Float[Tensor, "b 1 h w"]) -> Seen:
        """Return what frames in [0, 1] look like; sides are multiples of :data:`STRIDE`."""
        with torch.no_grad():
            taps = [functional.normalize(tap, dim=1) for tap in self.features(gray)]
        size = [side // STRIDE for side in gray.shape[-2:]]
        stacked = torch.cat([resize_bilinear(tap, size) for tap in taps], dim=1)
        return Seen(functional.normalize(self.project(stacked).float(), dim=1), taps)

    def forward(
        self, keys: Float[Tensor, "d p q"], reference_keys: Float[Tensor, "r d p q"]
    ) -> Matches:
        """Match the places of one frame with those of its references."""
        height, width = keys.shape[-2:]
        with torch.autocast(keys.device.type, enabled=False):
            flat = rearrange(keys.float(), "d p q -> (p q) d")
            others = rearrange(reference_keys.float(), "r d p q -> d (r p q)")
            penalty = self.distance * _squared_distance(height, width, keys.device)
            logits = (self.log_sharpness.exp() * flat) @ others
            logits = (logits.unflatten(1, (-1, height * width)) - penalty[:, None]).flatten(1)
            best = logits.argmax(dim=-1)
            similarity = (flat * others.T[best]).sum(dim=1)
        return Matches(
            logits.softmax(dim=-1), best.view(height, width), similarity.view(1, height, width)
        )


def attend(matches: Matches, planes: Float[Tensor, "r c p q"]) -> Float[Tensor, "c p q"]:
    """Return the mean of the references' ``planes`` under the soft matches."""
    with torch.autocast(planes.device.type, enabled=False):
        mean = matches.soft @ rearrange(planes.to(matches.soft), "r c p q -> (r p q) c")
    return rearrange(mean, "(p q) c -> c p q", q=planes.shape[-1])


@functools.lru_cache(maxsize=2)
@torch.inference_mode(False)  # one made in use must serve training as well
def _squared_distance(height: int, width: int, device: torch.device) -> Float[Tensor, "pq pq"]:
    """Return the squared distance between all pairs of places; the longer side has length 1."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    places = torch.stack([rows.flatten(), columns.flatten()], dim=1).float() / max(height, width)
    return (places[:, None] - places[None]).square().sum(dim=-1)
