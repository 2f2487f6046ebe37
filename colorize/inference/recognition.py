"""Find painted regions again: which colours of some painted frames belong where in another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt16
from torch import Tensor

from colorize.imaging.fills import Regions
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame

# Measured by experiments/painting/recognition.py.
_SOFT = 0.05  # of cosines: by so much better than anything else a match is nearly sure
_NEAR = 0.85  # cosine, below which nothing is taken for the same
_LUMA = 0.08  # of [0, 1]: how far the luma of a region may lie from that of its example
_FILLED = 0.6  # of a cell of the grid that one swatch must cover to be its example
_SMALLEST = 0.0004  # of a frame: smaller regions are not offered
LEAST_SCORE = 0.5


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
class _Known:
    """What is known of an example: unit vectors of its places, their swatches, and lumas."""

    keys: Tensor  # n d
    swatches: np.ndarray  # n
    luma: dict[int, tuple[float, float]]  # of each swatch: mean and deviation


class Recognizer:
    """Finds what is painted in some ``examples`` in other frames, by how the network sees it.

    A place of a frame belongs to the swatch whose places in the examples it is most like, by as
    much as it is more like these than any other place of the same frames, and if it is about as
    bright. A region is offered with the mean of its places.

    Raises:
        UserError: The model takes no references.
    """

    def __init__(self, colorizer: LoadedNetworks, examples: Sequence[Example]) -> None:
        self._colorizer = colorizer
        self._known = [self._look(each) for each in examples]

    def offers(self, frame: Frame, regions: Regions, *, least: float = LEAST_SCORE) -> list[Offer]:
        """Return what is found again in a frame, the surest first; less sure than ``least`` is not.

        A swatch may be found in several regions.
        """
        if not self._known:
            return []
        scores = self._scores(frame)
        labels = regions.levels[regions.usual][regions.finest]
        luma = frame.gray()
        counts = np.bincount(labels.ravel())
        means = np.bincount(labels.ravel(), weights=luma.ravel()) / np.maximum(counts, 1)
        found = []
        for swatch, plane in scores.items():
            sums = np.bincount(labels.ravel(), weights=plane.ravel())
            score = sums / np.maximum(counts, 1)
            score *= self._as_bright(swatch, means)
            score[counts < _SMALLEST * labels.size] = 0
            found.append((swatch, score))
        best = np.stack([score for _, score in found])
        offers = []
        for label in np.flatnonzero(best.max(axis=0) >= least):
            row = int(best[:, label].argmax())
            offers.append(Offer(found[row][0], labels == label, float(best[row, label])))
        return sorted(offers, key=lambda each: -each.score)

    def _look(self, example: Example) -> _Known:
        keys = self._keys(example.frame)
        height, width = keys.shape[-2:]
        swatches = _of_cells(example.layer, (height, width))
        luma = example.frame.gray()
        known = {}
        for number in np.unique(example.layer):
            inside = luma[example.layer == number]
            known[int(number)] = float(inside.mean()), float(inside.std())
        known.pop(0, None)
        return _Known(keys.flatten(2)[0].T.contiguous(), swatches.ravel(), known)

    @torch.inference_mode()
    def _keys(self, frame: Frame) -> Tensor:
        small = self._colorizer.small(torch.from_numpy(frame.gray())[None, None])
        return self._colorizer.keys(small)

    @torch.inference_mode()
    def _scores(self, frame: Frame) -> dict[int, Float32[np.ndarray, "h w"]]:
        """Return for each swatch how sure it is that it belongs to each pixel, 0 to 1."""
        keys = self._keys(frame)
        height, width = keys.shape[-2:]
        own = keys.flatten(2)[0].T  # pq d
        best: dict[int, Tensor] = {}
        for known in self._known:
            cosine = own @ known.keys.T
            for number in np.unique(known.swatches):
                most = cosine[:, torch.from_numpy(known.swatches == number)].amax(dim=1)
                before = best.get(int(number))
                best[int(number)] = most if before is None else torch.maximum(before, most)
        found = {}
        for number in best:
            if number == 0:
                continue
            others = [each for other, each in best.items() if other != number]
            rest = torch.stack(others).amax(dim=0) if others else torch.zeros_like(best[number])
            sure = torch.sigmoid((best[number] - rest) / _SOFT * 4)
            sure = sure * torch.sigmoid((best[number] - _NEAR) / _SOFT * 4)
            plane = sure.reshape(height, width).float().cpu().numpy()
            size = frame.rgb.shape[1::-1]
            found[number] = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
        return found

    def _as_bright(self, swatch: int, means: np.ndarray) -> np.ndarray:
        """Return for mean lumas of regions how well they fit those that a swatch was painted on."""
        fits = np.zeros_like(means)
        for known in self._known:
            if swatch in known.luma:
                mean, deviation = known.luma[swatch]
                far = np.maximum(np.abs(means - mean) - deviation, 0) / _LUMA
                fits = np.maximum(fits, np.exp(-(far**2)))
        return fits


def _of_cells(layer: UInt16[np.ndarray, "h w"], grid: tuple[int, int]) -> np.ndarray:
    """Return the swatch that covers most of each cell of a grid, 0 where none covers enough."""
    height, width = grid
    best, share = np.zeros(grid, np.int64), np.full(grid, _FILLED, np.float32)
    for number in np.unique(layer):
        if number == 0:
            continue
        covered = cv2.resize(
            (layer == number).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
        )
        more = covered > share
        best[more], share[more] = number, covered[more]
    return best
