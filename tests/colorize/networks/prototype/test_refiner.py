"""The refiner's evidence in plain loops, its network, and what it refuses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from colorize.networks.prototype.refiner import Refiner, refinement_evidence


def noise(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed))


def frames(count: int, size: tuple[int, int] = (6, 8)) -> tuple[torch.Tensor, ...]:
    """c1, c0, X1, X0 and a flow of up to two pixels; about half of the places agree."""
    color = noise(count, 3, *size)
    before = (color + 0.1 * noise(count, 3, *size, seed=1)).clamp(0, 1)
    gray = noise(count, 1, *size, seed=2)
    gray_before = (gray + 0.1 * noise(count, 1, *size, seed=3)).clamp(0, 1)
    return color, before, gray, gray_before, torch.zeros(count, 2, *size)


def warped(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: image.shape[1], : image.shape[2]].astype(float)
    places = [y + flow[1], x + flow[0]]
    return np.stack([map_coordinates(plane, places, order=1, mode="nearest") for plane in image])


@pytest.mark.parametrize("moving", [False, True])
def test_evidence_is_the_formula_pixel_by_pixel(moving: bool) -> None:
    color, before, gray, gray_before, flow = frames(2)
    if moving:
        flow = 4 * noise(2, 2, 6, 8, seed=4) - 2
    evidence = refinement_evidence(color, before, gray, gray_before, flow, threshold=0.05)
    for b in range(2):
        c1, x1 = color[b].numpy(), gray[b].numpy()
        w = warped(before[b].numpy(), flow[b].numpy())
        wx = warped(gray_before[b].numpy(), flow[b].numpy())
        cmap_c = np.abs(c1 - w).max(axis=0) < 0.05
        cmap_x = np.abs(x1 - wx).max(axis=0) < 0.05
        low = (cmap_x.astype(int) - cmap_c.astype(int)) > 0
        coarse = c1 * (1 - low) + x1 * low
        expected = [coarse, w, c1, *(np.repeat(m[None], 3, 0) for m in (low, cmap_c, cmap_x))]
        np.testing.assert_allclose(evidence.planes[b], np.concatenate(expected), atol=1e-5)
        np.testing.assert_allclose(evidence.warped[b], w, atol=1e-5)
        np.testing.assert_array_equal(evidence.flicker[b, 0], low)
    if not moving:
        assert 0.1 < evidence.flicker.float().mean() < 0.9  # both branches are tried


@pytest.mark.parametrize("size", [(16, 16), (7, 13), (1, 1)])
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_any_size_gives_a_frame_of_that_size(size, normalization) -> None:
    refiner = Refiner(channels=[4, 4, 4], normalization=normalization).eval()
    assert refiner(noise(2, 18, *size), noise(2, 1, *size)).shape == (2, 3, *size)


def test_a_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    refiner = Refiner(channels=[4, 4, 4])
    refiner(noise(1, 18, 12, 20), noise(1, 1, 12, 20)).square().sum().backward()
    for name, parameter in refiner.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_gradcheck_in_double_precision() -> None:
    torch.manual_seed(0)
    refiner = Refiner(channels=[2, 2]).double()
    evidence = noise(1, 18, 4, 4).double().requires_grad_()
    gray = noise(1, 1, 4, 4, seed=1).double()
    assert torch.autograd.gradcheck(lambda planes: refiner(planes, gray), (evidence,))


def test_parameters_are_those_of_the_prototype() -> None:
    """The generator's U-Net with an 18-channel input and 3 outputs, counted by hand."""

    def conv(inputs: int, outputs: int, side: int = 3) -> int:
        return side * side * inputs * outputs + outputs

    widths = [32, 64, 128, 256, 512]
    total = conv(18, 32, 1) + conv(32, 32)
    for shallow, deep in itertools.pairwise(widths):
        total += conv(shallow, deep) + conv(deep, deep)
    for deep, shallow, end in [(512, 256, 256), (256, 128, 128), (128, 64, 64), (64, 32, 3)]:
        total += conv(deep, shallow) + conv(2 * shallow, shallow) + conv(shallow, end)
    assert sum(p.numel() for p in Refiner().parameters()) == total == 8_621_795


def test_keep_gives_exactly_the_luma_of_the_gray_frame() -> None:
    gray, evidence = noise(1, 1, 8, 8), noise(1, 18, 8, 8)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    kept = Refiner(channels=[4, 4], luma="keep")(evidence, gray).detach()
    np.testing.assert_allclose((kept * weights).sum(1, keepdim=True), gray, atol=1e-6)
    free = Refiner(channels=[4, 4])(evidence, gray).detach()
    assert ((free * weights).sum(1, keepdim=True) - gray).abs().max() > 0.05


def test_a_threshold_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"refiner\.threshold is 0\.0: expected above 0"):
        Refiner(channels=[4, 4], threshold=0.0)
