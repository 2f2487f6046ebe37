"""Reference frames brought to a film's size, looked at once, and bound to its frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.imaging.color import rgb_to_chroma, rgb_to_luma
from colorize.networks.guided.network import GuidedNetwork
from colorize.networks.guided.references import bind, fit, likeness, look_at
from colorize.pretrained.squeezenet import SqueezeNet

SIZE = (32, 48)


@pytest.fixture(scope="module")
def model() -> GuidedNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GuidedNetwork(
            features=SqueezeNet(weights="random"),
            channels=(4, 4, 4, 4, 4),
            match_width=8,
            fusion_width=4,
        ).eval()


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_picture_of_the_size_is_left_alone() -> None:
    picture = noise(1, 3, *SIZE)
    assert fit(picture, SIZE) is picture


def test_a_picture_of_nearly_the_aspect_is_stretched() -> None:
    picture = noise(1, 3, 64, 93)  # 1.453 against 1.5
    result = fit(picture, SIZE)
    for plane, expected in zip(result[0], picture[0].numpy(), strict=True):
        resized = Image.fromarray(expected).resize((48, 32), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(plane.numpy(), np.array(resized), atol=1e-5)


@pytest.mark.parametrize(
    ("own", "inner"),
    [((64, 64), (32, 32)), ((32, 96), (16, 48)), ((20, 10), (32, 16)), ((16, 17), (32, 34))],
)
def test_a_picture_of_another_aspect_is_whole_between_its_edges(
    own: tuple[int, int], inner: tuple[int, int]
) -> None:
    picture = noise(1, 3, *own)
    result = fit(picture, SIZE)
    top, left = ((whole - part) // 2 for whole, part in zip(SIZE, inner, strict=True))
    bottom, right = top + inner[0], left + inner[1]
    shown = [
        np.array(Image.fromarray(plane).resize(inner[::-1], Image.Resampling.BILINEAR))
        for plane in picture[0].numpy()
    ]
    np.testing.assert_allclose(result[0, :, top:bottom, left:right], np.stack(shown), atol=1e-5)
    rows = torch.arange(32).clamp(top, bottom - 1)[:, None]
    columns = torch.arange(48).clamp(left, right - 1)
    assert torch.equal(result, result[:, :, rows, columns])


def test_looking_gives_luma_chroma_and_keys_at_the_size(model: GuidedNetwork) -> None:
    pictures = [noise(1, 3, *SIZE), noise(1, 3, 64, 64, seed=1)]
    seen = look_at(model, pictures, size=SIZE)
    assert seen.gray.shape == (2, 1, *SIZE)
    for row, picture in enumerate(pictures):
        fitted = fit(picture, SIZE)
        assert torch.equal(seen.gray[row : row + 1], rgb_to_luma(fitted))
        assert torch.equal(seen.chroma[row : row + 1], rgb_to_chroma(fitted))
        with torch.no_grad():
            expected = model.keys(rgb_to_luma(fitted))
        torch.testing.assert_close(seen.keys[row : row + 1], expected, rtol=0, atol=1e-6)
    assert not seen.keys.requires_grad


def test_some_references_can_be_picked(model: GuidedNetwork) -> None:
    seen = look_at(model, [noise(1, 3, *SIZE, seed=seed) for seed in range(3)], size=SIZE)
    picked = seen.picked([2, 0])
    for planes, chosen in zip(seen, picked, strict=True):
        assert torch.equal(chosen, planes[[2, 0]])


def test_all_references_are_bound_to_each_frame(model: GuidedNetwork) -> None:
    asked: list[tuple[torch.Tensor, torch.Tensor]] = []

    def flow(current: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
        asked.append((current, previous))
        return torch.cat([current, previous], dim=1)

    seen = look_at(model, [noise(1, 3, *SIZE, seed=seed) for seed in (1, 2)], size=SIZE)
    gray = noise(3, 1, *SIZE)
    bound = bind(seen, gray, flow=flow)
    assert len(asked) == 1
    assert bound.frame.tolist() == [0, 0, 1, 1, 2, 2]
    for row, frame in enumerate(bound.frame.tolist()):
        reference = row % 2
        assert torch.equal(bound.gray[row], seen.gray[reference])
        assert torch.equal(bound.chroma[row], seen.chroma[reference])
        assert torch.equal(bound.keys[row], seen.keys[reference])
        assert torch.equal(bound.flow[row], torch.cat([gray[frame], seen.gray[reference]]))


def test_bound_references_colour_as_those_without_keys(model: GuidedNetwork) -> None:
    seen = look_at(model, [noise(1, 3, *SIZE, seed=seed) for seed in (1, 2)], size=SIZE)
    gray = noise(2, 1, *SIZE)
    bound = bind(seen, gray, flow=lambda current, previous: torch.zeros(len(current), 2, *SIZE))
    with torch.no_grad():
        expected = model(gray, None, bound._replace(keys=None))
        torch.testing.assert_close(model(gray, None, bound), expected, rtol=0, atol=1e-5)


def test_a_frame_is_most_like_the_reference_that_shows_it(model: GuidedNetwork) -> None:
    flat = [torch.full((1, 3, *SIZE), 0.5), noise(1, 3, *SIZE), noise(1, 3, *SIZE, seed=1)]
    seen = look_at(model, flat, size=SIZE)
    alike = likeness(model, seen.gray[1:2], seen)
    assert alike.shape == (3,)
    assert float(alike[1]) == pytest.approx(1, abs=1e-5)
    assert float(alike[0]) < float(alike[2]) < 0.9999
