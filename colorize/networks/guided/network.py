"""The reference-guided generator: colours come from coloured frames, or from what it learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from colorize.base.errors import UserError, require_choice
from colorize.imaging.color import join
from colorize.networks.base import Network, Painted
from colorize.networks.guided.committee import Committee, Opinions, pooled
from colorize.networks.guided.fusion import Fused, Fusion
from colorize.networks.guided.matching import Matcher, Seen
from colorize.networks.guided.proposing import mean_of_shown, proposals, shrink, toned
from colorize.networks.guided.references import References
from colorize.networks.guided.unguided import UnguidedPainter, chroma_of, spread_of
from colorize.networks.unet import Normalization, UNet, pad_to_multiple, resize_bilinear
from colorize.pretrained.squeezenet import SqueezeNet

Learns = Literal["everything", "guided", "unguided"]
Unguided = Literal["none", "unet", "committee"]

_PLANES = 8  # gray, mixed and attended chroma, evidence, spread, similarity
_CHROMA_GAIN = 4.0  # brings chroma, mostly within a quarter of zero, to the order of 1
_SHOWS = 1e-3  # of a block of the grid: less of it shows nothing


class Steps(NamedTuple):
    """What the network made of frames: their chroma, and the steps on the way.

    ``fused`` are the judged proposals and ``trust`` is how far the result keeps them; ``own`` is
    what is painted elsewhere. ``attended`` is the chroma by soft matching, at a quarter of the size
    (padded to a multiple of 16). ``spread`` and ``own_spread`` are the errors that the network
    expects of its result and of its own colours: the root of the mean square over Cb and Cr; None
    where it was not made to tell. ``opinions`` are those of a committee.
    """

    chroma: Float[Tensor, "b 2 h w"]
    fused: Float[Tensor, "b 2 h w"]
    trust: Float[Tensor, "b 1 h w"]
    own: Float[Tensor, "b 2 h w"]
    attended: Float[Tensor, "b 2 p q"]
    spread: Float[Tensor, "b 1 h w"] | None = None
    own_spread: Float[Tensor, "b 1 h w"] | None = None
    opinions: Opinions | None = None


class _Evidence(NamedTuple):
    """What the references say of frames: fused proposals, and soft matches with similarity."""

    fused: Fused
    attended: Float[Tensor, "b 2 p q"]
    similarity: Float[Tensor, "b 1 p q"]


class _Guess(NamedTuple):
    """What is painted without references, the error expected of it, and by whom."""

    chroma: Float[Tensor, "b 2 h w"]
    spread: Float[Tensor, "b 1 h w"] | None = None
    opinions: Opinions | None = None


class GuidedNetwork(Network):
    """Colour gray frames by any number of coloured reference frames; by none, from memory.

    Every reference proposes its colours as they are (what stands still) and moved along optical
    flow, found straight (what moves a little) and carried along the shot (what moves on). All
    references of a frame together propose those of the places matched on SqueezeNet's activations,
    pixel by pixel and softly (what moved far, or comes back in another shot). A judge that sees
    luma alone mixes the proposals. A U-Net sees the mix, how well it is founded, and SqueezeNet's
    activations; it keeps the mix where it trusts it, and paints elsewhere.

    ``unguided`` says what paints without references, trained by itself. A ``committee``
    (:class:`~colorize.networks.guided.committee.Committee`) paints all of a frame that no reference
    shows anything of; of others, it and the U-Net count by the errors that they expect. A ``unet``
    (:class:`~colorize.networks.guided.unguided.UnguidedPainter`, that of earlier weights) counts
    for a half. With ``learns="unguided"`` it alone is trained; the rest stays as it is. With
    ``learns="guided"`` it is left out, and the rest is trained.

    With ``tells_spread`` the U-Net also tells the error that it expects of its own colours, and of
    the result. With ``fits_tones`` the luma of references is brought to the tones of the frames,
    as that of another print must be, before drawings are compared.

    Frames whose short side is well above ``match_side`` are matched, and remembered, at that size.

    Source: ours; soft attention on frozen activations as in Zhang et al. 2019, Deep Exemplar-based
    Video Colorization, section 3.1.
    """

    outputs = 1
    takes = frozenset({"references"})
    provides = frozenset({"fused", "attended", "served", "own"})
    provides_with = MappingProxyType(
        dict.fromkeys(("own_spread", "spread"), "model.tells_spread=true")
        | dict.fromkeys(("bold", "kept", "kept_spread"), "model.unguided=committee")
    )

    def __init__(
        self,
        *,
        features: SqueezeNet,
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        match_width: int = 96,
        match_side: int = 112,
        fusion_width: int = 24,
        normalization: Normalization = "batch",
        unguided: str = "none",
        learns: str = "everything",
        tells_spread: bool = False,
        fits_tones: bool = False,
    ) -> None:
        super().__init__()
        require_choice("model.learns", learns, Learns)
        require_choice("model.unguided", unguided, Unguided)
        if learns == "unguided" and unguided == "none":
            raise UserError(
                "model.learns=unguided needs what is to learn: pass model.unguided=committee"
            )
        self.learns, self.tells_spread, self.fits_tones = learns, tells_spread, fits_tones
        if tells_spread:
            self.provides = self.provides | {"own_spread", "spread"}
        if unguided == "committee":  # in training
            self.provides = self.provides | {"bold", "kept", "kept_spread"}
        self.fresh_parts = () if learns == "everything" else ("unguided.",)
        self.widened_parts = (f"unet.ups.{len(channels) - 2}.convolve_2.",)
        self.match_side = match_side
        self.matcher = Matcher(features=features, width=match_width)
        self.fusion = Fusion(width=fusion_width)
        sides = dict(enumerate(features.channels, start=2))
        sides[2] += 4  # attended chroma, similarity and evidence
        self.unet = UNet(
            in_channels=_PLANES,
            out_channels=5 if tells_spread else 3,
            channels=channels,
            normalization=normalization,
            sides={level: side for level, side in sides.items() if level < len(channels)},
        )
        with torch.no_grad():
            self.unet.output.weight.mul_(0.1)
        self.unguided: Committee | UnguidedPainter | None = None
        if unguided == "committee":
            self.unguided = Committee(seen=features.channels)
        elif unguided == "unet":
            self.unguided = UnguidedPainter(
                seen=features.channels, channels=channels, normalization=normalization
            )
        self._frozen().requires_grad_(False)

    def _frozen(self) -> nn.ModuleList:
        """Return what is not trained, beside the features that never are."""
        if self.learns == "unguided":
            return nn.ModuleList([self.matcher, self.fusion, self.unet])
        left_out = self.unguided if self.learns == "guided" else None
        return nn.ModuleList([] if left_out is None else [left_out])

    def train(self, mode: bool = True) -> GuidedNetwork:
        """Switch to training what is learnt; the rest keeps its statistics."""
        super().train(mode)
        self._frozen().eval()
        return self

    def forward(
        self,
        gray: Float[Tensor, "b 1 h w"],
        references: References | None = None,
        *,
        extra: Float[Tensor, "b e h w"] | None = None,
    ) -> Painted:
        """Return one RGB colouring of ``gray`` with exactly its luma; it is not clipped.

        Provided are, besides the fused and attended chroma, which frames are ``served`` by any
        reference (b, bool).
        """
        assert extra is None, "this network sees the gray frame alone"
        steps = self.paint(gray, references)
        counts = (0,) * len(gray) if references is None else references.counts
        served = torch.tensor([count > 0 for count in counts])
        provided = {
            "fused": steps.fused,
            "attended": steps.attended,
            "served": served.to(gray.device, non_blocking=True),
            "own": steps.own,
        }
        if steps.spread is not None and steps.own_spread is not None:
            provided |= {"spread": steps.spread, "own_spread": steps.own_spread}
        if steps.opinions is not None:
            bold, kept, kept_spread = steps.opinions
            provided |= {"bold": bold, "kept": kept, "kept_spread": kept_spread}
        return Painted(join(gray, steps.chroma).unsqueeze(1), provided)

    def keys(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b d p q"]:
        """Return how matching sees reference frames in [0, 1]."""
        return self._look(pad_to_multiple(gray, self.unet.multiple)).keys

    def places(self, gray: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b d p q"]:
        """Return SqueezeNet's activations of frames in [0, 1], not shrunk, as unit vectors."""
        return self.matcher.activations(pad_to_multiple(gray, self.unet.multiple))

    def likeness(self, keys: Float[Tensor, "1 d p q"], reference: References) -> Float[Tensor, ""]:
        """Return how much of a frame one reference shows: the mean of the best cosines."""
        hidden = None
        if reference.mask is not None:
            hidden = self._hidden(reference.mask, keys.shape[-2:])
        return self.matcher.find(keys, reference, hidden=hidden).similarity.mean()

    def _hidden(
        self, mask: Float[Tensor, "b r 1 h w"], grid: Sequence[int]
    ) -> Bool[Tensor, "b r p q"]:
        """Return the places of references that show nothing; of a hint a dot is enough."""
        padded = _padded(mask, self.unet.multiple)
        return shrink(padded, grid)[:, :, 0] < _SHOWS

    def _look(self, gray: Float[Tensor, "b 1 h w"]) -> Seen:
        return self.matcher.look(self._shrunk(gray))

    def paint(self, gray: Float[Tensor, "b 1 h w"], references: References | None) -> Steps:
        """Return the chroma of ``gray``, and the steps on the way."""
        height, width = gray.shape[-2:]
        gray = pad_to_multiple(gray, self.unet.multiple)
        shrunk = self._shrunk(gray)
        seen = self.matcher.look(shrunk)
        taps = [tap * tap.shape[1] ** 0.5 for tap in seen.taps]
        alone = self.training and self.learns == "unguided"
        evidence = self._consult(gray, seen.keys, None if alone else references)
        guess = None
        if self.unguided is not None and not (self.training and self.learns == "guided"):
            guess = self._guessed(self.unguided, shrunk, taps, gray.shape[-2:])
        none = references is None or references.total == 0
        sure = self.tells_spread and guess is not None and guess.spread is not None
        if guess is not None and (alone or (none and sure and not self.training)):
            steps = _guess_alone(guess, evidence)
        else:
            steps = self._painted(gray, taps, evidence, guess)
        shown = (..., slice(height), slice(width))
        opinions = steps.opinions
        at_full_size: dict[str, Any] = {
            name: planes[shown]
            for name, planes in steps._asdict().items()
            if isinstance(planes, Tensor) and name != "attended"
        }
        if opinions is not None:
            at_full_size["opinions"] = Opinions(*(planes[shown] for planes in opinions))
        return steps._replace(**at_full_size)

    @staticmethod
    def _guessed(
        unguided: Committee | UnguidedPainter, shrunk: Float[Tensor, "b 1 _h _w"],
        taps: Sequence[Tensor], size: Sequence[int],
    ) -> _Guess:  # fmt: skip
        """Return what is painted without references, at the size of the frames."""
        made = unguided(shrunk, taps)
        if isinstance(made, Tensor):
            return _Guess(resize_bilinear(made, size))
        chroma, spread = (resize_bilinear(each, size) for each in made[:2])
        opinions = made.opinions if unguided.training else None
        if opinions is not None:
            wide = [resize_bilinear(each.flatten(0, 1), size) for each in opinions]
            members = opinions.bold.shape[1]
            opinions = Opinions(*(each.unflatten(0, (-1, members)) for each in wide))
        return _Guess(chroma, spread, opinions)

    def _painted(
        self,
        gray: Float[Tensor, "b 1 h w"],
        taps: Sequence[Tensor],
        evidence: _Evidence,
        guess: _Guess | None,
    ) -> Steps:
        """Return the fused chroma as far as it is trusted.

        Elsewhere it is the U-Net's own with the guess, if there is one.
        """
        fused = evidence.fused
        painted = self.unet(self._planes(gray, evidence), self._sides(taps, evidence)).float()
        own, spread, own_spread = chroma_of(painted[:, :2]), None, None
        if self.tells_spread:
            own_spread, spread = spread_of(painted[:, 3:]).split(1, dim=1)
        if guess is not None and guess.spread is not None and own_spread is not None:
            # Of frames that references show nothing of, the guess is all that is known.
            reached = fused.evidence.amax(dim=(1, 2, 3), keepdim=True) > 0
            precision = torch.where(reached, own_spread**-2, 0.0), guess.spread**-2
            own, own_spread = pooled((own, guess.chroma), precision)
            assert spread is not None
            spread = torch.where(reached, spread, own_spread)
        elif guess is not None:
            own = (own + guess.chroma) / 2
        trust = torch.sigmoid(painted[:, 2:3] + 1) * (fused.evidence > 0)
        chroma = trust * fused.chroma + (1 - trust) * own
        opinions = None if guess is None else guess.opinions
        return Steps(
            chroma, fused.chroma, trust, own, evidence.attended, spread, own_spread, opinions
        )

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
        if references is None or references.total == 0:
            none = gray.new_zeros(len(gray), 2, *grid)
            blank = gray.new_zeros(len(gray), 2, *gray.shape[-2:])
            return _Evidence(Fused(blank, blank[:, :1], blank[:, :1]), none, none[:, :1])
        references = self._complete(references)
        mask, hidden = references.mask, None
        if mask is not None:
            hidden = self._hidden(mask, grid)
        share = references.share()
        found = self.matcher.find(keys, references, hidden=hidden)
        if self.fits_tones:
            references = toned(gray, references, found, grid)
        if mask is None:
            layers = torch.cat([references.luma, references.chroma], dim=2)
            coarse = shrink(layers, grid)
        else:
            layers = torch.cat([references.luma, references.chroma * mask, mask], dim=2)
            coarse, _ = mean_of_shown(shrink(layers, grid))
        matches = self.matcher(found, references, coarse, share=share)
        proposed = proposals(gray, keys, references, layers, matches, share)
        return _Evidence(self.fusion(gray, proposed), matches.attended[:, 1:], matches.similarity)

    def _complete(self, references: References) -> References:
        """Pad references as the frames are, and compute the keys that are missing."""
        planes: dict[str, Any] = {
            name: None if given is None else _padded(given, self.unet.multiple)
            for name in ("luma", "chroma", "mask", "flow", "propagated")
            for given in (getattr(references, name),)
        }
        wide = replace(references, **planes)
        if wide.keys is None:
            keys = self._look(wide.luma.flatten(0, 1)).keys
            wide = replace(wide, keys=keys.unflatten(0, wide.luma.shape[:2]))
        return wide

    def _planes(
        self, gray: Float[Tensor, "b 1 h w"], evidence: _Evidence
    ) -> Float[Tensor, "b _ h w"]:
        """Return what the U-Net sees at full size."""
        size = gray.shape[-2:]
        fused = evidence.fused
        return torch.cat(
            [
                gray - 0.5,
                fused.chroma * _CHROMA_GAIN,
                resize_bilinear(evidence.attended, size) * _CHROMA_GAIN,
                fused.evidence,
                fused.spread * _CHROMA_GAIN,
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
                shrink(evidence.fused.evidence, grid),
            ],
            dim=1,
        )
        return dict(enumerate([coarse, *deeper], start=2))


def _guess_alone(guess: _Guess, evidence: _Evidence) -> Steps:
    """Return the steps of a network that nothing is shown, but for the guess."""
    fused = evidence.fused
    return Steps(
        guess.chroma, fused.chroma, fused.evidence, guess.chroma, evidence.attended,
        guess.spread, guess.spread, guess.opinions,
    )  # fmt: skip


def _padded(planes: Float[Tensor, "b r c h w"], multiple: int) -> Float[Tensor, "b r c _h _w"]:
    return pad_to_multiple(planes.flatten(0, 1), multiple).unflatten(0, planes.shape[:2])
