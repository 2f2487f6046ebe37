from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from colorize.motion.warp import agreement, compose, consistency, points_inside, warp


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def _warp_in_scipy(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: image.shape[1], : image.shape[2]].astype(float)
    places = [y + flow[1], x + flow[0]]
    return np.stack([map_coordinates(plane, places, order=1, mode="nearest") for plane in image])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_warp_is_scipys_bilinear_lookup_with_the_edge_continued(dtype: torch.dtype) -> None:
    image = _random(2, 4, 9, 13).to(dtype)
    flow = (8 * _random(2, 2, 9, 13, seed=1) - 4).to(dtype)  # many places lie outside
    expected = np.stack(
        [_warp_in_scipy(*pair) for pair in zip(image.numpy(), flow.numpy(), strict=True)]
    )
    result = warp(image, flow)
    assert result.dtype == dtype
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-5)


def test_warp_fetches_from_where_the_flow_points() -> None:
    image = torch.arange(12.0).view(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0], flow[:, 1] = 1, -1  # from the right neighbour of the row above
    expected = torch.tensor([[1.0, 2, 3, 3], [1, 2, 3, 3], [5, 6, 7, 7]])
    torch.testing.assert_close(warp(image, flow)[0, 0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 1)])
def test_warp_takes_frames_of_one_row_or_column(size: tuple[int, int]) -> None:
    image = _random(1, 3, *size)
    torch.testing.assert_close(warp(image, torch.zeros(1, 2, *size)), image)


def test_warp_stays_exact_under_bfloat16() -> None:
    image, flow = _random(1, 3, 40, 300), torch.full((1, 2, 40, 300), 0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = warp(image.bfloat16(), flow)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, warp(image.bfloat16().float(), flow))


def test_warp_gradient_is_right() -> None:
    image = _random(1, 2, 4, 5).double().requires_grad_()
    flow = (0.3 + 0.2 * _random(1, 2, 4, 5, seed=1)).double()
    assert torch.autograd.gradcheck(lambda value: warp(value, flow), image)


def test_points_inside_is_decided_at_the_outermost_pixel_centres() -> None:
    flow = torch.zeros(1, 2, 1, 4)
    flow[0, 0, 0] = torch.tensor([-0.25, -1, 1, 0.25])
    assert points_inside(flow)[0, 0, 0].tolist() == [False, True, True, False]


def test_composed_flow_equals_two_warps() -> None:
    image = _random(1, 3, 12, 12)
    generator = torch.Generator().manual_seed(3)
    flow, previous_flow = (
        torch.randint(-2, 3, (1, 2, 12, 12), generator=generator).float() for _ in range(2)
    )
    composed = compose(flow, previous_flow)
    twice = warp(warp(image, previous_flow), flow)
    # Beyond the border the two clamp at different places.
    kept = points_inside(flow) & points_inside(composed)
    inside = (kept & (warp(points_inside(previous_flow).float(), flow) > 0.5)).expand_as(image)
    assert inside.float().mean() > 0.3
    torch.testing.assert_close(warp(image, composed)[inside], twice[inside], atol=1e-5, rtol=0)


def test_constant_flows_add_up() -> None:
    flow = torch.tensor([2.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 5, 6)
    previous_flow = torch.tensor([3.0, -4.0]).view(1, 2, 1, 1).expand(1, 2, 5, 6)
    torch.testing.assert_close(compose(flow, previous_flow)[0, :, 2, 2], torch.tensor([5.0, -3.0]))


def test_agreement_is_the_largest_channel_below_the_threshold() -> None:
    previous = torch.full((1, 3, 2, 3), 0.5)
    current = previous.clone()
    current[0, 1, 0, 0] += 0.049
    current[0, 2, 0, 1] -= 0.051
    current[0, :, 1, 2] += 0.04  # the maximum counts, not the sum
    still = torch.zeros(1, 2, 2, 3)
    expected = torch.tensor([[True, False, True], [True, True, True]])
    assert torch.equal(agreement(current, previous, still)[0, 0], expected)
    assert agreement(current, previous, still, threshold=0.1).all()


def test_agreement_follows_the_flow() -> None:
    previous = _random(1, 3, 8, 10)
    current = previous.roll((1, 2), dims=(2, 3))  # down by 1, right by 2
    flow = torch.tensor([-2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 8, 10)
    assert agreement(current, previous, flow)[..., 1:, 2:].all()
    assert agreement(current, previous, torch.zeros_like(flow)).float().mean() < 0.2


def _consistent_in_numpy(flow: np.ndarray, reverse: np.ndarray) -> np.ndarray:
    fetched = _warp_in_scipy(reverse, flow)
    _, height, width = flow.shape
    visible = np.zeros((height, width), dtype=bool)
    for y in range(height):
        for x in range(width):
            b, r = flow[:, y, x], fetched[:, y, x]
            occluded = ((r + b) ** 2).sum() > 0.01 * ((r**2).sum() + (b**2).sum()) + 0.5
            gradient = 0.0
            if x + 1 < width:
                gradient += ((flow[:, y, x + 1] - b) ** 2).sum()
            if y + 1 < height:
                gradient += ((flow[:, y + 1, x] - b) ** 2).sum()
            boundary = gradient > 0.01 * (b**2).sum() + 0.002
            inside = 0 <= x + b[0] <= width - 1 and 0 <= y + b[1] <= height - 1
            visible[y, x] = inside and not occluded and not boundary
    return visible


def test_consistency_is_the_published_formula() -> None:
    smooth = torch.nn.functional.interpolate(
        8 * _random(2, 2, 3, 3) - 4, size=(40, 50), mode="bicubic", align_corners=True
    ).double()
    flow = smooth[:1] + 3
    reverse = -flow + 0.3 * smooth[1:]
    expected = _consistent_in_numpy(flow[0].numpy(), reverse[0].numpy())
    assert 0.1 < expected.mean() < 0.9
    np.testing.assert_array_equal(consistency(flow, reverse)[0, 0].numpy(), expected)


def test_consistency_finds_what_a_moving_square_uncovers() -> None:
    # A 6x6 square moves right by 4 before a still ground: columns 4-7 of its rows come into sight.
    flow, reverse = torch.zeros(1, 2, 16, 16), torch.zeros(1, 2, 16, 16)
    flow[0, 0, 5:11, 8:14] = -4
    reverse[0, 0, 5:11, 4:10] = 4
    visible = consistency(flow, reverse)[0, 0]
    assert not visible[5:11, 4:8].any()
    assert visible[6:10, 8:13].all()  # the square itself, off its edge
    assert visible[:4].all()
    assert visible[12:].all()
