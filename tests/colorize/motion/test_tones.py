"""Curves from the tones of one print to those of another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from colorize.motion.tones import fit_tones


def lumas(count: int = 600, *, seed: int = 0) -> Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("gamma", "factor", "offset"), [(1.8, 1.0, 0.0), (0.55, 0.7, 0.1), (1.0, 0.8, 0.15)]
)
def test_a_print_is_brought_to_the_tones_of_another(
    gamma: float, factor: float, offset: float
) -> None:
    """Also where three pairs in ten are of two different places, and the rest is grainy."""
    first = lumas()
    second = offset + factor * first**gamma
    random = torch.Generator().manual_seed(1)
    wrong = torch.rand(len(first), generator=random) < 0.3
    second = torch.where(wrong, torch.rand(len(first), generator=random), second)
    second = second + 0.01 * torch.randn(len(first), generator=random)
    tones = fit_tones(first[None], second[None], torch.ones(1, len(first)))
    ramp = torch.linspace(0.1, 0.9, 17).view(1, 1, 1, 17)
    expected = offset + factor * ramp**gamma
    torch.testing.assert_close(tones(ramp), expected, rtol=0, atol=0.025)


def test_what_is_of_the_same_print_stays_to_the_bit() -> None:
    first = lumas().expand(2, -1)
    noise = 0.02 * torch.randn(first.shape, generator=torch.Generator().manual_seed(2))
    tones = fit_tones(first, (first + noise).clamp(0, 1), torch.ones_like(first))
    luma = torch.rand(2, 1, 3, 4, generator=torch.Generator().manual_seed(3)) * 1.2 - 0.1
    assert torch.equal(tones(luma), luma)


def test_places_that_are_not_sure_do_not_count() -> None:
    first = lumas(400)
    second = torch.cat([first[:200] ** 1.8, 1 - first[200:]])
    sure = torch.cat([torch.ones(200), torch.zeros(200)])
    half = torch.full((1, 1, 1, 1), 0.5)
    assert float(fit_tones(first[None], second[None], sure[None])(half)) == pytest.approx(
        0.5**1.8, abs=0.02
    )
    # Where nothing is sure nothing changes, and negatives are no prints.
    assert float(fit_tones(first[None], second[None], 0 * sure[None])(half)) == 0.5
    assert float(fit_tones(first[None], 1 - first[None], 0 * sure[None] + 1)(half)) == 0.5


def test_prints_are_fitted_each_by_itself() -> None:
    first, sure = lumas().expand(2, -1), torch.ones(2, 600)
    second = torch.stack([first[0] ** 1.6, 0.2 + 0.6 * first[1]])
    together = fit_tones(first, second, sure)
    for row in range(2):
        one = slice(row, row + 1)
        alone = fit_tones(first[one], second[one], sure[one])
        for both, single in zip(together, alone, strict=True):
            torch.testing.assert_close(both[one], single)
