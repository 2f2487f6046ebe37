"""Fusion: against the formulas by hand, what it is blind to, and what it prefers."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch import Tensor

from colorize.networks.guided.fusion import KINDS, NEVER, Fused, Fusion, Proposals, fuse


def fusion(width: int = 4) -> Fusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Fusion(width=width).eval()


def proposed(
    *frames: int, kinds: list[int] | None = None, size: tuple[int, int] = (16, 20), seed: int = 0
) -> Proposals:
    """One random proposal for each of ``frames``, of ``kinds`` or of all kinds in turn."""
    random = torch.Generator().manual_seed(seed)
    count = len(frames)
    return placed(
        Proposals(
            frame=torch.tensor(frames, dtype=torch.long),
            slot=torch.zeros(count, dtype=torch.long),
            kind=torch.arange(count) % len(KINDS) if kinds is None else torch.tensor(kinds),
            luma=torch.rand(count, 1, *size, generator=random),
            chroma=torch.rand(count, 2, *size, generator=random) - 0.5,
            similarity=2 * torch.rand(count, 1, *size, generator=random) - 1,
            slots=(),
        )
    )


def placed(proposals: Proposals) -> Proposals:
    """Give every proposal a slot of its kind."""
    pairs = list(zip(proposals.frame.tolist(), proposals.kind.tolist(), strict=True))
    number = dict.fromkeys(range(len(KINDS)), 0)
    for (_, kind), count in Counter(pairs).items():
        number[kind] = max(number[kind], count)
    slots = tuple(number.values())
    met: Counter[tuple[int, int]] = Counter()
    slot = []
    for frame, kind in pairs:
        slot.append(sum(slots[:kind]) + met[frame, kind])
        met[frame, kind] += 1
    return proposals._replace(slot=torch.tensor(slot), slots=slots)


def gray(count: int, size: tuple[int, int] = (16, 20)) -> torch.Tensor:
    return torch.rand(count, 1, *size, generator=torch.Generator().manual_seed(9))


def of(proposals: Proposals, rows: list[int]) -> Proposals:
    some = {
        name: each[rows] for name, each in proposals._asdict().items() if isinstance(each, Tensor)
    }
    return placed(proposals._replace(**some))


def turned(chroma: torch.Tensor, angle: float) -> torch.Tensor:
    cb, cr = chroma.unbind(-3)
    turn = torch.polar(torch.tensor(1.0), torch.tensor(angle))
    complex_ = torch.complex(cb, cr) * turn
    return torch.stack([complex_.real, complex_.imag], dim=-3)


def assert_same(first: Fused, second: Fused) -> None:
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def column(*values: float) -> Tensor:
    """Scores, one of each slot of one frame of one pixel."""
    return torch.tensor(values).view(1, -1, 1, 1, 1)


def colors(*values: tuple[float, float]) -> Tensor:
    return torch.tensor(values).view(1, -1, 2, 1, 1)


def test_a_fusion_by_hand() -> None:
    scores = column(math.log(3.0), 0.0)
    mean, evidence, spread = fuse(scores, colors((0.4, 0.0), (0.0, 0.2)), (1, 1))
    # Weights 3/4 and 1/4; the variance is 0.75 * 0.16 + 0.25 * 0.04 - (0.3² + 0.05²) = 0.0375.
    assert mean.flatten().tolist() == pytest.approx([0.3, 0.05])
    assert float(evidence) == pytest.approx(4 / 5)  # of odds 3 + 1
    assert float(spread) == pytest.approx(0.0375**0.5)


def test_kinds_count_by_their_best_by_hand() -> None:
    """Two of the first kind share what the best of them has: 3 of 3 + 1, as 3 to 1."""
    scores = column(math.log(3.0), 0.0, 0.0)
    given = colors((0.4, 0.0), (0.0, 0.4), (0.0, -0.4))
    mean, evidence, spread = fuse(scores, given, (2, 0, 1))
    # Weights 3/4 * (3/4, 1/4) and 1/4; the variance is 0.16 less the square of the mean.
    expected = [0.4 * 9 / 16, 0.4 * (3 / 16 - 4 / 16)]
    assert mean.flatten().tolist() == pytest.approx(expected)
    assert float(evidence) == pytest.approx(4 / 5)
    assert float(spread) == pytest.approx((0.16 - expected[0] ** 2 - expected[1] ** 2) ** 0.5)


def test_what_is_proposed_twice_weighs_no_more_than_once() -> None:
    once = fuse(column(0.4, -1.0), colors((0.4, 0.0), (0.0, 0.2)), (1, 1))
    three = colors((0.4, 0.0), (0.4, 0.0), (0.4, 0.0), (0.0, 0.2), (0.0, 0.2))
    assert_same(fuse(column(0.4, 0.4, 0.4, -1.0, -1.0), three, (3, 2)), once)


@pytest.mark.parametrize("score", [NEVER, -3.0, 0.0, 3.0])
@pytest.mark.parametrize("kind", [0, 1])
def test_more_proposals_never_lower_the_evidence(score: float, kind: int) -> None:
    fewer = fuse(column(0.4, -1.0), colors((0.4, 0.0), (0.0, 0.2)), (1, 1))
    scores = [0.4, -1.0]
    scores.insert(kind + 1, score)
    more = fuse(column(*scores), colors(*[(0.1, 0.1)] * 3), (2, 1) if kind == 0 else (1, 2))
    assert float(more.evidence) >= float(fewer.evidence)
    assert (float(more.evidence) > float(fewer.evidence)) == (score > [0.4, -1.0][kind])


def test_where_nothing_is_proposed_all_is_zero() -> None:
    fused = fuse(column(NEVER, NEVER), colors((0.4, 0.0), (0.0, 0.2)), (1, 1))
    assert not any(planes.any() for planes in fused)


def test_the_gradient_of_a_fusion_is_right() -> None:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(1, 4, 1, 2, 2, dtype=torch.float64, generator=random, requires_grad=True)
    chroma = torch.rand(1, 4, 2, 2, 2, dtype=torch.float64, generator=random, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *given: fuse(*given, (2, 0, 1, 1)), (scores, chroma))


def test_proposals_that_agree_have_their_own_colour_and_no_spread() -> None:
    proposals = proposed(0, 0, 0)
    agreed = proposals._replace(chroma=proposals.chroma[:1].expand(3, -1, -1, -1))
    with torch.no_grad():
        fused, other = (fusion()(gray(1), each) for each in (agreed, proposals))
    torch.testing.assert_close(fused.chroma, proposals.chroma[:1], rtol=0, atol=1e-6)
    assert float(fused.spread.max()) < 1e-3
    assert float(other.spread.min()) > 1e-3


@pytest.mark.parametrize("angle", [0.7, 2 * math.pi / 3, math.pi])
def test_turned_hues_turn_the_result_and_change_nothing_else(angle: float) -> None:
    made, proposals = fusion(), proposed(0, 0, 0, 0)
    before = made(gray(1), proposals)
    after = made(gray(1), proposals._replace(chroma=turned(proposals.chroma, angle)))
    assert before.chroma.abs().max() > 0.1
    torch.testing.assert_close(after.chroma, turned(before.chroma, angle), rtol=0, atol=1e-6)
    assert torch.equal(after.evidence, before.evidence)
    torch.testing.assert_close(after.spread, before.spread, rtol=1e-4, atol=1e-5)


def test_the_order_of_proposals_does_not_matter() -> None:
    made, proposals = fusion(), proposed(0, 1, 0, 1, 1, kinds=[0, 0, 1, 0, 2])
    assert_same(made(gray(2), of(proposals, [4, 2, 0, 3, 1])), made(gray(2), proposals))


def test_a_frame_is_judged_by_its_own_proposals_alone() -> None:
    made, proposals, frames = fusion(), proposed(0, 2, 0, 2, 2), gray(3)
    together = made(frames, proposals)
    for index, rows in {0: [0, 2], 2: [1, 3, 4]}.items():
        own = of(proposals, rows)._replace(frame=torch.zeros(len(rows), dtype=torch.long))
        alone = made(frames[index : index + 1], own)
        assert_same(Fused(*(planes[index : index + 1] for planes in together)), alone)
    for planes in together:  # frame 1 has none
        assert not planes[1].any()
        assert planes[0].any()


def test_of_two_proposals_the_one_of_the_same_drawing_wins() -> None:
    made, proposals, frames = fusion(), proposed(0, 0), 0.25 + 0.5 * gray(1)
    with torch.no_grad():
        made.strictness.fill_(60.0)
    # The second proposal's drawing differs by a quarter everywhere.
    luma = torch.cat([frames, frames - 0.25])
    kinds = torch.zeros(2, dtype=torch.long)
    same = placed(proposals._replace(luma=luma, kind=kinds, similarity=torch.ones(2, 1, 16, 20)))
    fused = made(frames, same)
    torch.testing.assert_close(fused.chroma, proposals.chroma[:1], rtol=0, atol=0.01)


def test_strictness_lowers_scores_by_the_difference_of_the_drawings() -> None:
    made, proposals, frames = fusion(), proposed(0), gray(1)
    flat = proposals._replace(luma=(frames - 0.1))
    with torch.no_grad():
        made.strictness.fill_(0.0)
        free = made.scores(frames, flat)
        made.strictness.fill_(30.0)
        strict = made.scores(frames, flat)
    torch.testing.assert_close(free - strict, torch.full_like(free, 3.0), rtol=0, atol=1e-3)


def test_a_gradient_reaches_every_parameter() -> None:
    made, proposals = fusion().train(), proposed(0, 1, 0, 1)
    fused = made(gray(2), proposals)
    sum(planes.square().sum() for planes in fused).backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_one_proposal_of_each_kind_is_fused_by_one_softmax_over_all() -> None:
    """As it was when proposals were not told apart by kind."""
    made, proposals, frames = fusion(), proposed(0, 1, 0, 1, kinds=[0, 2, 1, 3]), gray(2)
    with torch.no_grad():
        fused, scores = made(frames, proposals), made.scores(frames, proposals)
    for frame in range(2):
        own = proposals.frame == frame
        weights = scores[own].softmax(dim=0)
        chroma = proposals.chroma[own]
        mean = (weights * chroma).sum(dim=0)
        variance = (weights * (chroma - mean).square().sum(dim=1, keepdim=True)).sum(dim=0)
        odds = scores[own].exp().sum(dim=0)
        expected = Fused(mean, odds / (1 + odds), variance.sqrt())
        assert_same(Fused(*(planes[frame] for planes in fused)), expected)


def test_what_is_not_visible_is_not_proposed() -> None:
    made, proposals, frames = fusion(), proposed(0, 0, kinds=[0, 0]), gray(1)
    visible = torch.ones(2, 1, 16, 20, dtype=torch.bool)
    visible[0, :, :, :10] = False
    visible[:, :, 8:] = False
    with torch.no_grad():
        fused = made(frames, proposals._replace(visible=visible))
        second = made(frames, of(proposals, [1]))
        both = made(frames, proposals)
    for planes, hidden, one in zip(fused, second, both, strict=True):
        assert not planes[..., 8:, :].any()
        torch.testing.assert_close(planes[..., :8, 10:], one[..., :8, 10:])
        torch.testing.assert_close(planes[..., :8, :10], hidden[..., :8, :10], rtol=0, atol=1e-4)
