"""Proposals of references of another print are in the tones of the frame."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from colorize.cartoon import CartoonSeries
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.networks.guided.proposing import shrink
from colorize.networks.guided.references import References
from colorize.pretrained.squeezenet import SqueezeNet
from tests.colorize.networks.guided.given import noise, shown_to_the_fusion, tiny


@pytest.mark.parametrize("gamma", [1.8, 0.6])
def test_a_reference_of_another_print_is_brought_to_the_tones_of_the_frame(
    features: SqueezeNet, gamma: float
) -> None:
    drawn = CartoonSeries(seed=4, size=(64, 96), shots=1, frames_per_shot=1).color(0)
    gray = rgb_to_luma(to_tensor(drawn))
    given = References.of(gray**gamma, noise(1, 2, 64, 96) - 0.5)
    for fits, near in ((True, True), (False, False)):
        kinds = shown_to_the_fusion(tiny(features, fits_tones=fits), gray, given)
        difference = (kinds["copied"].luma - gray).abs().mean()
        assert (difference < 0.3 * (gray**gamma - gray).abs().mean()) == near


def test_a_reference_of_the_same_print_stays_to_the_bit(features: SqueezeNet) -> None:
    gray = noise(1, 1, 32, 48)
    given = replace(References.of(gray, noise(1, 2, 32, 48) - 0.5))
    kinds = shown_to_the_fusion(tiny(features, fits_tones=True), gray, given)
    assert torch.equal(kinds["copied"].luma, gray)


def test_planes_are_averaged_over_the_blocks_of_a_grid() -> None:
    planes = torch.arange(16.0).view(1, 1, 1, 4, 4)
    expected = torch.tensor([[2.5, 4.5], [10.5, 12.5]])
    assert torch.equal(shrink(planes, (2, 2))[0, 0, 0], expected)
