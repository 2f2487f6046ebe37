"""Matching: against plain loops in NumPy, and on pictures that moved."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from colorize.networks.guided.matching import Matcher, Matches, attend
from colorize.pretrained.squeezenet import SqueezeNet


@pytest.fixture(scope="module")
def features() -> SqueezeNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SqueezeNet(weights="random")


def matcher(features: SqueezeNet, width: int = 8) -> Matcher:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Matcher(features=features, width=width)


def keys(*shape: int, seed: int = 0) -> torch.Tensor:
    """Unit vectors along the third axis from the end."""
    random = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(*shape, generator=random), dim=-3)


def texture(height: int, width: int) -> torch.Tensor:
    noise = torch.rand(1, 1, height // 8, width // 8, generator=torch.Generator().manual_seed(0))
    return functional.interpolate(noise, size=(height, width), mode="bilinear")


def test_matches_are_those_of_plain_loops(features: SqueezeNet) -> None:
    made = matcher(features)
    with torch.no_grad():
        made.log_sharpness.fill_(float(np.log(7.0)))
        made.distance.fill_(3.0)
    own, others = keys(6, 3, 4), keys(2, 6, 3, 4, seed=1)
    matches = made(own, others)
    places = [(row, column) for row in range(3) for column in range(4)]
    for index, (y, x) in enumerate(places):
        logits, cosines = [], []
        for reference in range(2):
            for row, column in places:
                cosine = float(own[:, y, x] @ others[reference, :, row, column])
                squared = ((row - y) ** 2 + (column - x) ** 2) / 4**2
                logits.append(7.0 * cosine - 3.0 * squared)
                cosines.append(cosine)
        weights = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(
            matches.soft[index].detach().numpy(), weights, rtol=1e-4, atol=1e-6
        )
        assert int(matches.best[y, x]) == int(np.argmax(logits))
        assert float(matches.similarity[0, y, x]) == pytest.approx(
            cosines[int(np.argmax(logits))], abs=1e-5
        )


def test_places_that_look_the_same_stay_where_they_are(features: SqueezeNet) -> None:
    same = keys(4, 1, 1).expand(4, 3, 5).contiguous()
    matches = matcher(features)(same, same[None])
    assert matches.best.tolist() == torch.arange(15).view(3, 5).tolist()
    torch.testing.assert_close(matches.similarity, torch.ones(1, 3, 5))


def test_the_order_of_references_does_not_matter(features: SqueezeNet) -> None:
    made, own, others = matcher(features), keys(6, 3, 4), keys(3, 6, 3, 4, seed=1)
    planes = torch.rand(3, 2, 3, 4)
    order = [2, 0, 1]
    matches, again = made(own, others), made(own, others[order])
    torch.testing.assert_close(attend(again, planes[order]), attend(matches, planes))
    found = torch.tensor(order)[again.best // 12] * 12 + again.best % 12
    assert torch.equal(found, matches.best)
    torch.testing.assert_close(again.similarity, matches.similarity)


def test_attention_is_the_mean_under_the_weights_by_hand() -> None:
    soft = torch.tensor([[0.25, 0.0, 0.75, 0.0], [0.5, 0.5, 0.0, 0.0]])
    planes = torch.tensor([[[[1.0, 2.0]], [[10.0, 20.0]]], [[[5.0, 9.0]], [[50.0, 90.0]]]])
    matches = Matches(soft, torch.tensor([[2, 0]]), torch.ones(1, 1, 2))
    # 0.25 * 1 + 0.75 * 5 at the first place, (1 + 2) / 2 at the second; tenfold in plane 2.
    assert attend(matches, planes).tolist() == [[[4.0, 1.5]], [[40.0, 15.0]]]


def test_the_gradient_of_attention_is_right() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 12, dtype=torch.float64, generator=random, requires_grad=True)
    planes = torch.rand(2, 3, 2, 3, dtype=torch.float64, generator=random, requires_grad=True)
    best, similarity = torch.zeros(2, 3, dtype=torch.long), torch.ones(1, 2, 3).double()

    def mean(logits: torch.Tensor, planes: torch.Tensor) -> torch.Tensor:
        return attend(Matches(logits.softmax(dim=1), best, similarity), planes)

    assert torch.autograd.gradcheck(mean, (logits, planes))


def test_frames_are_seen_as_unit_vectors_on_a_quarter_grid(features: SqueezeNet) -> None:
    seen = matcher(features).look(torch.rand(2, 1, 32, 48))
    assert seen.keys.shape == (2, 8, 8, 12)
    assert [tuple(tap.shape[1:]) for tap in seen.taps] == [
        (128, 8, 12), (256, 4, 6), (512, 2, 3),
    ]  # fmt: skip
    for planes in (seen.keys, *seen.taps):
        torch.testing.assert_close(planes.norm(dim=1), torch.ones_like(planes[:, 0]))


def test_a_picture_that_moved_is_found_where_it_went(features: SqueezeNet) -> None:
    made, wide = matcher(features, width=32), texture(96, 128)
    here, there = (made.look(wide[..., left : left + 96]).keys for left in (16, 0))
    best = made(here[0], there).best
    rows, columns = torch.arange(24)[:, None], torch.arange(24)
    right = best == rows * 24 + columns + 4  # 16 pixels are four places
    assert float(right[4:-4, 4:-8].float().mean()) > 0.9


def test_a_gradient_reaches_all_but_the_features(features: SqueezeNet) -> None:
    made = matcher(features)
    own, others = made.look(texture(32, 32)).keys, made.look(torch.rand(2, 1, 32, 32)).keys
    matches = made(own[0], others)
    attend(matches, torch.rand(2, 2, 8, 8)).square().sum().backward()
    for name, parameter in made.named_parameters():
        if name.startswith("features"):
            assert parameter.grad is None, name
        else:
            assert parameter.grad.abs().sum() > 0, name


def test_weights_stay_float32_under_bfloat16(features: SqueezeNet) -> None:
    made, own, others = matcher(features), keys(6, 3, 4), keys(2, 6, 3, 4, seed=1)
    planes = torch.rand(2, 2, 3, 4)
    expected = attend(made(own, others), planes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        matches = made(own, others)
        actual = attend(matches, planes.bfloat16().float())
    assert matches.soft.dtype == actual.dtype == torch.float32
    torch.testing.assert_close(actual, expected, rtol=0, atol=4e-3)


def test_a_network_in_use_can_be_trained_on(features: SqueezeNet) -> None:
    """What is kept of the first frame of a size must not be tied to inference."""
    made, seen = matcher(features), keys(2, 3, 5, 9)
    with torch.inference_mode():
        used = made(seen[0], seen[1:]).soft.clone()
    trained = made(seen[0], seen[1:]).soft
    assert torch.equal(trained, used)
    trained.square().sum().backward()
    assert made.distance.grad is not None
    assert float(made.distance.grad) != 0
