"""Find painted regions again: which colours of some painted frames belong where in another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64, UInt16
from torch import Tensor

from colorize.imaging.fills import Regions
from colorize.imaging.geometry import resize
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame

# Of the logit that a region is what a swatch was painted on, by what is known of it: found on seed
# 9711 in three looks, by a fit as experiments/painting/recognition.py --fit makes it.
_COSINE, _MARGIN, _VOTES, _LUMA, _SIZE, _BIAS = 10.0, 1.6, 2.2, -10.0, -0.18, -7.9
LEAST_SCORE = 0.75
_SIDE = 224  # pixels of the short side that frames are looked at: coarser places mix small parts
_WHOLE = 16  # pixels that both sides are multiples of: the grid lies over the frame exactly
_FILLED = 0.6  # of a place that one swatch must cover to be its example
_TOUCHED = 0.02  # of a place: with more of any swatch it is no example of anything else
_SMALLEST = 0.0004  # of a frame: smaller regions are not offered


@dataclass(frozen=True)
class Example:
    """A frame of which parts are painted: which swatch is where (0: none)."""

    frame: Frame
    layer: UInt16[np.ndarray, "h w"]


@dataclass(frozen=True)
class Offer:
    """A region of a frame that looks like what was painted with a swatch.

    ``score`` is how sure that is, 0 to 1.
    """

    swatch: int
    mask: Bool[np.ndarray, "h w"]
    score: float


@dataclass(frozen=True)
class Evidence:
    """What is known of the regions of a frame (n) and one swatch.

    ``cosine`` is how alike their places are to the likest ones of the swatch, ``margin`` by how
    much more than to any other, ``votes`` the share of places that are most like the swatch; all
    are means over a region. ``luma`` is how far a region's mean luma in [0, 1] lies from that of
    the swatch's examples, ``size`` the absolute logarithm of the ratio of their areas.
    """

    swatch: int
    cosine: Float64[np.ndarray, " n"]
    margin: Float64[np.ndarray, " n"]
    votes: Float64[np.ndarray, " n"]
    luma: Float64[np.ndarray, " n"]
    size: Float64[np.ndarray, " n"]

    def score(self) -> Float64[np.ndarray, " n"]:
        """Return how sure it is that each region is what the swatch was painted on, 0 to 1."""
        logit = (
            _COSINE * self.cosine + _MARGIN * self.margin + _VOTES * self.votes
            + _LUMA * np.minimum(self.luma, 0.3) + _SIZE * self.size + _BIAS
        )  # fmt: skip
        return 1 / (1 + np.exp(-logit))


class Recognizer:
    """Finds what is painted in some ``examples`` in other frames, by how the network sees it.

    Places of a frame are compared with all places of the examples by SqueezeNet's activations, and
    the regions of the frame are judged by their places, their luma and their size.

    Raises:
        UserError: The model takes no references.
    """

    def __init__(self, colorizer: LoadedNetworks, examples: Sequence[Example]) -> None:
        self._colorizer = colorizer
        self._places: list[tuple[Tensor, np.ndarray]] = []
        lumas: dict[int, list[np.ndarray]] = {}
        self._areas: dict[int, float] = {}
        for each in examples:
            places, grid = self._look(each.frame)
            self._places.append((places, _of_places(each.layer, grid).ravel()))
            luma = each.frame.gray()
            for number in map(int, np.unique(each.layer[each.layer > 0])):
                inside = each.layer == number
                lumas.setdefault(number, []).append(luma[inside])
                self._areas[number] = max(self._areas.get(number, 0.0), float(inside.mean()))
        self._lumas = {number: [float(e.mean()) for e in some] for number, some in lumas.items()}

    def offers(self, frame: Frame, regions: Regions, *, least: float = LEAST_SCORE) -> list[Offer]:
        """Return what is found again in a frame, the surest first; less sure than ``least`` is not.

        A region is offered to one swatch; a swatch may be found in several regions.
        """
        found = self.evidence(frame, regions)
        if not found:
            return []
        labels = regions.levels[regions.usual][regions.finest]
        scores = np.stack([each.score() for each in found])
        scores[:, np.bincount(labels.ravel()) < _SMALLEST * labels.size] = 0
        best = scores.argmax(axis=0)
        offers = [
            Offer(found[best[label]].swatch, labels == label, float(scores[best[label], label]))
            for label in np.flatnonzero(scores.max(axis=0) >= least)
        ]
        return sorted(offers, key=lambda each: -each.score)

    def evidence(self, frame: Frame, regions: Regions) -> list[Evidence]:
        """Return what is known of the regions of a frame, at the usual level, for each swatch."""
        own, grid = self._look(frame)
        best: dict[int, np.ndarray] = {}
        for places, swatches in self._places:
            cosine = own @ places.T
            for number in map(int, np.unique(swatches[swatches >= 0])):
                most = cosine[:, torch.from_numpy(swatches == number)].amax(dim=1).cpu().numpy()
                best[number] = np.maximum(best.get(number, most), most)
        labels = regions.levels[regions.usual][regions.finest]
        counts = np.maximum(np.bincount(labels.ravel()), 1)

        def mean(plane: np.ndarray) -> Float64[np.ndarray, " n"]:
            small = plane.reshape(grid).astype(np.float32)
            wide = cv2.resize(small, labels.shape[::-1], interpolation=cv2.INTER_LINEAR)
            return np.bincount(labels.ravel(), weights=wide.ravel()) / counts

        luma = np.bincount(labels.ravel(), weights=frame.gray().ravel()) / counts
        found: list[Evidence] = []
        if not best:
            return found
        winner = np.array(list(best))[np.stack(list(best.values())).argmax(axis=0)]
        for number in sorted(self._lumas.keys() & best.keys()):
            others = [each for other, each in best.items() if other != number]
            rest = np.max(others, axis=0) if others else np.zeros_like(best[number])
            far = np.min([np.abs(luma - each) for each in self._lumas[number]], axis=0)
            size = np.abs(np.log(counts / labels.size / self._areas[number]))
            found.append(
                Evidence(
                    number,
                    mean(best[number]),
                    mean(best[number] - rest),
                    mean(winner == number),
                    far,
                    size,
                )
            )
        return found

    @torch.inference_mode()
    def _look(self, frame: Frame) -> tuple[Float[Tensor, "pq d"], tuple[int, int]]:
        """Return how the places of a frame look, as unit vectors, and the grid that they form."""
        gray = torch.from_numpy(frame.gray())[None, None]
        scale = _SIDE / min(gray.shape[-2:]) / _WHOLE
        height, width = (max(1, round(side * scale)) * _WHOLE for side in gray.shape[-2:])
        seen = self._colorizer.places(resize(gray, (height, width)))
        return seen[0].flatten(1).T.contiguous(), (seen.shape[-2], seen.shape[-1])


def _of_places(layer: UInt16[np.ndarray, "h w"], grid: tuple[int, int]) -> Int64[np.ndarray, "p q"]:
    """Return the swatch that covers most of each place; 0 where none is, -1 where it is unclear."""
    height, width = grid
    best, share = np.zeros(grid, np.int64), np.full(grid, _FILLED, np.float32)
    covered = np.zeros(grid, np.float32)
    for number in map(int, np.unique(layer[layer > 0])):
        part = cv2.resize(
            (layer == number).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
        )
        more = part > share
        best[more], share[more] = number, part[more]
        covered += part
    best[(best == 0) & (covered > _TOUCHED)] = -1
    return best
