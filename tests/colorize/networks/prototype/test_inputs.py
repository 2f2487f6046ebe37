"""What the generator sees beside the gray frame, and that it looks at it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.networks.prototype.generator import Generator
from colorize.networks.prototype.inputs import PLANES, planes_of, previous_planes
from colorize.pretrained.vgg19 import VGG19

SMALL = {"outputs": 2, "channels": [4, 4]}


def noise(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed))


def test_an_unknown_input_names_the_valid_ones() -> None:
    with pytest.raises(ValueError, match=r"model\.inputs is 'pair': expected one of gray, gray_p"):
        planes_of("pair")


def test_previous_planes_are_chroma_and_where_it_is_known() -> None:
    color = noise(2, 3, 4, 5)
    planes = previous_planes(color, torch.tensor([True, False])).numpy()
    red, green, blue = color[0].numpy().astype(np.float64)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    expected = [(blue - luma) / 1.772, (red - luma) / 1.402, np.ones_like(luma)]
    np.testing.assert_allclose(planes[0], np.stack(expected), atol=1e-6)
    assert not planes[1].any()


@pytest.mark.parametrize("inputs", PLANES)
@pytest.mark.parametrize("features", [False, True])
def test_every_plane_changes_the_colours_and_gets_a_gradient(inputs: str, features: bool) -> None:
    torch.manual_seed(0)
    taps = VGG19(weights="random", taps=["conv1_2", "conv2_2"]) if features else None
    model = Generator(features=taps, inputs=inputs, **SMALL)
    count = planes_of(inputs)
    gray = noise(1, 1, 9, 13)
    extra = noise(1, count, 9, 13, seed=1).requires_grad_() if count else None
    outputs = model(gray, extra=extra).colors
    assert outputs.shape == (1, 2, 3, 9, 13)
    outputs.square().sum().backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
    for plane in range(count):
        assert extra.grad[:, plane].abs().sum() > 0
        changed = extra.detach().clone()
        changed[:, plane] += 0.5
        assert not torch.allclose(model(gray, extra=changed).colors, outputs, atol=1e-4)


def test_gray_alone_has_the_weights_it_always_had() -> None:
    names = Generator(features=None, **SMALL).state_dict()
    paired = Generator(features=None, inputs="gray_pair", **SMALL).state_dict()
    assert names.keys() == paired.keys()
    assert names["unet.first.weight"].shape == (4, 1, 1, 1)
    assert paired["unet.first.weight"].shape == (4, 2, 1, 1)


def test_the_hypercolumn_is_projected_with_the_planes_behind_it() -> None:
    """Against one 1x1 convolution of everything, resized and concatenated."""
    torch.manual_seed(1)
    taps = VGG19(weights="random", taps=["conv1_2", "conv2_2"])
    model = Generator(features=taps, inputs="gray_previous", **SMALL)
    first = model.unet.first
    gray, extra = noise(1, 1, 12, 16), noise(1, 3, 12, 16, seed=2)
    repeated = gray.expand(-1, 3, -1, -1)
    resized = [
        torch.nn.functional.interpolate(tap / first.scale, size=(12, 16), mode="bilinear")
        for tap in taps(repeated).values()
    ]
    expected = first.projection(torch.cat([repeated, *resized, extra], dim=1))
    result = first(torch.cat([gray, extra], dim=1))
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)
