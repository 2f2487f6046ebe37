from __future__ import annotations

import inspect

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import adapted_rand_error
from skimage.segmentation import watershed as skimage_watershed

from colorize.imaging.segments import (
    mean_colors,
    nearest_segments,
    relabel,
    segment_means,
    segment_planes,
    watershed,
)


def _cells(size: tuple[int, int] = (90, 120), count: int = 12, seed: int = 0) -> np.ndarray:
    """Return the label map of Voronoi cells."""
    random = np.random.default_rng(seed)
    seeds = random.uniform((0, 0), size, (count, 2))
    y, x = np.mgrid[: size[0], : size[1]]
    return ((y[..., None] - seeds[:, 0]) ** 2 + (x[..., None] - seeds[:, 1]) ** 2).argmin(-1)


def _painted(labels: np.ndarray, seed: int = 1) -> np.ndarray:
    """Paint every cell with a flat colour of its own; neighbours differ by 40 of 255 or more."""
    random = np.random.default_rng(seed)
    levels = np.stack(np.meshgrid(*[np.arange(20, 250, 45)] * 3), -1).reshape(-1, 3)
    return random.permutation(levels)[labels].astype(np.uint8)


def _matched(labels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return where a label map agrees with the truth, each label standing for its main cell."""
    main = [np.bincount(truth[labels == label]).argmax() for label in range(labels.max() + 1)]
    assert len(set(main)) == len(main)
    return np.array(main)[labels] == truth


def test_flat_cells_are_found_to_the_pixel_but_for_corners() -> None:
    cells = _cells()
    labels = watershed(_painted(cells))
    assert labels.dtype == np.int32
    assert set(np.unique(labels)) == set(range(12))
    agree = _matched(labels, cells)
    assert agree.mean() > 0.99
    edges = cv2.morphologyEx(cells.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5))) > 0
    assert agree[~edges].all()


def test_inked_and_noisy_cells_agree_with_scikit_image() -> None:
    cells = _cells(size=(120, 160))
    frame = _painted(cells)
    edges = cv2.morphologyEx(cells.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    frame[edges] = 10
    noise = np.random.default_rng(2).normal(0, 2, frame.shape)
    frame = np.clip(frame + noise, 0, 255).astype(np.uint8)
    labels = watershed(frame)
    # The same kind of relief, and as markers the inner parts of the true cells.
    smooth = cv2.GaussianBlur(frame, (0, 0), 1.0)
    relief = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((3, 3))).max(-1)
    inner = cv2.dilate(edges.astype(np.uint8), np.ones((7, 7))) == 0
    expected = skimage_watershed(relief, np.where(inner, cells + 1, 0))
    expected[edges] = 0  # whose the ink is, is no matter
    assert adapted_rand_error(expected, labels + 1, ignore_labels=(0,))[0] < 0.01
    merged = np.where(labels == 1, 0, labels)
    assert adapted_rand_error(expected, merged + 1, ignore_labels=(0,))[0] > 0.02


def test_only_the_colour_gradient_sees_an_edge_of_equal_luma() -> None:
    frame = np.empty((40, 40, 3), dtype=np.uint8)
    frame[:, :20], frame[:, 20:] = (200, 90, 90), (90, 146, 90)
    assert len(np.unique(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))) == 1
    assert watershed(frame, gradient="color").max() == 1
    assert watershed(frame, gradient="luma").max() == 0


def test_small_segments_are_absorbed() -> None:
    frame = np.full((40, 60, 3), 60, dtype=np.uint8)
    frame[10:30, 30:50] = (220, 120, 30)
    frame[14:22, 10:18] = (30, 220, 240)
    areas = np.bincount(watershed(frame).ravel())
    np.testing.assert_allclose(areas, [2400 - 400 - 64, 400, 64], atol=16)  # corners are cut
    areas = np.bincount(watershed(frame, minimum_size=100).ravel())
    np.testing.assert_allclose(areas, [2000, 400], atol=16)
    assert watershed(frame, minimum_size=10_000).max() == 0


def test_small_markers_make_no_segment() -> None:
    frame = np.full((40, 60, 3), 60, dtype=np.uint8)
    frame[10:30, 30:50] = (220, 120, 30)
    frame[14:22, 10:18] = (30, 220, 240)
    assert watershed(frame, minimum_marker=1).max() == 2
    assert watershed(frame, minimum_marker=50).max() == 1


def test_only_the_largest_stay_beyond_the_maximum() -> None:
    cells = _cells(size=(120, 160), count=40)
    frame = _painted(cells)
    labels = watershed(frame, maximum=7)
    assert sorted(np.unique(labels)) == list(range(7))
    largest = np.argsort(-np.bincount(watershed(frame).ravel()))[:7]
    kept = {int(np.bincount(labels[watershed(frame) == label]).argmax()) for label in largest}
    assert len(kept) == 7


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2), (24, 32)])
def test_a_flat_or_tiny_frame_is_one_segment(size: tuple[int, int]) -> None:
    assert not watershed(np.full((*size, 3), 77, dtype=np.uint8)).any()


def test_every_label_is_in_use_on_noise_and_the_result_repeats() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    labels = watershed(frame)
    assert labels.min() == 0
    assert (np.bincount(labels.ravel()) > 0).all()
    np.testing.assert_array_equal(labels, watershed(frame.copy()))


def test_an_unknown_gradient_is_refused() -> None:
    with pytest.raises(ValueError, match=r"segments\.gradient is 'lab'"):
        inspect.unwrap(watershed)(np.zeros((4, 4, 3), np.uint8), gradient="lab")


def test_segment_planes_of_two_halves_are_computed_by_hand() -> None:
    gray = np.full((30, 40), 50, np.uint8)
    gray[:, 17:] = 200
    gray[3:20:2, 5:12:3] += 1  # the mean is not any pixel's own luma
    planes = segment_planes(gray)
    assert planes.dtype == np.float32
    assert planes.shape == (2, 30, 40)
    left = (50 * 30 * 17 + 9 * 3) / (30 * 17)
    np.testing.assert_allclose(planes[0, :, :17], left / 255, rtol=1e-6)
    np.testing.assert_allclose(planes[0, :, 17:], 200 / 255, rtol=1e-6)
    expected = np.zeros((30, 40))
    expected[:, 16] = 1  # the last column whose right neighbour is of the other half
    np.testing.assert_array_equal(planes[1], expected)
    np.testing.assert_array_equal(segment_planes(gray.T)[1], expected.T)


def test_segment_planes_are_those_of_a_loop_over_pixels() -> None:
    gray = cv2.cvtColor(_painted(_cells(size=(40, 50), count=7)), cv2.COLOR_RGB2GRAY)
    planes = segment_planes(gray)
    labels = watershed(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), gradient="luma")
    assert labels.max() >= 3
    for y in range(40):
        for x in range(50):
            here = labels[y, x]
            others = [labels[y, x + 1]] if x < 49 else []
            others += [labels[y + 1, x]] if y < 39 else []
            assert planes[1, y, x] == any(other != here for other in others)
            assert planes[0, y, x] == pytest.approx(gray[labels == here].mean() / 255, rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_segment_planes_round_luma_to_bytes(dtype: type) -> None:
    gray = cv2.cvtColor(_painted(_cells()), cv2.COLOR_RGB2GRAY)
    off = np.random.default_rng(0).uniform(-0.49, 0.49, gray.shape)
    floats = ((gray + off) / 255).astype(dtype)
    np.testing.assert_array_equal(segment_planes(floats), segment_planes(gray))


def test_relabel_keeps_the_partition() -> None:
    labels = np.array([[7, 7, -3], [900, 7, -3]])
    np.testing.assert_array_equal(relabel(labels), [[1, 1, 0], [2, 1, 0]])


def test_segment_means_are_scipys() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 4, 10, 12, generator=generator)
    labels = torch.randint(0, 5, (2, 10, 12), generator=generator, dtype=torch.int32)
    labels[labels == 3] = 1  # nobody has label 3
    means, areas = segment_means(image, labels, 6)
    for b in range(2):
        used = np.array([0, 1, 2, 4])
        for c in range(4):
            expected = ndimage.mean(image[b, c].numpy(), labels[b].numpy(), used)
            np.testing.assert_allclose(means[b, used, c].numpy(), expected, rtol=1e-5)
        counts = np.bincount(labels[b].ravel().numpy(), minlength=6)
        np.testing.assert_array_equal(areas[b].numpy(), counts)
    assert not means[:, [3, 5]].any()


def test_segment_means_sum_in_float32_or_better() -> None:
    image = torch.full((1, 1, 100, 100), 0.7, dtype=torch.bfloat16)
    means, _ = segment_means(image, torch.zeros(1, 100, 100, dtype=torch.int32), 1)
    assert means.dtype == torch.float32
    assert float(means) == pytest.approx(float(image[0, 0, 0, 0]), rel=1e-5)


def test_segment_means_gradient_is_right() -> None:
    image = torch.rand(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([[[0, 0, 1, 1], [2, 0, 1, 1], [2, 2, 2, 1]]])
    assert torch.autograd.gradcheck(lambda value: segment_means(value, labels, 4)[0], image)


def test_mean_colors_are_the_mean_over_each_segment() -> None:
    cells = _cells().astype(np.int32)
    frame = np.random.default_rng(0).integers(0, 256, (*cells.shape, 3), dtype=np.uint8)
    expected = [frame[cells == label].mean(0) / 255 for label in range(12)]
    np.testing.assert_allclose(mean_colors(frame, cells), expected, rtol=1e-12)


def _nearest_by_loop(means: np.ndarray, count: int, limit: float) -> list[list[int]]:
    rows = []
    for here, color in enumerate(means):
        others = [
            (float(np.sqrt(((color - other) ** 2).sum())), index)
            for index, other in enumerate(means)
            if index != here
        ]
        near = [index for distance, index in sorted(others) if distance <= limit][:count]
        rows.append(near + [-1] * (count - len(near)))
    return rows


@pytest.mark.parametrize("count", [1, 3, 30])
@pytest.mark.parametrize("limit", [None, 0.25])
def test_nearest_segments_are_those_of_a_loop(count: int, limit: float | None) -> None:
    means = np.random.default_rng(0).random((20, 3))
    nearest = nearest_segments(means, count=count, color_limit=limit)
    assert nearest.dtype == np.int32
    assert nearest.tolist() == _nearest_by_loop(means, count, limit or np.inf)


def test_a_single_segment_has_no_neighbour() -> None:
    assert nearest_segments(np.zeros((1, 3)), count=2).tolist() == [[-1, -1]]
