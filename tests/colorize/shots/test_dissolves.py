from __future__ import annotations

import numpy as np
import pytest

from colorize.shots.dissolves import SPANS, _mixture, dissolve_score
from colorize.shots.thumbnails import Thumbnail

SHAPE = (18, 32)


def picture(seed: int) -> Thumbnail:
    blots = np.random.default_rng(seed).normal(0, 0.2, (6, 8))
    return np.repeat(np.repeat(blots - blots.mean(), 3, 0), 4, 1)


def dissolve(length: int, *, faint: float = 1.0) -> list[Thumbnail]:
    """Thumbnails about the middle of a dissolve."""
    reach = np.arange(-max(SPANS), max(SPANS) + 1)
    shares = np.clip(0.5 + reach / length, 0, 1)
    return [(1 - share) * picture(0) + share * faint * picture(1) for share in shares]


def test_a_mixture_is_told_by_its_share_whatever_figures_do() -> None:
    mixed = 0.7 * picture(0) + 0.3 * picture(1)
    assert _mixture(picture(0), picture(1), mixed) == pytest.approx((0.3, 0), abs=1e-9)
    mixed[2:9, 3:13] = 0.5  # 12 % of the picture
    assert _mixture(picture(0), picture(1), mixed) == pytest.approx((0.3, 0), abs=1e-9)
    assert _mixture(picture(0), picture(1), picture(2))[1] > 0.4


@pytest.mark.parametrize("length", [6, 8, 16, 24, 28])
def test_the_middle_of_a_dissolve_scores(length: int) -> None:
    assert dissolve_score(dissolve(length), grain=0.0) > 0.2


def test_off_the_middle_the_score_falls() -> None:
    middle = dissolve(16)
    later = [*middle[4:], *[picture(1)] * 4]
    assert dissolve_score(later, grain=0.0) < 0.8 * dissolve_score(middle, grain=0.0)


def test_a_cut_a_pan_and_a_fade_score_nothing() -> None:
    width = max(SPANS)
    cut = [picture(0)] * width + [picture(1)] * (width + 1)
    # A sine that moves by a third of its wave over the wide span is a mixture of its ends, nearly,
    # but keeps its contrast.
    x = np.arange(32) / 32 * 2 * np.pi
    pan = [np.tile(0.3 * np.sin(2 * x + t * np.pi / 40), (18, 1)) for t in range(2 * width + 1)]
    for pictures in (cut, pan, dissolve(16, faint=0.1), [picture(0)] * (2 * width + 1)):
        assert dissolve_score(pictures, grain=0.0) == 0
