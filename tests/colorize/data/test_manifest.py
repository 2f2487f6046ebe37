"""What a record counts, and which shots of training clips serve for validation."""

from __future__ import annotations

import pytest

from colorize.data.manifest import ClipRecord, held_out


def record(frames: int, shots: tuple[int, ...]) -> ClipRecord:
    return ClipRecord(
        name="clip",
        source="clip",
        path="clip",
        fingerprint="",
        first_frame=0,
        size=(36, 64),
        fit="crop",
        frames=frames,
        rate=None,
        shots=shots,
        dark_frames=0,
        repeated_frames=0,
    )


def test_runs_do_not_cross_shots() -> None:
    clip = record(12, (0, 5, 6))
    assert clip.shots_in_frames == [5, 1, 6]
    assert [clip.runs(length) for length in (1, 2, 3, 6, 7)] == [12, 9, 7, 1, 0]


@pytest.mark.parametrize(
    ("clips", "given"),
    [
        ([[10]], [0]),  # one shot is for both
        ([[10, 10]], [1]),
        ([[5], [9]], [0, 1]),  # the longer one
        ([[5, 5], [9]], [1, 0]),  # from where most are left
        ([[5, 6], [5, 9], [5, 7]], [0, 1, 0]),
        ([[4] * 20], [2]),  # a tenth
        ([[4] * 12, [4] * 13], [1, 1]),  # 2.5 is 2: round half to even
    ],
)
def test_the_last_shots_of_long_clips_are_held_out(
    clips: list[list[int]], given: list[int]
) -> None:
    assert held_out(clips) == given
