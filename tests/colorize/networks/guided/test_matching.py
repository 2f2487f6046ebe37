"""Matching: against plain loops in NumPy, and on pictures that moved."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from colorize.networks.guided.matching import Matcher, Matches
from colorize.networks.guided.references import References
from colorize.pretrained.squeezenet import SqueezeNet


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


def shown(others: torch.Tensor, *counts: int) -> References:
    """References (b r) of which only keys are known."""
    b, r = others.shape[:2]
    return References(
        luma=torch.zeros(b, r, 1, 4, 4),
        chroma=torch.zeros(b, r, 2, 4, 4),
        counts=counts or (r,) * b,
        frame=torch.full((b, r), -1),
        keys=others,
    )


def match(
    made: Matcher,
    own: torch.Tensor,
    references: References,
    planes: torch.Tensor,
    *,
    hidden: torch.Tensor | None = None,
) -> Matches:
    """Find the places of frames in each of their references, then in all of them together."""
    return made(made.find(own, references, hidden=hidden), references, planes)


def set_scales(made: Matcher, *, sharpness: float, distance: float) -> None:
    with torch.no_grad():
        made.log_sharpness.fill_(float(np.log(sharpness)))
        made.distance.fill_(distance)


def by_loops(
    own: np.ndarray, others: np.ndarray, planes: np.ndarray, hidden: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Match one frame d p q with references r d p q, place by place; sharpness 7, distance 3."""
    _, height, width = own.shape
    places = [(row, column) for row in range(height) for column in range(width)]
    attended = np.zeros((planes.shape[1], height, width))
    reference, place = np.zeros((2, height, width), dtype=int)
    similarity = np.zeros((height, width))
    for y, x in places:
        found = []
        for r in range(len(others)):
            for at, (row, column) in enumerate(places):
                if hidden[r, row, column]:
                    continue
                cosine = float(own[:, y, x] @ others[r, :, row, column])
                squared = ((row - y) ** 2 + (column - x) ** 2) / max(height, width) ** 2
                found.append((7.0 * cosine - 3.0 * squared, r, at, cosine))
        weights = np.exp([logit for logit, *_ in found])
        weights /= weights.sum()
        for weight, (_, r, at, _) in zip(weights, found, strict=True):
            attended[:, y, x] += weight * planes[r, :, at // width, at % width]
        _, reference[y, x], place[y, x], similarity[y, x] = max(found)
    return attended, reference, place, similarity


@pytest.mark.parametrize("hiding", [False, True])
def test_matches_are_those_of_plain_loops(features: SqueezeNet, hiding: bool) -> None:
    """Two frames, of two references and of one; the second place of the latter is padding."""
    made = matcher(features)
    set_scales(made, sharpness=7.0, distance=3.0)
    own, others = keys(2, 6, 3, 4), keys(2, 2, 6, 3, 4, seed=1)
    planes = torch.rand(2, 2, 3, 3, 4, generator=torch.Generator().manual_seed(2))
    hidden = torch.rand(2, 2, 3, 4, generator=torch.Generator().manual_seed(3)) < 0.4
    hidden &= hiding
    with torch.no_grad():
        matches = match(made, own, shown(others, 2, 1), planes, hidden=hidden if hiding else None)
    for frame, count in enumerate((2, 1)):
        attended, reference, place, similarity = by_loops(
            own[frame].numpy(),
            *(each[frame, :count].numpy() for each in (others, planes, hidden)),
        )
        np.testing.assert_allclose(matches.attended[frame], attended, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(matches.reference[frame], reference)
        np.testing.assert_array_equal(matches.place[frame], place)
        np.testing.assert_allclose(matches.similarity[frame, 0], similarity, atol=1e-5)
    assert matches.found.eq(1).all()


def test_places_that_look_the_same_stay_where_they_are(features: SqueezeNet) -> None:
    same = keys(4, 1, 1).expand(4, 3, 5).contiguous()[None]
    planes = torch.rand(1, 1, 1, 3, 5)
    matches = match(matcher(features), same, shown(same[None]), planes)
    assert matches.place[0].tolist() == torch.arange(15).view(3, 5).tolist()
    torch.testing.assert_close(matches.similarity, torch.ones(1, 1, 3, 5))


def test_the_order_of_references_does_not_matter(features: SqueezeNet) -> None:
    made, own, others = matcher(features), keys(1, 6, 3, 4), keys(1, 3, 6, 3, 4, seed=1)
    planes, order = torch.rand(1, 3, 2, 3, 4), [2, 0, 1]
    first = match(made, own, shown(others), planes)
    again = match(made, own, shown(others[:, order]), planes[:, order])
    torch.testing.assert_close(again.attended, first.attended)
    assert torch.equal(torch.tensor(order)[again.reference], first.reference)
    assert torch.equal(again.place, first.place)
    torch.testing.assert_close(again.similarity, first.similarity)


def test_a_reference_given_twice_changes_nothing(features: SqueezeNet) -> None:
    made, own, others = matcher(features), keys(1, 6, 3, 4), keys(1, 2, 6, 3, 4, seed=1)
    planes, twice = torch.rand(1, 2, 2, 3, 4), [0, 1, 0, 1]
    once = match(made, own, shown(others), planes)
    again = match(made, own, shown(others[:, twice]), planes[:, twice])
    for one, other in zip(once, again, strict=True):
        torch.testing.assert_close(other, one)


def test_attention_is_the_mean_under_the_weights_by_hand(features: SqueezeNet) -> None:
    """Cosines 1 and 0 weigh 3 to 1 where the sharpness is log 3 and distance costs nothing."""
    made = matcher(features)
    set_scales(made, sharpness=float(np.log(3.0)), distance=0.0)
    own = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])[None]  # one row of two places
    other = torch.tensor([[[1.0, 1.0]], [[0.0, 0.0]]])[None]
    others = torch.stack([other, own], dim=1)
    planes = torch.tensor([[[1.0, 2.0]], [[5.0, 9.0]]])[None, :, None]
    matches = match(made, own, shown(others), planes)
    # The first place is like three places of weight 3: 3 (1 + 2 + 5) + 9 over 10.
    # The second is like the last alone: 1 + 2 + 5 + 3 * 9 over 6.
    torch.testing.assert_close(matches.attended.flatten(), torch.tensor([33 / 10, 35 / 6]))
    assert matches.reference[0, 0, 1] == 1
    assert matches.place[0, 0, 1] == 1
    torch.testing.assert_close(matches.similarity, torch.ones(1, 1, 1, 2))


def test_the_gradient_of_attention_is_right(features: SqueezeNet) -> None:
    """Of two frames of one and two references; matching works in float32, so by differences."""
    made, own = matcher(features), keys(2, 4, 2, 3)
    set_scales(made, sharpness=3.0, distance=1.0)
    others, planes = keys(2, 2, 4, 2, 3, seed=1), torch.rand(2, 2, 2, 2, 3)
    factors = torch.rand(2, 2, 2, 3)
    for number, moved in enumerate((own, others, planes)):
        direction = torch.randn(moved.shape, generator=torch.Generator().manual_seed(number))

        def value(given: torch.Tensor, number: int = number) -> torch.Tensor:
            parts = [given if number == n else each for n, each in enumerate((own, others, planes))]
            return (match(made, parts[0], shown(parts[1], 1, 2), parts[2]).attended * factors).sum()

        leaf = moved.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(value(leaf), leaf)
        with torch.no_grad():
            ends = [float(value(moved + sign * 1e-2 * direction)) for sign in (-1, 1)]
        slope = float((gradient * direction).sum())
        assert slope == pytest.approx((ends[1] - ends[0]) / 2e-2, rel=0.02, abs=1e-3)
        assert abs(slope) > 0.01


def test_a_frame_without_references_finds_nothing(features: SqueezeNet) -> None:
    """None at all, or one that is hidden everywhere: whatever is there, to the bit."""
    made, own, others = matcher(features), keys(3, 6, 3, 4), keys(3, 2, 6, 3, 4, seed=1)
    planes = torch.rand(3, 2, 3, 3, 4)
    hidden = torch.zeros(3, 2, 3, 4, dtype=torch.bool)
    hidden[1], hidden[2, 0] = True, True
    matches = match(made, own, shown(others, 0, 2, 2), planes, hidden=hidden)
    for each in (matches.attended, matches.similarity, matches.found):
        assert not each[:2].any()
        assert each[2].any()
    alone = match(made, own[2:], shown(others[2:, 1:]), planes[2:, 1:])
    assert torch.equal(matches.attended[2:], alone.attended)
    assert matches.reference[2].eq(1).all()


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
    place = match(made, here, shown(there[None]), torch.zeros(1, 1, 1, 24, 24)).place[0]
    rows, columns = torch.arange(24)[:, None], torch.arange(24)
    right = place == rows * 24 + columns + 4  # 16 pixels are four places
    assert float(right[4:-4, 4:-8].float().mean()) > 0.9


def test_a_gradient_reaches_all_but_the_features(features: SqueezeNet) -> None:
    made = matcher(features)
    own, others = made.look(texture(32, 32)).keys, made.look(torch.rand(2, 1, 32, 32)).keys
    matches = match(made, own, shown(others[None]), torch.rand(1, 2, 2, 8, 8))
    matches.attended.square().sum().backward()
    for name, parameter in made.named_parameters():
        if name.startswith("features"):
            assert parameter.grad is None, name
        else:
            assert parameter.grad.abs().sum() > 0, name


def test_weights_stay_float32_under_bfloat16(features: SqueezeNet) -> None:
    made, own, others = matcher(features), keys(1, 6, 3, 4), keys(1, 2, 6, 3, 4, seed=1)
    planes = torch.rand(1, 2, 2, 3, 4)
    expected = match(made, own, shown(others), planes).attended
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = match(made, own, shown(others), planes.bfloat16()).attended
    assert actual.dtype == torch.float32
    torch.testing.assert_close(actual, expected, rtol=0, atol=4e-3)


def test_a_network_in_use_can_be_trained_on(features: SqueezeNet) -> None:
    """What is kept of the first frame of a size must not be tied to inference."""
    made, seen = matcher(features), keys(1, 2, 3, 5, 9)
    own, planes = seen[:, 0], torch.rand(1, 1, 2, 5, 9)
    with torch.inference_mode():
        used = match(made, own, shown(seen[:, 1:]), planes).attended.clone()
    trained = match(made, own, shown(seen[:, 1:]), planes).attended
    assert torch.equal(trained, used)
    trained.square().sum().backward()
    assert made.distance.grad is not None
    assert float(made.distance.grad) != 0
