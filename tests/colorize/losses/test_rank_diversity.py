"""RankDiv against the formula in NumPy, its order, weights, gradients and what it saves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from colorize.losses import RankDiversity, balanced_divisors, rank_diversity
from colorize.losses.rank_diversity import perceptual_distance
from colorize.pretrained.vgg19 import VGG19
from tests.colorize.losses.family import assert_never_waits_for_the_device, every_step

_DIVISORS = {"conv1_2": 2.6, "conv2_1": 0.7}


@pytest.fixture(scope="module")
def features() -> VGG19:
    return VGG19(weights="random", taps=tuple(_DIVISORS))


def _clips(
    b: int, t: int, k: int, *, size: tuple[int, int] = (8, 6)
) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(b + 10 * t + 100 * k)
    return (
        torch.rand(b, t, k, 3, *size, generator=generator),
        torch.rand(b, t, 3, *size, generator=generator),
    )


def test_formula_by_hand() -> None:
    # K = 3: weights 0.01 * (8, 4, 2); minimum 2: 2 + 0.08 * 5 + 0.04 * 2 + 0.02 * 3 = 2.54
    distances = torch.tensor([5.0, 2.0, 3.0])
    value = rank_diversity(distances, rank_scale=0.01, rank_base=2.0)
    assert float(value) == pytest.approx(2.54, abs=1e-6)
    # The order of k is fixed, so a permutation changes the sum.
    other = rank_diversity(distances.flip(0), rank_scale=0.01, rank_base=2.0)
    assert float(other) == pytest.approx(2 + 0.08 * 3 + 0.04 * 2 + 0.02 * 5, abs=1e-6)


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("with_features", [True, False])
def test_loss_is_the_papers_formula_in_numpy(
    frames: int, with_features: bool, features: VGG19
) -> None:
    outputs, truth = _clips(2, frames, 3)
    used = features if with_features else None
    loss = RankDiversity(features=used, divisors=_DIVISORS if with_features else None)

    def taps(image: torch.Tensor) -> list[np.ndarray]:
        found = features(image[None]) if with_features else {}
        return [found[name].numpy() for name in found]

    expected = 0.0
    for b in range(2):
        for t in range(frames):
            distances = []
            for k in range(3):
                difference = np.abs(outputs[b, t, k].numpy() - truth[b, t].numpy())
                distance = 255 * difference.mean()
                pairs = zip(taps(outputs[b, t, k]), taps(truth[b, t]), strict=True)
                for (one, other), divisor in zip(pairs, _DIVISORS.values(), strict=False):
                    distance += np.abs(one - other).mean() / divisor
                distances.append(distance)
            ranked = sum(0.01 * 2 ** (3 - k) * distance for k, distance in enumerate(distances))
            expected += (min(distances) + ranked) / 2
    expected *= 0.2 if frames == 1 else 1.0
    value = loss(outputs, truth, {})
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_only_the_best_and_the_ranking_get_a_gradient() -> None:
    outputs, truth = _clips(1, 2, 4)
    outputs.requires_grad_()
    RankDiversity(features=None)(outputs, truth, {}).backward()
    per_value = 255 / (3 * 8 * 6)
    actual = outputs.grad.abs()[0].amax(dim=(-3, -2, -1))
    distances = (outputs - truth.unsqueeze(2)).abs().mean(dim=(-3, -2, -1))[0]
    for t in range(2):
        weights = np.array([0.16, 0.08, 0.04, 0.02])
        weights[int(distances[t].argmin())] += 1
        np.testing.assert_allclose(actual[t].numpy(), per_value * weights, rtol=1e-5)


def test_better_colours_give_a_smaller_loss(features: VGG19) -> None:
    noise, truth = _clips(2, 1, 4)
    loss = RankDiversity(features=features, divisors=_DIVISORS)
    values = [
        float(loss(truth.unsqueeze(2) + amount * (noise - 0.5), truth, {}))
        for amount in (0.0, 0.1, 0.3)
    ]
    assert values[0] == 0
    assert values[0] < values[1] < values[2]


def test_a_pair_sums_its_frames_and_a_still_counts_a_fifth() -> None:
    outputs, truth = _clips(3, 2, 4)
    loss = RankDiversity(features=None)
    pair = float(loss(outputs, truth, {}))
    stills = [float(loss(outputs[:, t : t + 1], truth[:, t : t + 1], {})) for t in range(2)]
    assert pair == pytest.approx(sum(stills) / 0.2, rel=1e-5)
    heavier = RankDiversity(features=None, still_weight=0.6)
    assert float(heavier(outputs[:, :1], truth[:, :1], {})) == pytest.approx(3 * stills[0])


def test_gradient_is_right() -> None:
    features = VGG19(weights="random", taps=("conv1_1",))
    loss = RankDiversity(features=features, divisors={"conv1_1": 100.0}).double()
    outputs, truth = (tensor.double() for tensor in _clips(1, 2, 2, size=(2, 3)))
    outputs.requires_grad_()
    assert torch.autograd.gradcheck(lambda value: loss(value, truth, {}), outputs)


def test_gradient_reaches_every_output_through_the_features(features: VGG19) -> None:
    outputs, truth = _clips(1, 1, 4)
    outputs.requires_grad_()
    distances = perceptual_distance(
        outputs[:, 0], truth[:, 0], features=features, divisors={"conv1_2": 1e-3, "conv2_1": 1e-3}
    )
    distances.sum().backward()
    assert (outputs.grad.abs().sum(dim=(-2, -1)) > 0).all()
    assert not truth.requires_grad


def test_default_divisors_follow_the_weights() -> None:
    full = RankDiversity(features=VGG19(weights="random"))
    assert full.divisors == pytest.approx(
        {"conv1_2": 2.6, "conv2_2": 4.8, "conv3_2": 3.7, "conv4_2": 5.6, "conv5_2": 0.15}
    )
    assert RankDiversity(features=None).divisors == {}


def test_unknown_taps_get_measured_divisors_that_balance_the_terms() -> None:
    features = VGG19(weights="random", taps=("conv1_1", "conv2_1"))
    measured = RankDiversity(features=features).divisors
    assert measured == RankDiversity(features=features).divisors
    color = torch.rand(2, 3, 16, 16)
    divisors = balanced_divisors(features, color)
    gray = torch.einsum("c,bchw->bhw", torch.tensor([0.299, 0.587, 0.114]), color)
    gray = gray[:, None].expand(-1, 3, -1, -1)
    for tap, divisor in divisors.items():
        change = (features(color)[tap] - features(gray)[tap]).abs().mean() / divisor
        assert float(change) == pytest.approx(float(255 * (color - gray).abs().mean()), rel=1e-5)
        assert measured[tap] == pytest.approx(divisor, rel=2)


def test_features_are_moved_but_not_saved(features: VGG19) -> None:
    own = VGG19(weights="random", taps=features.taps)
    loss = RankDiversity(features=own, divisors=_DIVISORS)
    parent = nn.ModuleDict({"inner": loss})
    assert parent.state_dict() == {}
    assert list(parent.parameters()) == []
    parent.load_state_dict({})
    parent.double()
    assert loss.features.convolutions["conv1_1"].weight.dtype == torch.float64
    assert loss.features.scale.dtype == torch.float64


def test_runs_under_bfloat16(features: VGG19) -> None:
    outputs, truth = _clips(1, 2, 4, size=(16, 16))
    loss = RankDiversity(features=features, divisors=_DIVISORS)
    expected = float(loss(outputs, truth, {}))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(outputs.requires_grad_(), truth, {})
    assert value.dtype == torch.float32
    assert float(value.detach()) == pytest.approx(expected, rel=0.01)
    value.backward()
    assert torch.isfinite(outputs.grad).all()


@every_step
@pytest.mark.parametrize("with_features", [True, False])
def test_a_step_never_waits_for_the_device(
    frames: int, count: int, with_features: bool, features: VGG19
) -> None:
    loss = RankDiversity(
        features=features if with_features else None, divisors=_DIVISORS if with_features else None
    )
    assert_never_waits_for_the_device(loss, *_clips(2, frames, count), {})


@pytest.mark.parametrize(
    ("divisors", "message"),
    [
        ({"conv1_2": 1.0}, r"divisors names conv1_2: expected exactly .*conv1_2, conv2_1"),
        ({"conv1_2": 1.0, "conv2_1": 0.0}, r"divisors\.conv2_1 is 0\.0: expected above 0"),
    ],
)
def test_wrong_divisors(divisors: dict[str, float], message: str, features: VGG19) -> None:
    with pytest.raises(ValueError, match=message):
        RankDiversity(features=features, divisors=divisors)
