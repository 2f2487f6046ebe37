"""Simple ways to colour by references, against hand-made pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.data import Clip
from colorize.evaluation.baselines import Baseline, transferred
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.imaging.tensors import to_picture
from colorize.media import Frame


def colored(chroma: tuple[float, float], luma: torch.Tensor) -> torch.Tensor:
    planes = torch.tensor(chroma)[None, :, None, None].expand(-1, -1, *luma.shape[-2:])
    return join_in_gamut(luma, planes)


def frame(image: torch.Tensor, number: int = 0) -> Frame:
    """An image 1 c h w in [0, 1] as a frame of 16 bits."""
    deep = (image[0].expand(3, -1, -1) * 65535).round().permute(1, 2, 0).numpy().astype(np.uint16)
    return Frame(number, "", np.ascontiguousarray(deep))


def opened(method: str, pictures: dict[int, torch.Tensor]) -> Baseline:
    """A baseline that is shown some frames of the one shot of a clip."""
    shown = {number: to_picture(image[0]) for number, image in pictures.items()}
    frames = np.zeros((max(shown) + 1, *shown[0].shape), dtype=np.uint8)
    for number, picture in shown.items():
        frames[number] = picture
    baseline = Baseline(method)
    baseline.open(Clip(name="clip", frames=frames, shots=(0,)), {0: list(pictures)})
    return baseline


@pytest.fixture
def texture() -> torch.Tensor:
    """A smooth random picture, which flow can follow."""
    torch.manual_seed(0)
    coarse = torch.rand(1, 1, 12, 16) * 0.4 + 0.3
    return torch.nn.functional.interpolate(coarse, size=(48, 64), mode="bicubic").clamp(0.2, 0.8)


def test_the_reference_nearest_in_time_is_copied(texture):
    blue, red = colored((0.1, -0.05), texture), colored((-0.05, 0.1), texture)
    baseline = opened("copied", {0: blue, 10: red})
    frames = list(baseline(0, iter([frame(texture, number) for number in (1, 4, 6)])))
    for found, expected in zip(frames, (blue, blue, red), strict=True):
        torch.testing.assert_close(found, expected, atol=0.012, rtol=0)  # it is stored in 8 bits


def test_colours_move_with_the_drawing(texture):
    rows = torch.linspace(-0.08, 0.08, 64).expand(1, 1, 48, -1)
    reference = join_in_gamut(texture, torch.cat([rows, -rows], dim=1))
    shifted = reference.roll(4, dims=-1)
    baseline = opened("moved", {0: reference})
    (moved,) = baseline(0, iter([frame(rgb_to_luma(shifted), 5)]))
    copied = join_in_gamut(rgb_to_luma(shifted), rgb_to_chroma(reference))
    inside = (..., slice(8, 40), slice(12, 52))
    error = (moved - shifted)[inside].abs().mean()
    assert error < 0.4 * (copied - shifted)[inside].abs().mean()


def test_a_pixel_takes_the_colour_of_the_luma_it_has():
    luma = torch.cat([torch.full((1, 1, 16, 32), 0.3), torch.full((1, 1, 16, 32), 0.7)], dim=-2)
    planes = torch.zeros(1, 2, 32, 32)
    planes[:, 0, :16], planes[:, 1, 16:] = 0.1, 0.12
    reference = join_in_gamut(luma, planes)
    flipped = luma.flip(-2)  # the same areas, the other way round
    chroma = transferred(flipped, reference)
    torch.testing.assert_close(chroma[0, :, 28, 5], planes[0, :, 4, 5], atol=0.01, rtol=0)
    torch.testing.assert_close(chroma[0, :, 4, 5], planes[0, :, 28, 5], atol=0.01, rtol=0)


@pytest.mark.parametrize("method", ["copied", "moved", "transferred"])
def test_luma_stays(method, texture):
    baseline = opened(method, {0: colored((0.1, -0.05), texture.flip(-1))})
    (found,) = baseline(0, iter([frame(texture, 3)]))
    torch.testing.assert_close(rgb_to_luma(found), texture, atol=2e-5, rtol=0)


def test_an_unknown_baseline_is_named():
    with pytest.raises(ValueError, match="baseline is 'copyed': expected copied, moved or"):
        Baseline("copyed")
