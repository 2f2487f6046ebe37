"""Ask segments of near true colour for near outputs, and each for its true mean colour."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from colorize.base.errors import require_choice
from colorize.imaging.segments import segment_means
from colorize.losses.base import Loss, Outputs, Scalar, Targets, Truth

Normalize = Literal["segments", "area", "none"]
TruthTerm = Literal["winner", "all"]


def segment(
    outputs: Outputs,
    truth: Truth,
    labels: Int[Tensor, "b t h w"],
    neighbors: Int[Tensor, "b t s q"],
    *,
    truth_term: TruthTerm = "winner",
    normalize: Normalize = "segments",
) -> Scalar:
    """Return Σ_t Σ_q ‖M[f_t] - M[f_q]‖₁ + Σ_t |M[f_t] - M[C_t]|, M the mean over a segment.

    ``labels`` are below s; ``neighbors[s]`` are the q segments nearest to s by true colour, -1 for
    none. A label without a pixel is not counted. Frames are averaged, and so are the outputs k in
    the first sum. See :class:`Segment` for the options.

    Source: cartoon-colorization paper, section 4.
    """
    colors = torch.cat([outputs, truth.unsqueeze(2).to(outputs.dtype)], dim=2)
    labels, neighbors = labels.flatten(0, 1), neighbors.flatten(0, 1)
    flat = rearrange(colors, "b t k c h w -> (b t) (k c) h w")
    means, areas = segment_means(flat, labels, neighbors.shape[1])
    means = rearrange(means, "f s (k c) -> f s k c", c=3)
    weights = areas if normalize == "area" else (areas > 0).to(areas.dtype)
    predicted, true = means[:, :, :-1], means[:, :, -1:]
    to_truth = _average(
        (predicted - true).abs().sum(-1), weights, normalized=normalize != "none"
    )  # f k
    between = _between(predicted, weights, neighbors, normalized=normalize != "none")
    nearest = to_truth.amin(dim=1) if truth_term == "winner" else to_truth.mean(dim=1)
    return (between.mean(dim=1) + nearest).mean()


def _between(
    means: Float[Tensor, "f s k 3"],
    weights: Float[Tensor, "f s"],
    neighbors: Int[Tensor, "f s q"],
    *,
    normalized: bool,
) -> Float[Tensor, "f k"]:
    """Return the first sum of every frame and output."""
    count = means.shape[2]
    index = neighbors.clamp_min(0).flatten(1).long()
    near = means.gather(1, index[..., None, None].expand(-1, -1, count, 3))
    near = near.unflatten(1, neighbors.shape[1:])
    differences = (means.unsqueeze(2) - near).abs().sum(-1)  # f s q k
    weights = weights.unsqueeze(2) * (neighbors >= 0)
    return _average(differences.flatten(1, 2), weights.flatten(1), normalized=normalized)


def _average(
    values: Float[Tensor, "f n k"], weights: Float[Tensor, "f n"], *, normalized: bool
) -> Float[Tensor, "f k"]:
    """Return the weighted sum over n; normalized: the weighted mean over n and 3 channels."""
    total = torch.einsum("fnk,fn->fk", values, weights)
    if not normalized:
        return total
    return total / (3 * weights.sum(dim=1, keepdim=True)).clamp_min(1)


class Segment(Loss):
    """The segment loss of the cartoon-colorization paper; see :func:`segment` for the formula.

    The paper leaves open, and this project decides:

    - the watershed (its gradient, markers and smallest segment), how many neighbours q and how near
      in colour they must be: settings of the target, see :mod:`colorize.imaging.segments`;
    - ``normalize``: "segments" divides each sum by its number of terms and the 3 channels, so that
      the scale depends neither on the frame nor on its size; "area" weighs each segment by its
      pixels besides, so that crumbs count little; "none" is the bare formula;
    - ``truth_term``: "winner" counts the second sum for the one k, per frame, for which it is
      smallest; "all" averages it over k, which pulls the K outputs together. RankDiv's own winner
      (by VGG-19 distance) is not known here, and need not be the same.

    The minimum is 0 for outputs that are flat over like segments in the true mean colours; a
    perfect prediction leaves the first sum at the true distance between like segments.
    """

    needs = frozenset({"segments", "segment_neighbors"})

    def __init__(
        self,
        *,
        weight: float = 1.0,
        truth_term: TruthTerm = "winner",
        normalize: Normalize = "segments",
    ) -> None:
        super().__init__(weight=weight)
        require_choice("loss.segment.truth_term", truth_term, TruthTerm)
        require_choice("loss.segment.normalize", normalize, Normalize)
        self.truth_term: TruthTerm = truth_term
        self.normalize: Normalize = normalize

    def forward(self, outputs: Outputs, truth: Truth, targets: Targets) -> Scalar:
        """Return the loss; targets ``segments`` (b t h w) and ``segment_neighbors`` (b t s q)."""
        return segment(
            outputs,
            truth,
            targets["segments"],
            targets["segment_neighbors"],
            truth_term=self.truth_term,
            normalize=self.normalize,
        )
