"""The judge: its mix by hand, what it is blind to, and what it prefers."""

from __future__ import annotations

import math

import pytest
import torch

from colorize.networks.guided.fusion import KINDS, Fusion, Mixed, Proposals, _mix


def fusion(width: int = 4) -> Fusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Fusion(width=width).eval()


def proposed(*frames: int, size: tuple[int, int] = (16, 20), seed: int = 0) -> Proposals:
    """One random proposal for each of ``frames``, of the kinds in turn."""
    random = torch.Generator().manual_seed(seed)
    count = len(frames)
    return Proposals(
        frame=torch.tensor(frames, dtype=torch.long),
        kind=torch.arange(count) % len(KINDS),
        luma=torch.rand(count, 1, *size, generator=random),
        chroma=torch.rand(count, 2, *size, generator=random) - 0.5,
        similarity=2 * torch.rand(count, 1, *size, generator=random) - 1,
    )


def gray(count: int, size: tuple[int, int] = (16, 20)) -> torch.Tensor:
    return torch.rand(count, 1, *size, generator=torch.Generator().manual_seed(9))


def of(proposals: Proposals, rows: list[int]) -> Proposals:
    return Proposals(*(each[rows] for each in proposals))


def turned(chroma: torch.Tensor, angle: float) -> torch.Tensor:
    cb, cr = chroma.unbind(-3)
    turn = torch.polar(torch.tensor(1.0), torch.tensor(angle))
    complex_ = torch.complex(cb, cr) * turn
    return torch.stack([complex_.real, complex_.imag], dim=-3)


def assert_same(first: Mixed, second: Mixed) -> None:
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_mix_by_hand() -> None:
    scores = torch.tensor([math.log(3.0), 0.0]).view(2, 1, 1, 1)
    chroma = torch.tensor([[0.4, 0.0], [0.0, 0.2]]).view(2, 2, 1, 1)
    mean, evidence, spread = _mix(scores, chroma)
    # Weights 3/4 and 1/4; the variance is 0.75 * 0.16 + 0.25 * 0.04 - (0.3² + 0.05²) = 0.0375.
    assert mean.flatten().tolist() == pytest.approx([0.3, 0.05])
    assert float(evidence) == pytest.approx(4 / 5)  # of odds 3 + 1
    assert float(spread) == pytest.approx(0.0375**0.5)


def test_the_gradient_of_a_mix_is_right() -> None:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 1, 2, 2, dtype=torch.float64, generator=random, requires_grad=True)
    chroma = torch.rand(3, 2, 2, 2, dtype=torch.float64, generator=random, requires_grad=True)
    assert torch.autograd.gradcheck(_mix, (scores, chroma))


def test_proposals_that_agree_have_their_own_colour_and_no_spread() -> None:
    proposals = proposed(0, 0, 0)
    agreed = proposals._replace(chroma=proposals.chroma[:1].expand(3, -1, -1, -1))
    with torch.no_grad():
        mixed, other = (fusion()(gray(1), each) for each in (agreed, proposals))
    torch.testing.assert_close(mixed.chroma, proposals.chroma[:1], rtol=0, atol=1e-6)
    assert float(mixed.spread.max()) < 1e-3
    assert float(other.spread.min()) > 1e-3


@pytest.mark.parametrize("angle", [0.7, 2 * math.pi / 3, math.pi])
def test_turned_hues_turn_the_mix_and_change_nothing_else(angle: float) -> None:
    made, proposals = fusion(), proposed(0, 0, 0, 0)
    before = made(gray(1), proposals)
    after = made(gray(1), proposals._replace(chroma=turned(proposals.chroma, angle)))
    assert before.chroma.abs().max() > 0.1
    torch.testing.assert_close(after.chroma, turned(before.chroma, angle), rtol=0, atol=1e-6)
    assert torch.equal(after.evidence, before.evidence)
    torch.testing.assert_close(after.spread, before.spread, rtol=1e-4, atol=1e-5)


def test_the_order_of_proposals_does_not_matter() -> None:
    made, proposals = fusion(), proposed(0, 1, 0, 1, 1)
    assert_same(made(gray(2), of(proposals, [4, 2, 0, 3, 1])), made(gray(2), proposals))


def test_a_frame_is_judged_by_its_own_proposals_alone() -> None:
    made, proposals, frames = fusion(), proposed(0, 2, 0, 2, 2), gray(3)
    together = made(frames, proposals)
    for index, rows in {0: [0, 2], 2: [1, 3, 4]}.items():
        own = of(proposals, rows)._replace(frame=torch.zeros(len(rows), dtype=torch.long))
        alone = made(frames[index : index + 1], own)
        assert_same(Mixed(*(planes[index : index + 1] for planes in together)), alone)
    for planes in together:  # frame 1 has none
        assert not planes[1].any()
        assert planes[0].any()


def test_of_two_proposals_the_one_of_the_same_drawing_wins() -> None:
    made, proposals, frames = fusion(), proposed(0, 0), 0.25 + 0.5 * gray(1)
    with torch.no_grad():
        made.strictness.fill_(60.0)
    # The second proposal's drawing differs by a quarter everywhere.
    luma = torch.cat([frames, frames - 0.25])
    same = proposals._replace(
        luma=luma, kind=torch.zeros(2, dtype=torch.long), similarity=torch.ones(2, 1, 16, 20)
    )
    mixed = made(frames, same)
    torch.testing.assert_close(mixed.chroma, proposals.chroma[:1], rtol=0, atol=0.01)


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
    mixed = made(gray(2), proposals)
    sum(planes.square().sum() for planes in mixed).backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
