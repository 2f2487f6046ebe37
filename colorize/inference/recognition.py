"""Find painted things again: which swatches of painted frames appear in another, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64, UInt16
from torch import Tensor
from torch.nn import functional

from colorize.base.errors import UserError
from colorize.imaging.fills import Regions
from colorize.inference.loaded import LoadedNetworks
from colorize.networks.guided.network import GuidedNetwork

_PLACES = 24  # of a region that are looked for, at most
_SHOWN = 160  # of each swatch of an example that are looked at, at most
_BESIDE = 800  # of what is not painted in an example
_LUMA = 2.0  # of a cosine, lost by a difference of luma from black to white
_SHARPNESS = 30.0  # of cosines, as the matching of the network starts with
_SURE = 0.7  # score from which on a region is offered
_LARGE = 4  # places, at least, of a region that is offered
_NOTHING = 0


@dataclass(frozen=True)
class Example:
    """A frame's luma in [0, 1], and the swatch that each of its pixels is painted with, 0 none."""

    luma: Float32[np.ndarray, "h w"]
    layer: UInt16[np.ndarray, "h w"]


@dataclass(frozen=True)
class Offer:
    """A region of a frame that may be a swatch; ``score``, 0 to 1, is how sure that is."""

    swatch: int
    mask: Bool[np.ndarray, "h w"]
    score: float


class _Known(NamedTuple):
    """Places of examples: unit vectors of what they look like, their luma and their swatch."""

    keys: Float[Tensor, "n d"]
    luma: Float[Tensor, " n"]
    swatch: Int64[Tensor, " n"]


class Recognizer:
    """Find the swatches of ``examples`` in other frames.

    Places are compared by the keys that the network matches references by, and by luma: a fill
    keeps its gray from shot to shot. Each place of a region votes for the swatch that it looks most
    like, or for what is not painted; a region is offered if its votes agree to ``least``.

    Raises:
        UserError: The model takes no references, so that it has no keys.
    """

    def __init__(
        self, colorizer: LoadedNetworks, examples: Sequence[Example], *, least: float = _SURE
    ) -> None:
        if not isinstance(colorizer.model, GuidedNetwork):
            raise UserError("this model takes no references: nothing painted is found again by it")
        self._colorizer, self._least = colorizer, least
        known = [self._places(each) for each in examples if each.layer.any()]
        self._known = _Known(*map(torch.cat, zip(*known, strict=True))) if known else None
        self._swatches = (
            torch.unique(self._known.swatch) if self._known is not None else torch.zeros(0)
        )

    @torch.inference_mode()
    def offers(self, luma: Float32[np.ndarray, "h w"], regions: Regions) -> list[Offer]:
        """Return what is found in a frame, the surest first, each region at most once."""
        if self._known is None:
            return []
        keys = self._look(luma)
        labels = regions.levels[regions.usual][regions.finest]
        small = cv2.resize(
            labels.astype(np.float32), _size(keys), interpolation=cv2.INTER_NEAREST
        ).astype(np.int64)
        gray = _grays(luma, labels)
        found = []
        order = np.argsort(small.ravel(), kind="stable")
        numbers, starts = np.unique(small.ravel()[order], return_index=True)
        for label, places in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            if len(places) < _LARGE:
                continue
            chosen = places[np.linspace(0, len(places) - 1, min(len(places), _PLACES)).astype(int)]
            swatch, score = self._vote(keys.flatten(1).T[chosen], float(gray[label]))
            if swatch != _NOTHING and score >= self._least:
                found.append(Offer(swatch, labels == label, score))
        return sorted(found, key=lambda each: -each.score)

    def _vote(self, keys: Float[Tensor, "m d"], gray: float) -> tuple[int, float]:
        """Return the swatch that places of one gray look most like, and how sure that is."""
        assert self._known is not None
        near = keys @ self._known.keys.T - _LUMA * (self._known.luma - gray).abs()
        best = torch.stack(
            [near[:, self._known.swatch == each].amax(dim=1) for each in self._swatches]
        )
        share = (_SHARPNESS * best).softmax(dim=0).mean(dim=1)
        place = int(share.argmax())
        return int(self._swatches[place]), float(share[place])

    def _look(self, luma: Float32[np.ndarray, "h w"]) -> Float[Tensor, "d h w"]:
        """Return the keys of every pixel of a frame at the working size, of length 1."""
        model = self._colorizer.model
        assert isinstance(model, GuidedNetwork)
        small = self._colorizer.small(torch.from_numpy(luma)[None, None])
        keys = functional.interpolate(
            model.keys(small).float(), size=small.shape[-2:], mode="bilinear", align_corners=False
        )
        return functional.normalize(keys[0], dim=0).cpu()

    @torch.inference_mode()
    def _places(self, example: Example) -> _Known:
        """Return places of an example, some of each swatch and some of what is not painted."""
        keys = self._look(example.luma)
        layer = cv2.resize(example.layer, _size(keys), interpolation=cv2.INTER_NEAREST).ravel()
        gray = cv2.resize(
            cv2.medianBlur(np.rint(example.luma * 255).astype(np.uint8), 5),
            _size(keys),
            interpolation=cv2.INTER_NEAREST,
        ).ravel()
        taken = []
        for swatch in np.unique(layer):
            places = np.flatnonzero(layer == swatch)
            most = _BESIDE if swatch == _NOTHING else _SHOWN
            taken.append(
                places[np.linspace(0, len(places) - 1, min(len(places), most)).astype(int)]
            )
        chosen = np.concatenate(taken)
        return _Known(
            keys.flatten(1).T[chosen],
            torch.from_numpy(gray[chosen].astype(np.float32) / 255),
            torch.from_numpy(layer[chosen].astype(np.int64)),
        )


def _size(keys: Float[Tensor, "d h w"]) -> tuple[int, int]:
    return int(keys.shape[2]), int(keys.shape[1])


def _grays(luma: Float32[np.ndarray, "h w"], labels: np.ndarray) -> np.ndarray:
    """Return the median luma of each region."""
    order = np.lexsort((luma.ravel(), labels.ravel()))
    counts = np.bincount(labels.ravel())
    middle = np.cumsum(counts) - (counts + 1) // 2
    return luma.ravel()[order][np.minimum(middle, luma.size - 1)]
