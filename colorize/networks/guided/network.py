"""The reference-guided generator: colours come from coloured frames, or from what it learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from colorize.base.errors import UserError, require_choice
from colorize.imaging.color import join
from colorize.motion.warp import warp
from colorize.networks.base import Network
from colorize.networks.guided.block_matching import fetch, refine_matches
from colorize.networks.guided.fusion import KINDS, Fusion, Mixed, Proposals
from colorize.networks.guided.matching import Matcher, Seen, attend
from colorize.networks.guided.unguided import UnguidedPainter, chroma_of
from colorize.networks.unet import Normalization, UNet, pad_to_multiple, resize_bilinear
from colorize.pretrained.squeezenet import SqueezeNet

Learns = Literal["everything", "unguided"]

_PLANES = 8  # gray, mixed and attended chroma, evidence, spread, similarity
_CHROMA_GAIN = 4.0  # brings chroma, mostly within a quarter of zero, to the order of 1


class References(NamedTuple):
    """Coloured frames that show what colours things have: n in all, for b frames to be coloured.

    ``frame`` is the index of the frame that each serves. ``flow`` is backward: where each pixel of
    that frame is in the reference. ``keys`` are :meth:`GuidedNetwork.keys` of ``gray``, to be
    computed once for each reference; None computes them. ``carried`` is another flow like ``flow``,
    if there is one: that which :class:`colorize.motion.propagation.Tracks` carries along a shot.
    """

    frame: Int64[Tensor, " n"]
    gray: Float[Tensor, "n 1 h w"]
    chroma: Float[Tensor, "n 2 h w"]
    flow: Float[Tensor, "n 2 h w"]
    keys: Float[Tensor, "n d p q"] | None = None
    carried: Float[Tensor, "n 2 h w"] | None = None


class Painted(NamedTuple):
    """What the network made of frames: their chroma, and the steps on the way.

    ``mixed`` are the judged proposals and ``trust`` is how far the result keeps them; ``attended``
    is the chroma by soft matching, at a quarter of the size (padded to a multiple of 16).
    """

    chroma: Float[Tensor, "b 2 h w"]
    mixed: Float[Tensor, "b 2 h w"]
    trust: Float[Tensor, "b 1 h w"]
    attended: Float[Tensor, "b 2 p q"]


class _Evidence(NamedTuple):
    """What the references say of frames: the mix, and soft matches with their similarity."""

    mixed: Mixed
    attended: Float[Tensor, "b 2 p q"]
    similarity: Float[Tensor, "b 1 p q"]


class GuidedNetwork(Network):
    """Colour gray frames by any number of coloured reference frames; by none, from memory.

    Every reference proposes its colours as they are (what stands still) and moved along optical
    flow, found straight (what moves a little) and carried along the shot (what moves on). All
    references of a frame together propose those of the places matched on SqueezeNet's activations,
    pixel by pixel and softly (what moved far, or comes back in another shot). A judge that sees
    luma alone mixes the proposals. A U-Net sees the mix, how well it is founded, and SqueezeNet's
    activations; it keeps the mix where it trusts it, and paints elsewhere.

    With ``unguided`` a :class:`UnguidedPainter` paints besides, trained by itself on frames without
    references, and the mean of both counts: what is wrong with one is seldom wrong with the other.
    With ``learns="unguided"`` it alone is trained, by its own colours; the rest stays as it is.

    Frames whose short side is well above ``match_side`` are matched, and remembered, at that size.

    Source: ours; soft attention on frozen activations as in Zhang et al. 2019, Deep Exemplar-based
    Video Colorization, section 3.1.
    """

    outputs = 1
    takes = frozenset({"references"})
    provides = frozenset({"mixed", "attended", "served"})

    def __init__(
        self,
        *,
        features: SqueezeNet,
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        match_width: int = 96,
        match_side: int = 112,
        fusion_width: int = 24,
        normalization: Normalization = "batch",
        unguided: bool = False,
        learns: str = "everything",
    ) -> None:
        super().__init__()
        require_choice("model.learns", learns, Learns)
        if learns == "unguided" and not unguided:
            raise UserError(
                "model.learns=unguided needs an unguided painter: pass model.unguided=true"
            )
        self.learns = learns
        self.fresh_parts = ("unguided.",) if learns == "unguided" else ()
        self.match_side = match_side
        self.matcher = Matcher(features=features, width=match_width)
        self.fusion = Fusion(width=fusion_width)
        sides = dict(enumerate(features.channels, start=2))
        sides[2] += 4  # attended chroma, similarity and evidence
        self.unet = UNet(
            in_channels=_PLANES,
            out_channels=3,
            channels=channels,
            normalization=normalization,
            sides={level: side for level, side in sides.items() if level < len(channels)},
        )
        with torch.no_grad():
            self.unet.output.weight.mul_(0.1)
        self.unguided = None
        if unguided:
            self.unguided = UnguidedPainter(
                seen=features.channels, channels=channels, normalization=normalization
            )
        if learns == "unguided":
            self._frozen().requires_grad_(False)

    def _frozen(self) -> nn.ModuleList:
        """Return all but the memory."""
        return nn.ModuleList([self.matcher, self.fusion, self.unet])

    def train(self, mode: bool = True) -> GuidedNetwork:
        """Switch to training what is learnt; the rest keeps its statistics."""
        super().train(mode)
        if self.learns == "unguided":
            self._frozen().eval()
        return self

    def forward(
        self,
        gray: Float[Tensor, "b 1 h w"],
        extra: None = None,
        references: References | None = None,
    ) -> Float[Tensor, "b 1 3 h w"]:
        """Return one RGB colouring of ``gray`` with exactly its luma; it is not clipped."""
        return join(gray, self.paint(gray, references).chroma).unsqueeze(1)

    def keys(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b d p q"]:
        """Return how matching sees reference frames in [0, 1]."""
        return self._look(pad_to_multiple(gray, self.unet.multiple)).keys

    def _look(self, gray: Float[Tensor, "b 1 h w"]) -> Seen:
        return self.matcher.look(self._shrunk(gray))

    def paint(self, gray: Float[Tensor, "b 1 h w"], references: References | None) -> Painted:
        """Return the chroma of ``gray``, and the steps on the way."""
        height, width = gray.shape[-2:]
        gray = pad_to_multiple(gray, self.unet.multiple)
        shrunk = self._shrunk(gray)
        seen = self.matcher.look(shrunk)
        taps = [tap * tap.shape[1] ** 0.5 for tap in seen.taps]
        learning = self.training and self.learns == "unguided"
        evidence = self._consult(gray, seen.keys, None if learning else references)
        mixed = evidence.mixed
        remembered = None
        if self.unguided is not None:
            remembered = resize_bilinear(self.unguided(shrunk, taps), gray.shape[-2:])
        if learning:
            assert remembered is not None
            chroma, trust = remembered, mixed.evidence
        else:
            painted = self.unet(self._planes(gray, evidence), self._sides(taps, evidence)).float()
            own = chroma_of(painted[:, :2])
            if remembered is not None:
                own = (own + remembered) / 2
            trust = torch.sigmoid(painted[:, 2:] + 1) * (mixed.evidence > 0)
            chroma = trust * mixed.chroma + (1 - trust) * own
        shown = (..., slice(height), slice(width))
        return Painted(chroma[shown], mixed.chroma[shown], trust[shown], evidence.attended)

    def _shrunk(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 _h _w"]:
        """Bring frames to the size that they are matched at."""
        scale = self.match_side / min(gray.shape[-2:])
        if scale < 0.8:
            multiple = self.unet.multiple
            size = [max(1, round(side * scale / multiple)) * multiple for side in gray.shape[-2:]]
            gray = functional.interpolate(gray, size=size, mode="bilinear", antialias=True)
        return gray

    def _consult(
        self,
        gray: Float[Tensor, "b 1 h w"],
        keys: Float[Tensor, "b d p q"],
        references: References | None,
    ) -> _Evidence:
        """Return what the references say of frames; zeros where a frame has none."""
        grid = keys.shape[-2:]
        none = gray.new_zeros(len(gray), 3, *grid)
        if references is None or len(references.frame) == 0:
            blank = gray.new_zeros(len(gray), 2, *gray.shape[-2:])
            mixed = Mixed(blank, blank[:, :1], blank[:, :1])
            return _Evidence(mixed, none[:, 1:], none[:, :1])
        references = self._complete(references)
        assert references.keys is not None
        planes = torch.cat([references.gray, references.chroma], dim=1)
        shrunk = _shrink(planes, grid)
        attended, similarities, found, frames = [*none], [*none[:, :1]], [], []
        for index in range(len(gray)):
            own = (references.frame == index).nonzero()[:, 0]
            if len(own) == 0:
                continue
            matches = self.matcher(keys[index], references.keys[own])
            attended[index] = attend(matches, shrunk[own])
            similarities[index] = matches.similarity
            at = refine_matches(matches.best, gray[index], references.gray[own])
            found.append(fetch(planes[own], at))
            frames.append(index)
        matched, attention, similarity = map(torch.stack, (found, attended, similarities))
        served = torch.tensor(frames, device=gray.device)
        proposals = self._proposals(
            gray, keys, references, served, matched, attention[served], similarity[served]
        )
        return _Evidence(self.fusion(gray, proposals), attention[:, 1:], similarity)

    def _proposals(
        self,
        gray: Float[Tensor, "b 1 h w"],
        keys: Float[Tensor, "b d p q"],
        references: References,
        served: Int64[Tensor, " m"],
        matched: Float[Tensor, "m 3 h w"],
        attended: Float[Tensor, "m 3 p q"],
        similarity: Float[Tensor, "m 1 p q"],
    ) -> Proposals:
        """Return n copied, n moved (2n where flow is carried), m matched and m attended ones."""
        assert references.keys is not None
        size, grid = gray.shape[-2:], keys.shape[-2:]
        copied = torch.cat([references.gray, references.chroma], dim=1)
        own = keys[references.frame]
        flows = [each for each in (references.flow, references.carried) if each is not None]
        scale = references.flow.new_tensor([grid[1] / size[1], grid[0] / size[0]])[:, None, None]
        seen = [warp(references.keys, _shrink(flow, grid) * scale) for flow in flows]
        alike = [(own * other).sum(dim=1, keepdim=True) for other in (references.keys, *seen)]
        moved = torch.cat([warp(copied, flow) for flow in flows])
        planes = torch.cat([copied, moved, matched, resize_bilinear(attended, size)])
        counts = torch.tensor([len(copied), len(moved), len(matched), len(attended)])
        return Proposals(
            frame=torch.cat([references.frame.repeat(1 + len(flows)), served, served]),
            kind=torch.arange(len(KINDS)).repeat_interleave(counts).to(gray.device),
            luma=planes[:, :1],
            chroma=planes[:, 1:],
            similarity=resize_bilinear(torch.cat([*alike, similarity, similarity]), size),
        )

    def _complete(self, references: References) -> References:
        """Pad references as the frames are, and compute the keys that are missing."""
        gray, chroma, flow, carried = (
            None if planes is None else pad_to_multiple(planes, self.unet.multiple)
            for planes in (*references[1:4], references.carried)
        )
        assert gray is not None
        assert chroma is not None
        assert flow is not None
        keys = self._look(gray).keys if references.keys is None else references.keys
        return References(references.frame, gray, chroma, flow, keys, carried)

    def _planes(
        self, gray: Float[Tensor, "b 1 h w"], evidence: _Evidence
    ) -> Float[Tensor, "b _ h w"]:
        """Return what the U-Net sees at full size."""
        size = gray.shape[-2:]
        mixed = evidence.mixed
        return torch.cat(
            [
                gray - 0.5,
                mixed.chroma * _CHROMA_GAIN,
                resize_bilinear(evidence.attended, size) * _CHROMA_GAIN,
                mixed.evidence,
                mixed.spread * _CHROMA_GAIN,
                resize_bilinear(evidence.similarity, size),
            ],
            dim=1,
        )

    def _sides(
        self, taps: Sequence[Tensor], evidence: _Evidence
    ) -> dict[int, Float[Tensor, "b _ _p _q"]]:
        """Return what joins the U-Net at a quarter, an eighth and a sixteenth of the size."""
        first, *deeper = taps
        grid = evidence.similarity.shape[-2:]
        coarse = torch.cat(
            [
                resize_bilinear(first, grid),
                evidence.attended * _CHROMA_GAIN,
                evidence.similarity,
                _shrink(evidence.mixed.evidence, grid),
            ],
            dim=1,
        )
        return dict(enumerate([coarse, *deeper], start=2))


def _shrink(planes: Tensor, size: Sequence[int]) -> Tensor:
    return functional.adaptive_avg_pool2d(planes, (size[0], size[1]))
