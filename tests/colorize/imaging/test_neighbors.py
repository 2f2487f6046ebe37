from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from colorize.imaging.neighbors import distances, nearest_exact, nearest_windowed


def _frame(size: tuple[int, int] = (14, 17), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((*size, 3))


def _tensor(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame).permute(2, 0, 1)[None].float()


def _by_brute_force(
    frame: np.ndarray, *, count: int, scale: float, radius: int | None = None
) -> np.ndarray:
    """Return the sorted distances to the nearest pixels, q h w."""
    height, width, _ = frame.shape
    y, x = np.mgrid[:height, :width]
    points = np.concatenate([frame, x[..., None] / scale, y[..., None] / scale], -1).reshape(-1, 5)
    distance = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    if radius is not None:
        far = [np.abs(np.subtract.outer(axis.ravel(), axis.ravel())) > radius for axis in (x, y)]
        distance[far[0] | far[1]] = np.inf
    return np.sort(distance, axis=1)[:, :count].T.reshape(count, height, width)


@pytest.mark.parametrize(("count", "scale"), [(5, 500.0), (3, 10.0), (1, 500.0)])
def test_exact_search_finds_the_nearest(count: int, scale: float) -> None:
    frame = _frame()
    index = nearest_exact(frame, count=count, spatial_scale=scale)
    assert index.dtype == np.int32
    found = distances(_tensor(frame), torch.from_numpy(index)[None], spatial_scale=scale)
    expected = _by_brute_force(frame, count=count, scale=scale)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-6)
    np.testing.assert_array_equal(index[0].ravel(), np.arange(14 * 17))  # the pixel itself


@pytest.mark.parametrize(("count", "radius"), [(5, 2), (3, 4), (6, 8)])
def test_windowed_search_finds_the_nearest_of_its_window(count: int, radius: int) -> None:
    frames = [_frame(seed=seed) for seed in (1, 2)]
    batch = torch.cat([_tensor(frame) for frame in frames])
    index = nearest_windowed(batch, count=count, radius=radius, spatial_scale=30.0)
    assert index.dtype == torch.int32
    found = distances(batch, index, spatial_scale=30.0)
    for frame, of_frame in zip(frames, found, strict=True):
        expected = _by_brute_force(frame, count=count, scale=30.0, radius=radius)
        np.testing.assert_allclose(of_frame.numpy(), expected, rtol=2e-4, atol=1e-6)


def test_a_window_over_the_whole_frame_equals_the_exact_search() -> None:
    frame = _frame((9, 8))
    exact = torch.from_numpy(nearest_exact(frame, count=5))[None]
    windowed = nearest_windowed(_tensor(frame), count=5, radius=9)
    assert float((exact == windowed).float().mean()) > 0.99


def test_a_wider_window_agrees_with_the_exact_search_more_often() -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    noise = np.random.default_rng(1).normal(0, 0.004, (48, 64, 3))
    frame = cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_NEAREST) / 255 + noise
    exact = distances(_tensor(frame), torch.from_numpy(nearest_exact(frame))[None])
    shares = []
    for radius in (2, 4, 8):
        found = distances(_tensor(frame), nearest_windowed(_tensor(frame), radius=radius))
        assert (found >= exact - 1e-6).all()
        shares.append(float((found - exact < 1e-4).float().mean()))
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.9


def test_flat_fills_have_their_neighbours_beside_them() -> None:
    frame = np.zeros((6, 6, 3))
    frame[:, 3:] = 1
    y, x = 2, 3  # at the edge of the white half: itself, three beside it, one farther
    for index in (
        nearest_exact(frame, count=4),
        nearest_windowed(_tensor(frame), count=4, radius=3)[0].numpy(),
    ):
        rows, columns = np.divmod(index[:, y, x], 6)
        assert (rows[0], columns[0]) == (y, x)
        assert {*zip(rows, columns, strict=True)} == {(2, 3), (1, 3), (3, 3), (2, 4)}


def test_too_few_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"neighbors\.count is 5, but the whole frame holds 4"):
        nearest_exact(np.zeros((2, 2, 3)), count=5)
    with pytest.raises(ValueError, match=r"a window of radius 1 in a corner holds 4 pixels"):
        nearest_windowed(torch.zeros(1, 3, 9, 9), count=5, radius=1)
