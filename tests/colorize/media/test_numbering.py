"""Frames whose numbers jump are no neighbours; how frames are counted does not matter."""

import pytest

from colorize.media.numbering import jumps, usual_step


def named(*numbers, before="frame_"):
    return [f"{before}{number:04d}.png" for number in numbers]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (named(*range(210, 214), *range(291, 295)), (4,)),
        (named(*range(1, 12, 2), *range(31, 40, 2)), (6,)),  # drawn on twos
        (named(1, 2, 4, 5, 6), (2,)),  # one frame is missing
        (named(3, 17, 29, 88), (1, 2, 3)),  # picked at random
        (named(7), ()),
        ([], ()),
        (["9.png", "10.png", "11.png"], ()),
        (named(1, 2) + named(3, 4, before="walk_"), (2,)),  # another name
        (["shot2_a1.png", "shot2_a2.png", "shot3_a3.png"], (2,)),  # the last number counts
        (["a.png", "b.png", "c.png"], ()),  # no number, no order
        (["a.png", "b.png", "c1.png", "c2.png"], (2,)),
        (["1.png", "1.jpg", "2.png", "3.png"], ()),  # the same number twice
        (["Frame1.png", "frame2.png"], ()),
    ],
)
def test_a_shot_ends_where_numbers_jump(names, expected):
    assert jumps(names) == expected


@pytest.mark.parametrize(
    ("numbers", "step"),
    [((1, 2, 3, 90), 1), ((0, 24, 48, 49), 24), ((3, 17), 1), ((1, 3, 5, 6, 7), 1)],
)
def test_frames_are_numbered_by_the_step_that_most_keep(numbers, step):
    assert usual_step(named(*numbers)) == step


def test_a_hyphen_behind_a_separator_is_a_sign() -> None:
    assert jumps(["s_-0002.png", "s_-0001.png", "s_0000.png", "s_0001.png"]) == ()
    assert jumps(["a-1.png", "a-2.png", "a-5.png"]) == (2,)
