"""Gray frames worn as old film is."""

from __future__ import annotations

import numpy as np

from colorize.data.wear import worn

RAMP = np.repeat(np.linspace(0.1, 0.9, 64, dtype=np.float32)[None], 48, axis=0)


def test_what_is_worn_is_a_gray_frame_still() -> None:
    for seed in range(100):
        frame = worn(RAMP.copy(), np.random.default_rng(seed))
        assert frame.shape == RAMP.shape
        assert frame.dtype == np.float32
        assert 0 <= frame.min() <= frame.max() <= 1
        # What was brighter on the right is so still: no negatives, no mirrors.
        assert frame[:, -8:].mean() > frame[:, :8].mean()


def test_wear_differs_in_kind_and_degree() -> None:
    differences = [
        float(np.abs(worn(RAMP.copy(), np.random.default_rng(seed)) - RAMP).mean())
        for seed in range(200)
    ]
    assert min(differences) < 0.005
    assert max(differences) > 0.15
    assert np.std(differences) > 0.03


def test_a_frame_is_worn_by_its_seed_and_the_given_one_stays() -> None:
    given = RAMP.copy()
    one, same, other = (worn(given, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.array_equal(given, RAMP)
