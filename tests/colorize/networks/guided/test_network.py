"""The reference-guided generator: what it is shown, what it is blind to, and any size of frame."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from colorize.cartoon import CartoonSeries
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.inference.colorizer import Colorizer
from colorize.inference.shipped import shipped_names, weights_path
from colorize.networks.guided.fusion import Proposals
from colorize.networks.guided.network import GuidedNetwork, References
from colorize.pretrained.squeezenet import SqueezeNet

_SIZES = [(32, 48), (33, 47), (17, 16), (1, 5)]


@pytest.fixture(scope="module")
def features() -> SqueezeNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SqueezeNet(weights="random")


@pytest.fixture
def model(features: SqueezeNet) -> GuidedNetwork:
    return tiny(features)


def tiny(features: SqueezeNet, *, match_side: int = 112, match_width: int = 8, seed: int = 1):
    """A small model whose own colours differ clearly from gray."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = GuidedNetwork(
            features=features,
            channels=(4, 4, 4, 4, 4),
            match_width=match_width,
            match_side=match_side,
            fusion_width=4,
        )
    with torch.no_grad():
        made.unet.output.weight.mul_(10)
    return made.eval()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def references(*frames: int, size: tuple[int, int] = (32, 48), seed: int = 5) -> References:
    """A random reference for each of ``frames``, and a random flow to it."""
    count = len(frames)
    return References(
        frame=torch.tensor(frames, dtype=torch.long),
        gray=noise(count, 1, *size, seed=seed),
        chroma=0.5 * noise(count, 2, *size, seed=seed + 1) - 0.1,
        flow=6 * noise(count, 2, *size, seed=seed + 2) - 3,
    )


def rows(given: References, chosen: list[int], frame: int | None = None) -> References:
    """Some of the references, all of them for one ``frame`` if it is given."""
    some = References(*(None if each is None else each[chosen] for each in given))
    return some if frame is None else some._replace(frame=torch.full((len(chosen),), frame))


def turned(chroma: Tensor, angle: float) -> Tensor:
    cb, cr = chroma.unbind(-3)
    cosine, sine = math.cos(angle), math.sin(angle)
    return torch.stack([cosine * cb - sine * cr, sine * cb + cosine * cr], dim=-3)


def shown_to_the_fusion(
    model: GuidedNetwork, gray: Tensor, given: References
) -> dict[int, Proposals]:
    """Return the proposals that the judge sees, by kind."""
    seen: list[Proposals] = []
    hook = model.fusion.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[1]))
    with torch.no_grad():
        model.paint(gray, given)
    hook.remove()
    (proposals,) = seen
    return {
        kind: Proposals(*(each[proposals.kind == kind] for each in proposals)) for kind in range(4)
    }


@pytest.mark.parametrize("given", [None, references()])
def test_without_references_it_paints_from_memory(
    model: GuidedNetwork, given: References | None
) -> None:
    with torch.no_grad():
        painted = model.paint(noise(2, 1, 32, 48), given)
    assert painted.attended.shape == (2, 2, 8, 12)
    for planes in (painted.mixed, painted.trust, painted.attended):
        assert not planes.any()
    assert torch.isfinite(painted.chroma).all()
    assert 0.01 < float(painted.chroma.abs().max()) <= 0.5


def test_a_frame_without_a_reference_is_coloured_as_if_alone(model: GuidedNetwork) -> None:
    gray, given = noise(3, 1, 32, 48), references(0, 2, 2)
    with torch.no_grad():
        together = model.paint(gray, given)
        alone = [
            model.paint(gray[:1], rows(given, [0], frame=0)),
            model.paint(gray[1:2], None),
            model.paint(gray[2:], rows(given, [1, 2], frame=0)),
        ]
    for name, planes in together._asdict().items():
        expected = torch.cat([getattr(each, name) for each in alone])
        torch.testing.assert_close(planes, expected, rtol=0, atol=1e-5)
    assert not together.trust[1].any()
    assert together.trust[0].any()


@pytest.mark.parametrize("angle", [2 * math.pi / 3, 1.0])
def test_turned_references_turn_the_mix_exactly(model: GuidedNetwork, angle: float) -> None:
    gray, given = noise(1, 1, 32, 48), references(0, 0)
    with torch.no_grad():
        before = model.paint(gray, given)
        after = model.paint(gray, given._replace(chroma=turned(given.chroma, angle)))
    for name in ("mixed", "attended"):
        expected = turned(getattr(before, name), angle)
        assert expected.abs().max() > 0.05
        torch.testing.assert_close(getattr(after, name), expected, rtol=0, atol=1e-6)


def test_paler_references_make_the_mix_paler_by_as_much(model: GuidedNetwork) -> None:
    gray, given = noise(1, 1, 32, 48), references(0, 0)
    with torch.no_grad():
        before = model.paint(gray, given)
        after = model.paint(gray, given._replace(chroma=0.25 * given.chroma))
    torch.testing.assert_close(after.mixed, 0.25 * before.mixed, rtol=0, atol=1e-6)
    torch.testing.assert_close(after.attended, 0.25 * before.attended, rtol=0, atol=1e-6)


def test_the_order_of_references_does_not_matter(model: GuidedNetwork) -> None:
    gray, given = noise(2, 1, 32, 48), references(0, 0, 1, 0, 1)
    with torch.no_grad():
        expected = model(gray, None, given)
        actual = model(gray, None, rows(given, [4, 1, 3, 2, 0]))
        gray_alone = model(gray)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5)
    assert (expected - gray_alone).abs().max() > 1e-3


@pytest.mark.parametrize(("size", "match_side"), [((32, 48), 112), ((33, 47), 112), ((70, 99), 32)])
def test_given_keys_are_the_computed_ones(
    features: SqueezeNet, size: tuple[int, int], match_side: int
) -> None:
    model, given = tiny(features, match_side=match_side), references(0, 0, size=size)
    with torch.no_grad():
        keys = model.keys(given.gray)
        expected = model(noise(1, 1, *size), None, given)
        actual = model(noise(1, 1, *size), None, given._replace(keys=keys))
    assert torch.equal(actual, expected)
    other = given._replace(keys=keys.roll(3, dims=-1))
    with torch.no_grad():
        assert not torch.allclose(model(noise(1, 1, *size), None, other), expected, atol=1e-4)


@pytest.mark.parametrize("size", _SIZES)
def test_frames_of_any_size_keep_their_luma(model: GuidedNetwork, size: tuple[int, int]) -> None:
    gray = noise(2, 1, *size)
    with torch.no_grad():
        outputs = model(gray, None, references(0, 1, 1, size=size))
    assert outputs.shape == (2, 1, 3, *size)
    assert rgb_to_chroma(outputs).abs().max() > 1e-3
    torch.testing.assert_close(rgb_to_luma(outputs)[:, 0], gray, rtol=0, atol=1e-6)


def test_odd_frames_are_padded_by_their_edge_and_cut_back(model: GuidedNetwork) -> None:
    gray, given = noise(1, 1, 33, 47), references(0, 0, size=(33, 47))
    down, right = torch.arange(48).clamp(max=32)[:, None], torch.arange(48).clamp(max=46)
    whole = References(given.frame, *(planes[:, :, down, right] for planes in given[1:4]))
    with torch.no_grad():
        expected = model(gray[:, :, down, right], None, whole)[..., :33, :47]
        torch.testing.assert_close(model(gray, None, given), expected, rtol=0, atol=1e-6)


def test_large_frames_are_matched_at_the_size_of_matching(features: SqueezeNet) -> None:
    model, size = tiny(features, match_side=32), (70, 99)
    with torch.no_grad():
        painted = model.paint(noise(1, 1, *size), references(0, size=size))
    # 80x112 padded; 32/80 of it is 32x44.8, to whole blocks of 16: 32x48, a quarter of which is
    assert painted.attended.shape == (1, 2, 8, 12)
    assert painted.chroma.shape == (1, 2, *size)
    assert torch.isfinite(painted.chroma).all()
    hardly = tiny(features, match_side=40).keys(noise(1, 1, 38, 40))
    assert hardly.shape[-2:] == (12, 12)  # 48x48 is not well above 40: as it is


def test_each_kind_of_proposal_is_what_it_is_called(features: SqueezeNet) -> None:
    """The frame is the reference moved by 16 pixels, which flow and matching find."""
    model = tiny(features, match_width=32)
    coarse = noise(1, 1, 12, 16)
    wide = functional.interpolate(coarse, size=(96, 128), mode="bilinear")
    wide = 0.8 * wide + 0.2 * noise(1, 1, 96, 128, seed=3)
    colors = 0.6 * noise(1, 2, 96, 128, seed=4) - 0.3
    gray, own = wide[..., 16:112], colors[..., 16:112]
    flow = torch.zeros(1, 2, 96, 96)
    flow[:, 0] = 16
    given = References(torch.tensor([0]), wide[..., :96], colors[..., :96], flow)
    copied, moved, matched, attended = shown_to_the_fusion(model, gray, given).values()
    for kind in (copied, moved, matched, attended):
        assert kind.frame.tolist() == [0]
        assert kind.similarity.shape == (1, 1, 96, 96)
    assert torch.equal(copied.chroma, given.chroma)
    assert torch.equal(copied.luma, given.gray)
    inner = (..., slice(16, -16), slice(16, -32))
    torch.testing.assert_close(moved.luma[inner], gray[inner], rtol=0, atol=1e-5)
    torch.testing.assert_close(moved.chroma[inner], own[inner], rtol=0, atol=1e-5)
    found = (matched.chroma == own).all(dim=1)[inner]
    assert float(found.float().mean()) > 0.9
    means = {name: float(each.similarity[inner].mean()) for name, each in
             (("copied", copied), ("moved", moved), ("matched", matched))}  # fmt: skip
    assert means["copied"] < means["moved"]
    assert means["copied"] < means["matched"] <= 1


def test_carried_flow_moves_the_references_once_more(model: GuidedNetwork) -> None:
    gray, given = noise(2, 1, 32, 48), references(0, 1, 1)
    before = shown_to_the_fusion(model, gray, given)
    with torch.no_grad():
        plain = model(gray, None, given)
    other = given._replace(carried=references(0, 1, 1, seed=9).flow)
    after = shown_to_the_fusion(model, gray, other)
    assert [len(after[kind].frame) for kind in range(4)] == [3, 6, 2, 2]
    assert after[1].frame.tolist() == [0, 1, 1, 0, 1, 1]
    for name, planes in before[1]._asdict().items():
        assert torch.equal(getattr(after[1], name)[:3], planes), name
    swapped = shown_to_the_fusion(model, gray, given._replace(flow=other.carried))
    for name, planes in swapped[1]._asdict().items():
        assert torch.equal(getattr(after[1], name)[3:], planes), name
    with torch.no_grad():
        assert (model(gray, None, other) - plain).abs().max() > 1e-3


def test_a_frame_that_is_its_own_reference_is_wholly_alike(model: GuidedNetwork) -> None:
    gray = noise(1, 1, 32, 48)
    given = references(0)._replace(gray=gray, flow=torch.zeros(1, 2, 32, 48))
    for kind, proposals in shown_to_the_fusion(model, gray, given).items():
        if kind < 3:
            torch.testing.assert_close(proposals.similarity, torch.ones(1, 1, 32, 48))
            torch.testing.assert_close(proposals.luma, gray, rtol=0, atol=1e-5)


def test_a_gradient_reaches_every_trained_parameter_and_no_frozen_one(
    model: GuidedNetwork,
) -> None:
    model.train()
    painted = model.paint(noise(2, 1, 32, 48), references(0, 1, 1))
    terms = [painted.chroma, painted.mixed, painted.attended]
    sum(term.square().sum() for term in terms).backward()
    for name, parameter in model.named_parameters():
        if "features" in name:
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_without_references_memory_alone_is_trained(model: GuidedNetwork) -> None:
    model.train()
    model(noise(2, 1, 32, 48)).square().sum().backward()
    for name, parameter in model.named_parameters():
        if name.startswith(("fusion", "matcher")):
            assert parameter.grad is None, name
        elif name not in ("unet.output.weight", "unet.output.bias"):
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name


def test_state_is_self_contained(model: GuidedNetwork) -> None:
    copy = tiny(SqueezeNet(weights="checkpoint"), seed=2)
    copy.load_state_dict(model.state_dict())
    gray, given = noise(1, 1, 32, 48), references(0, 0)
    with torch.no_grad():
        assert torch.equal(copy(gray, None, given), model(gray, None, given))


def test_runs_under_bfloat16_and_channels_last(model: GuidedNetwork) -> None:
    gray, given = noise(2, 1, 33, 47), references(0, 1, 1, size=(33, 47))
    with torch.no_grad():
        expected = model(gray, None, given)
        model = model.to(memory_format=torch.channels_last)
        torch.testing.assert_close(model(gray, None, given), expected, rtol=1e-4, atol=1e-4)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = model(gray, None, given)
    assert outputs.dtype == torch.float32
    error = (outputs - expected).abs().mean() / expected.abs().mean()
    assert 0 < error < 0.1
    torch.testing.assert_close(rgb_to_luma(outputs)[:, 0], gray, rtol=0, atol=1e-6)


@pytest.mark.skipif(
    "default" not in shipped_names(), reason="colorize/weights/default.safetensors is not there yet"
)
def test_a_recoloured_reference_recolours_the_result() -> None:
    """Hues turned by 120 degrees come back so, within 20 degrees on 80 % of saturated pixels."""
    colorizer = Colorizer.load(weights_path("default"), device="cpu")
    right, saturated = 0, 0
    for seed in (501, 502):
        series = CartoonSeries(
            seed=seed, size=(108, 192), shots=2, frames_per_shot=9, effects=False
        )
        for shot in range(2):
            color = torch.from_numpy(series.color(shot)[[0, 4, 8]] / 255.0).float()
            color = color.permute(0, 3, 1, 2)
            gray = rgb_to_luma(color)
            other = join_in_gamut(gray, turned(rgb_to_chroma(color), 2 * math.pi / 3))
            seen = colorizer.look_at([other[:1]], size=(108, 192))
            result = rgb_to_chroma(colorizer.stream(references=seen)(gray[1:])[:, 0])
            wanted = rgb_to_chroma(other[1:])
            vivid = wanted.norm(dim=1) > 0.1
            cosine = functional.cosine_similarity(result, wanted, dim=1)
            right += int(((cosine > math.cos(math.radians(20))) & vivid).sum())
            saturated += int(vivid.sum())
    assert saturated > 10_000
    assert right / saturated > 0.8
