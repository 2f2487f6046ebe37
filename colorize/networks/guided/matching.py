"""Find for every place of a gray frame the places of reference frames that show the same thing."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional

from colorize.networks.guided.fusion import NEVER
from colorize.networks.guided.references import References
from colorize.networks.unet import resize_bilinear
from colorize.pretrained.squeezenet import SqueezeNet

STRIDE = 4  # pixels of a frame for one place of its grid
_START_SHARPNESS = 30.0  # of cosine similarities
_START_DISTANCE = 2.0  # logits lost by moving across the whole frame


class Seen(NamedTuple):
    """Frames as matching sees them: unit vectors on a grid, and the activations they come from."""

    keys: Float[Tensor, "b d p q"]
    taps: list[Float[Tensor, "b _c _p _q"]]


class Found(NamedTuple):
    """Where n references, row by row, show the places of the frames that they are for.

    ``pairs`` are the logits of every place of a frame for every place of a reference; ``place`` is
    the likeliest (in p q flattened), ``weight`` its logit and ``similarity`` the cosine there.
    """

    pairs: Float[Tensor, "n pq pq"]
    weight: Float[Tensor, "n pq"]
    place: Int64[Tensor, "n pq"]
    similarity: Float[Tensor, "n pq"]


class Matches(NamedTuple):
    """What the places of b frames correspond to in their references.

    ``attended`` are planes of the references, averaged under soft weights. ``reference`` (0 … r-1)
    and ``place`` (in p q flattened) are those of the heaviest weight, ``similarity`` is the cosine
    there. ``found`` is 1 where the frame has a reference that is not hidden everywhere; where it is
    0, so are the others.
    """

    attended: Float[Tensor, "b c p q"]
    reference: Int64[Tensor, "b p q"]
    place: Int64[Tensor, "b p q"]
    similarity: Float[Tensor, "b 1 p q"]
    found: Float[Tensor, "b 1 p q"]


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
        taps, stacked = self._stacked(gray)
        return Seen(functional.normalize(self.project(stacked).float(), dim=1), taps)

    def activations(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b d p q"]:
        """Return the activations of frames in [0, 1] as unit vectors on the grid, as they are."""
        return functional.normalize(self._stacked(gray)[1].float(), dim=1)

    def _stacked(
        self, gray: Float[Tensor, "b 1 h w"]
    ) -> tuple[list[Float[Tensor, "b _c _p _q"]], Float[Tensor, "b d p q"]]:
        """Return activations at each depth, each of length 1, and all of them on the grid."""
        with torch.no_grad():
            taps = [functional.normalize(tap, dim=1) for tap in self.features(gray)]
        size = [side // STRIDE for side in gray.shape[-2:]]
        return taps, torch.cat([resize_bilinear(tap, size) for tap in taps], dim=1)

    def find(
        self,
        keys: Float[Tensor, "b d p q"],
        references: References,
        *,
        hidden: Bool[Tensor, "b r p q"] | None = None,
    ) -> Found:
        """Find the places of frames in each of their references by itself.

        Places that are ``hidden`` in a reference are found last.
        """
        assert references.keys is not None
        rows, owners = references.rows(), references.owners()
        with torch.autocast(keys.device.type, enabled=False):
            own, others = keys[owners].float(), _at(references.keys, rows).float()
            pairs = self._pairs(own, others)
            if hidden is not None:
                pairs = pairs.masked_fill(_at(hidden, rows).flatten(1).unsqueeze(1), NEVER)
            weight, place = pairs.max(dim=-1)
            there = others.flatten(2).gather(2, place.unsqueeze(1).expand(-1, own.shape[1], -1))
            return Found(pairs, weight, place, (own.flatten(2) * there).sum(dim=1))

    def forward(
        self,
        found: Found,
        references: References,
        planes: Float[Tensor, "b r c p q"],
        *,
        share: Float[Tensor, "b r"] | None = None,
    ) -> Matches:
        """Match the places of frames with those of all their references, averaging ``planes``.

        ``share`` are logarithms of how far each counts in the mean (None: alike).
        """
        size, rows = planes.shape[-2:], references.rows()
        with torch.autocast(planes.device.type, enabled=False):
            shown = rearrange(_at(planes, rows).to(found.pairs), "n c p q -> n (p q) c")
            soft = found.pairs.softmax(dim=-1) @ shown
            # Of each frame's references: the soft mean over all their places, and the best of all.
            wide = _Spread(references, rows)
            weights = wide(found.pairs.logsumexp(dim=-1), fill=NEVER)
            if share is not None:
                weights = weights + share.unsqueeze(-1)
            attended = (wide(soft, fill=0.0) * weights.softmax(dim=1).unsqueeze(-1)).sum(dim=1)
            highest, reference = wide(found.weight, fill=NEVER).max(dim=1, keepdim=True)
            there = (highest > NEVER / 2).float().unflatten(2, size)
            place = wide(found.place, fill=0.0).gather(1, reference)[:, 0]
            similarity = wide(found.similarity, fill=0.0).gather(1, reference)
        return Matches(
            attended=rearrange(attended, "b pq c -> b c pq").unflatten(2, size) * there,
            reference=reference[:, 0].unflatten(1, size),
            place=place.unflatten(1, size),
            similarity=similarity.unflatten(2, size) * there,
            found=there,
        )

    def _pairs(
        self, keys: Float[Tensor, "n d p q"], others: Float[Tensor, "n d p q"]
    ) -> Float[Tensor, "n pq pq"]:
        """Return the logits of every place of n frames for every place of one reference each."""
        penalty = self.distance * _squared_distance(*keys.shape[-2:], keys.device)
        flat = rearrange(keys.float(), "n d p q -> n (p q) d")
        return (self.log_sharpness.exp() * flat) @ others.flatten(2) - penalty


class _Spread:
    """Lay values of n references out over b frames with room for r each."""

    def __init__(self, references: References, rows: Int64[Tensor, " n"]) -> None:
        self._rows, (self._frames, self._most) = rows, references.luma.shape[:2]

    def __call__(self, values: Shaped[Tensor, n * s], *, fill: float) -> Shaped[Tensor, "b r *s"]:
        room = values.new_full((self._frames * self._most, *values.shape[1:]), fill)
        return room.index_copy(0, self._rows, values).unflatten(0, (self._frames, self._most))


def _at(planes: Shaped[Tensor, "b r *s"], rows: Int64[Tensor, " n"]) -> Shaped[Tensor, n * s]:
    return planes.flatten(0, 1)[rows]


@functools.lru_cache(maxsize=2)
@torch.inference_mode(False)  # one made in use must serve training as well
def _squared_distance(height: int, width: int, device: torch.device) -> Float[Tensor, "pq pq"]:
    """Return the squared distance between all pairs of places; the longer side has length 1."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    places = torch.stack([rows.flatten(), columns.flatten()], dim=1).float() / max(height, width)
    return (places[:, None] - places[None]).square().sum(dim=-1)
