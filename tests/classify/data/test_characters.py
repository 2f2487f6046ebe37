"""Portraits: the same character in another pose, and traits that can be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classify.data.cast import TARGET
from classify.data.characters import Character, draw_portrait


def portrait(character: Character = TARGET, seed: int = 0, side: int = 96) -> np.ndarray:
    return draw_portrait(character, np.random.default_rng(seed), side=side)


def share(picture: np.ndarray, color: tuple[int, int, int]) -> float:
    """Share of pixels near a colour."""
    return float((np.abs(picture.astype(int) - color).max(2) < 6).mean())


def test_a_seed_draws_the_same_and_another_a_new_pose() -> None:
    np.testing.assert_array_equal(portrait(), portrait())
    assert portrait().shape == (96, 96, 3)
    assert not np.array_equal(portrait(), portrait(seed=1))


@pytest.mark.parametrize("trait", ["hair", "clothes", "skin"])
def test_colours_are_those_of_the_character(trait: str) -> None:
    color = (10, 200, 90)
    plain = replace(TARGET, hat="none")
    shares = [
        share(portrait(who, seed), color)
        for who in (plain, replace(plain, **{trait: color}))
        for seed in (0, 1)
    ]
    assert min(shares[2:]) > max(shares[:2]) + 0.01


def test_only_a_trait_that_changes_changes_the_picture() -> None:
    # The pose and the background come from the same seed.
    hat = portrait(TARGET) != portrait(replace(TARGET, hat="none"))
    assert 0.03 < hat.any(2).mean() < 0.4
    style = portrait(TARGET) != portrait(replace(TARGET, style="cartoon"))
    assert style.any(2).mean() > 0.05


def test_cartoon_outlines_are_thicker() -> None:
    plain = replace(TARGET, hat="none", hair=(200, 180, 60), clothes=(200, 60, 60))
    dark = [
        np.mean(
            [share(portrait(replace(plain, style=style), seed), (30, 25, 35)) for seed in (0, 1)]
        )
        for style in ("anime", "cartoon")
    ]
    assert dark[1] > 1.3 * dark[0]
