from __future__ import annotations

import colorsys

import cv2
import numpy as np
import pytest

from colorize.data.augment import (
    Augment,
    Geometry,
    adjust_tone,
    centre_box,
    random_box,
    resize,
    rotate_hue,
)

SIZE = (24, 40)


def clip(seed: int = 0, *, frames: int = 2, size: tuple[int, int] = (36, 60)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (frames, *size, 3), dtype=np.uint8)


def varied(augment: Augment, frames: np.ndarray, *, seed: int) -> np.ndarray:
    return augment.draw(frames.shape[1:3], size=SIZE, seed=seed)(frames)


def plain(frames: np.ndarray) -> np.ndarray:
    return Geometry.central(frames.shape[1:3], SIZE).pictures(frames)


def test_resize_by_a_whole_factor_is_the_mean_of_blocks() -> None:
    frames = clip()
    blocks = frames.reshape(2, 12, 3, 20, 3, 3).astype(np.float64).mean(axis=(2, 4))
    assert np.abs(resize(frames, (12, 20)) - blocks).max() <= 0.5


def test_resize_up_is_bilinear_and_same_size_is_untouched() -> None:
    frames = clip()
    expected = cv2.resize(frames[1], (90, 54), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(resize(frames, (54, 90))[1], expected)
    assert resize(frames, (36, 60)) is frames


@pytest.mark.parametrize(
    ("source", "target", "box"),
    [
        ((36, 60), (24, 40), (0, 0, 36, 60)),
        ((36, 60), (30, 30), (0, 12, 36, 36)),
        ((60, 36), (18, 36), (21, 0, 18, 36)),
    ],
)
def test_centre_box_is_the_largest_of_the_aspect(
    source: tuple[int, int], target: tuple[int, int], box: tuple[int, ...]
) -> None:
    assert centre_box(source, target) == box


def test_random_boxes_keep_the_aspect_and_reach_every_border() -> None:
    random = np.random.default_rng(0)
    boxes = np.array(
        [random_box((36, 60), (24, 40), scale=(0.5, 1.0), random=random) for _ in range(2000)]
    )
    top, left, height, width = boxes.T
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + height <= 36).all()
    assert (left + width <= 60).all()
    assert np.abs(height / width - 24 / 40).max() < 0.03
    assert height.min() == 18
    assert height.max() == 36
    assert (top == 0).any()
    assert (left == 0).any()
    assert (top + height)[height < 30].max() == 36
    assert (left + width)[height < 30].max() == 60


def test_tone_of_a_hand_computed_pixel() -> None:
    frames = np.full((1, 1, 1, 3), 0.25, np.float32)
    frames[..., 2] = 1.0
    toned = adjust_tone(frames, gamma=0.5, contrast=1.2, brightness=0.05)
    # 0.25**0.5 = 0.5 stays at the pivot; 1.0 leaves the range and is clipped.
    np.testing.assert_allclose(toned[0, 0, 0], [0.55, 0.55, 1.0], atol=1e-6)


def test_hue_turns_by_half_into_the_complement_and_keeps_luma() -> None:
    frames = np.full((1, 2, 2, 3), (0.6, 0.4, 0.4), np.float32)
    turned = rotate_hue(frames, turns=0.5)
    weights = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(turned @ weights, frames @ weights, atol=1e-6)
    red, cyan = (colorsys.rgb_to_hsv(*map(float, each[0, 0, 0])) for each in (frames, turned))
    assert cyan[0] - red[0] == pytest.approx(0.5, abs=1e-5)
    np.testing.assert_allclose(rotate_hue(frames, turns=1.0), frames, atol=1e-6)


def test_all_frames_of_a_clip_get_the_same_draw() -> None:
    still = np.repeat(clip(frames=1), 2, axis=0)
    augment = Augment(tone=1.0, hue=0.2)
    for seed in range(10):
        shown = varied(augment, still, seed=seed)
        assert shown.shape == (2, *SIZE, 3)
        assert shown.dtype == np.float32
        assert shown.min() >= 0
        assert shown.max() <= 1
        np.testing.assert_array_equal(shown[0], shown[1])


def test_the_seed_decides_alone() -> None:
    augment = Augment(tone=0.5)
    first = varied(augment, clip(), seed=3)
    varied(augment, clip(1), seed=8)
    np.testing.assert_array_equal(varied(augment, clip(), seed=3), first)
    assert np.abs(varied(augment, clip(), seed=4) - first).max() > 0.1


@pytest.mark.parametrize(
    ("seed", "box", "flip", "draws"),
    [
        (0, (3, 2, 31, 51), True, None),
        (3, (2, 5, 23, 38), False, (-0.13374612, -0.0418974, -0.68052217, 0.4691543)),
        (7, (4, 8, 31, 51), True, (0.74710689, -0.98946939, 0.64245684, 0.59413886)),
    ],
)
def test_a_recorded_seed_draws_what_it_drew(
    seed: int, box: tuple[int, ...], flip: bool, draws: tuple[float, ...] | None
) -> None:
    variation = Augment(tone=0.5, hue=0.1).draw((36, 60), size=SIZE, seed=seed)
    assert variation.geometry == Geometry(box=box, size=SIZE, flip=flip)
    assert (variation.tone is None) == (draws is None)
    if draws is not None:
        expected = {
            "gamma": 2 ** (0.3 * draws[0]),
            "contrast": 1 + 0.15 * draws[1],
            "brightness": 0.05 * draws[2],
        }
        assert variation.tone == pytest.approx(expected, rel=1e-6)
        assert variation.turns == pytest.approx(0.1 * draws[3], rel=1e-6)


def test_a_flip_alone_mirrors_what_the_plain_way_gives() -> None:
    frames = clip()
    flipped = varied(Augment(flip=1.0, crop=0.0), frames, seed=0)
    np.testing.assert_array_equal(flipped, plain(frames)[:, :, ::-1])
    untouched = varied(Augment(flip=0.0, crop=0.0), frames, seed=0)
    np.testing.assert_array_equal(untouched, plain(frames))


def test_flips_come_as_often_as_asked() -> None:
    ramp = np.broadcast_to(np.arange(60, dtype=np.uint8)[:, None] * 4, (1, 36, 60, 3)).copy()
    augment = Augment(flip=0.25)
    rows = np.array([varied(augment, ramp, seed=seed)[0, 0, :, 0] for seed in range(400)])
    share = np.mean(rows[:, 0] > rows[:, -1])
    # Binomial, 400 draws: standard deviation 0.022.
    assert abs(share - 0.25) < 0.08


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"flip": 1.5}, r"augment\.flip is 1\.5: expected a probability"),
        ({"scale": (0.9, 0.4)}, r"augment\.scale is \(0\.9, 0\.4\): expected 0 < low"),
    ],
)
def test_wrong_settings_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augment(**arguments)
