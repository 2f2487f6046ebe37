from __future__ import annotations

import numpy as np
import pytest

from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.validation import ValidationFrames

SIZE = (8, 10)


def dataset() -> ClipDataset:
    random = np.random.default_rng(0)
    counts = {"run": (9, (0, 5)), "cuts": (3, (0, 1, 2)), "sit": (4, (0,))}
    clips = [
        Clip(
            name=name,
            frames=random.integers(0, 256, (count, *SIZE, 3), dtype=np.uint8),
            shots=shots,
        )
        for name, (count, shots) in counts.items()
    ]
    return ClipDataset(clips=clips)


def chosen(length: int, frames_per_clip: int) -> list[tuple[int, int, int]]:
    made = ValidationFrames(dataset(), frames_per_clip=frames_per_clip, size=SIZE, length=length)
    return [(sample.clip, sample.frame, sample.length) for sample in made.samples]


def test_stills_stand_in_the_middles_of_equal_parts() -> None:
    assert chosen(1, 3) == [
        (0, 1, 1), (0, 4, 1), (0, 7, 1), (1, 0, 1), (1, 1, 1), (1, 2, 1),
        (2, 0, 1), (2, 2, 1), (2, 3, 1),
    ]  # fmt: skip


def test_pairs_lie_in_one_shot_and_a_clip_without_one_gives_none() -> None:
    # The second frames of pairs: 1 2 3 4 6 7 8 of the first clip, 1 2 3 of the last.
    assert chosen(2, 2) == [(0, 2, 2), (0, 7, 2), (2, 1, 2), (2, 3, 2)]
    assert chosen(4, 9) == [(0, 3, 4), (0, 4, 4), (0, 8, 4), (2, 3, 4)]


def test_an_item_ends_with_the_chosen_frame() -> None:
    made = ValidationFrames(dataset(), frames_per_clip=2, size=SIZE, length=2)
    item = made[1]
    assert item.keys() == {"gray", "color"}
    stored = dataset().clips[0].frames[6:8].transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(item["color"].numpy(), stored, atol=1e-6)


def test_a_split_without_such_a_run_is_refused() -> None:
    with pytest.raises(ValueError, match=r"validation split holds no 6 consecutive .* add clips"):
        ValidationFrames(dataset(), frames_per_clip=2, size=SIZE, length=6)
