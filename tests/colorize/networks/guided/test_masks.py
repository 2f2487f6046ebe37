"""Masks of references: what is masked out is never seen, in any kind of proposal."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from colorize.motion.warp import warp
from colorize.networks.guided.fusion import KINDS
from colorize.networks.guided.network import GuidedNetwork, Steps
from colorize.networks.guided.references import References
from colorize.pretrained.squeezenet import SqueezeNet
from tests.colorize.networks.guided.given import (
    SIZE,
    assert_close,
    evidence,
    noise,
    painted,
    references,
    shown_to_the_fusion,
    tiny,
)


def half_masked(count: int = 2) -> References:
    """References that show their left parts alone, the edge amid a block; flow crosses it."""
    given = references(count, propagated=True)
    mask = torch.ones(1, count, 1, *SIZE)
    mask[..., 22:] = 0
    mask[..., 5:9, 5:11] = 0
    return replace(given, mask=mask)


@pytest.mark.parametrize("other", [0.4, -0.5, 1e6])
def test_what_is_masked_out_is_never_seen(model: GuidedNetwork, other: float) -> None:
    """Other colours there change no step to the bit, and no proposal where it is visible."""
    gray, given = noise(1, 1, *SIZE), half_masked()
    recolored = replace(given, chroma=torch.where(given.shown > 0, given.chroma, other))
    assert_close(painted(model, gray, recolored), painted(model, gray, given), atol=0)
    first, second = (shown_to_the_fusion(model, gray, each) for each in (given, recolored))
    for name in KINDS:
        visible = first[name].visible.expand_as(first[name].chroma)
        assert visible.any(), name
        assert torch.equal(first[name].chroma[visible], second[name].chroma[visible]), name
        assert torch.equal(first[name].similarity, second[name].similarity), name


def test_a_mask_parts_what_is_visible_of_each_proposal(model: GuidedNetwork) -> None:
    gray, given = noise(1, 1, *SIZE), half_masked(1)
    kinds = shown_to_the_fusion(model, gray, given)
    shown = given.shown[0] > 0
    assert torch.equal(kinds["copied"].visible, shown)
    copied = kinds["copied"].chroma[shown.expand(-1, 2, -1, -1)]
    assert torch.equal(copied, given.chroma[0][shown.expand(-1, 2, -1, -1)])
    for row, flow in enumerate((given.flow, given.propagated)):
        there = warp(given.shown[0], flow[0])
        assert torch.equal(kinds["moved"].visible[row : row + 1], there > 0.5)
        # Colours are the mean of those that are shown there.
        mean = warp(given.chroma[0] * given.shown[0], flow[0]) / there
        seen = (there > 0.5).expand(-1, 2, -1, -1)
        torch.testing.assert_close(kinds["moved"].chroma[row : row + 1][seen], mean[seen])
    assert kinds["attended"].visible.all()
    # All that is attended to has a colour that is shown: one colour comes out as itself.
    one = torch.tensor([0.2, -0.1]).view(1, 1, 2, 1, 1).expand_as(given.chroma)
    plain = replace(given, chroma=torch.where(given.shown > 0, one, -one))
    steps = painted(model, gray, plain)
    torch.testing.assert_close(steps.attended, one[0, :, :, :8, :12])
    torch.testing.assert_close(steps.fused, one[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("unguided", ["none", "unet", "committee"])
def test_a_reference_that_shows_nothing_is_none(features: SqueezeNet, unguided: str) -> None:
    model, gray = tiny(features, unguided=unguided), noise(1, 1, *SIZE)
    # A seed without near ties: rounding differs with the number of threads, and so might a match.
    given = replace(references(2, propagated=True, seed=11), mask=torch.zeros(1, 2, 1, *SIZE))
    steps = painted(model, gray, given)
    assert not steps.trust.any()
    assert not evidence(model, gray, given).any()
    assert_close(steps, painted(model, gray, None), atol=0)
    # Beside one that shows something it counts for nothing either.
    seen = replace(given, mask=torch.tensor([0.0, 1.0]).view(1, 2, 1, 1, 1).expand(1, 2, 1, *SIZE))
    assert_close(painted(model, gray, seen), painted(model, gray, seen.picked([1])))


def test_a_whole_mask_is_no_mask(model: GuidedNetwork) -> None:
    gray, given = noise(1, 1, *SIZE), references(2, propagated=True)
    whole = replace(given, mask=torch.ones(1, 2, 1, *SIZE))
    assert_close(painted(model, gray, whole), painted(model, gray, given), atol=1e-6)


def test_masked_and_unmasked_references_are_coloured_in_one_batch(model: GuidedNetwork) -> None:
    gray, parts = noise(2, 1, *SIZE), [references(2), references(1, mask=True, seed=8)]
    together = painted(model, gray, References.collate(parts))
    alone = [painted(model, gray[n : n + 1], part) for n, part in enumerate(parts)]
    parts = [[each for each in steps if each is not None] for steps in alone]
    assert_close(together, Steps(*map(torch.cat, zip(*parts, strict=True))))
