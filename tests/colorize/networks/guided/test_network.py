"""The guided network: what it is shown, what it is blind to, and any size and number of frames."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from colorize.cartoon import CartoonSeries
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import RenderSettings
from colorize.inference.shipped import shipped_names, weights_path
from colorize.motion.warp import warp
from colorize.networks.guided.network import GuidedNetwork, Steps
from colorize.networks.guided.references import References
from colorize.networks.unet import resize_bilinear
from colorize.pretrained.squeezenet import SqueezeNet
from tests.colorize.networks.guided.given import (
    SIZE,
    assert_close,
    evidence,
    forward_without_values,
    noise,
    of_frame,
    painted,
    planes_of,
    references,
    shown_to_the_fusion,
    tiny,
)

_SIZES = [(32, 48), (33, 47), (17, 16), (1, 5)]


def turned(chroma: Tensor, angle: float) -> Tensor:
    cb, cr = chroma.unbind(-3)
    cosine, sine = math.cos(angle), math.sin(angle)
    return torch.stack([cosine * cb - sine * cr, sine * cb + cosine * cr], dim=-3)


def none(frames: int) -> References:
    return References.of(torch.zeros(0, 1, *SIZE), torch.zeros(0, 2, *SIZE)).expand(frames)


@pytest.mark.parametrize("given", [None, none(2)])
def test_without_references_it_paints_unguided(
    model: GuidedNetwork, given: References | None
) -> None:
    steps = painted(model, noise(2, 1, *SIZE), given)
    assert steps.attended.shape == (2, 2, 8, 12)
    for planes in (steps.fused, steps.trust, steps.attended):
        assert not planes.any()
    assert torch.isfinite(steps.chroma).all()
    assert 0.01 < float(steps.chroma.abs().max()) <= 0.5


def test_what_is_painted_is_given_with_the_steps_that_losses_want(model: GuidedNetwork) -> None:
    gray, given = noise(3, 1, *SIZE), references(1, 0, 2)
    steps = painted(model, gray, given)
    with torch.no_grad():
        result = model(gray, given)
    torch.testing.assert_close(rgb_to_chroma(result.colors[:, 0]), steps.chroma)
    assert set(result.provided) == model.provides
    assert torch.equal(result.provided["fused"], steps.fused)
    assert torch.equal(result.provided["attended"], steps.attended)
    assert result.provided["served"].tolist() == [True, False, True]
    with torch.no_grad():
        assert not model(gray).provided["served"].any()


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("propagated", [False, True])
def test_a_frame_of_a_batch_is_coloured_exactly_as_alone(
    model: GuidedNetwork, propagated: bool, mask: bool
) -> None:
    """Whether it has references or not, and whatever lies in the padding."""
    gray = noise(4, 1, *SIZE)
    given = references(1, 0, 3, 2, propagated=propagated, mask=mask)
    together = painted(model, gray, given)
    for frame in range(4):
        own = of_frame(given, frame) if given.counts[frame] else None
        alone = painted(model, gray[frame : frame + 1], own)
        one = (None if planes is None else planes[frame : frame + 1] for planes in together)
        assert_close(Steps(*one), alone)
    assert not together.trust[1].any()
    for frame in (0, 2, 3):
        assert together.trust[frame].any()


@pytest.mark.parametrize("angle", [2 * math.pi / 3, 1.0])
def test_turned_references_turn_the_fused_colours_exactly(
    model: GuidedNetwork, angle: float
) -> None:
    gray, given = noise(1, 1, *SIZE), references(2, propagated=True)
    before = painted(model, gray, given)
    after = painted(model, gray, replace(given, chroma=turned(given.chroma, angle)))
    for name in ("fused", "attended"):
        expected = turned(getattr(before, name), angle)
        assert expected.abs().max() > 0.05
        torch.testing.assert_close(getattr(after, name), expected, rtol=0, atol=1e-6)


def test_paler_references_make_the_fused_colours_paler_by_as_much(model: GuidedNetwork) -> None:
    gray, given = noise(1, 1, *SIZE), references(2)
    before = painted(model, gray, given)
    after = painted(model, gray, replace(given, chroma=0.25 * given.chroma))
    torch.testing.assert_close(after.fused, 0.25 * before.fused, rtol=0, atol=1e-6)
    torch.testing.assert_close(after.attended, 0.25 * before.attended, rtol=0, atol=1e-6)


def test_the_order_of_references_does_not_matter(model: GuidedNetwork) -> None:
    gray, given = noise(1, 1, *SIZE), references(3, propagated=True, mask=True)
    expected = painted(model, gray, given)
    assert_close(painted(model, gray, given.picked([2, 0, 1])), expected)
    assert (expected.chroma - painted(model, gray, None).chroma).abs().max() > 1e-3


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("propagated", [False, True])
@pytest.mark.parametrize(
    ("count", "twice"), [(1, [0, 0]), (2, [0, 1, 0, 1]), (2, [0, 1, 1]), (3, [2, 0, 2, 1, 2])]
)
def test_a_reference_given_twice_changes_nothing(
    model: GuidedNetwork, count: int, twice: list[int], propagated: bool, mask: bool
) -> None:
    gray, given = noise(1, 1, *SIZE), references(count, propagated=propagated, mask=mask)
    again = given.picked(twice)
    assert_close(painted(model, gray, again), painted(model, gray, given))
    torch.testing.assert_close(
        evidence(model, gray, again), evidence(model, gray, given), rtol=0, atol=1e-5
    )


def test_more_references_raise_the_evidence_on_the_whole(model: GuidedNetwork) -> None:
    """At a place they may lower it, where a match that looks better fits less well."""
    gray, given = noise(1, 1, *SIZE), references(3, propagated=True)
    means = [float(evidence(model, gray, given.picked(range(n))).mean()) for n in (1, 2, 3)]
    assert means[0] < means[1] < means[2]


def old_fusion(model: GuidedNetwork, gray: Tensor, given: References) -> tuple[Tensor, Tensor]:
    """Fuse what one reference proposes as it was done before, by one softmax over all proposals."""
    proposals = shown_to_the_fusion(model, gray, given).values()
    with torch.no_grad():
        scores = torch.cat([model.fusion.scores(gray, each) for each in proposals])
    weights = scores.softmax(dim=0)
    chroma = torch.cat([each.chroma for each in proposals])
    return (weights * chroma).sum(dim=0), scores.logsumexp(dim=0).sigmoid()


def test_one_reference_is_fused_as_before_there_were_kinds(model: GuidedNetwork) -> None:
    gray, given = noise(1, 1, *SIZE), references(1)
    fused, shown = old_fusion(model, gray, given)
    torch.testing.assert_close(painted(model, gray, given).fused[0], fused, rtol=0, atol=1e-5)
    torch.testing.assert_close(evidence(model, gray, given)[0], shown, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("size", "match_side"), [((32, 48), 112), ((33, 47), 112), ((70, 99), 32)])
def test_given_keys_are_the_computed_ones(
    features: SqueezeNet, size: tuple[int, int], match_side: int
) -> None:
    model, given = tiny(features, match_side=match_side), references(2, size=size)
    gray = noise(1, 1, *size)
    with torch.no_grad():
        keys = model.keys(given.luma[0])
    expected = painted(model, gray, given)
    assert_close(painted(model, gray, given.with_keys(keys)), expected, atol=0)
    other = painted(model, gray, given.with_keys(keys.roll(3, dims=-1)))
    assert not torch.allclose(other.chroma, expected.chroma, atol=1e-4)


def test_a_frame_is_most_like_the_reference_that_shows_it(model: GuidedNetwork) -> None:
    luma = torch.cat(
        [torch.full((1, 1, *SIZE), 0.5), noise(1, 1, *SIZE), noise(1, 1, *SIZE, seed=1)]
    )
    with torch.no_grad():
        keys = model.keys(luma)
        given = References.of(luma, torch.zeros(3, 2, *SIZE)).with_keys(keys)
        alike = [float(model.likeness(keys[1:2], given.picked([n]))) for n in range(3)]
    assert alike[1] == pytest.approx(1, abs=1e-5)
    assert alike[0] < alike[2] < 0.9999


@pytest.mark.parametrize("size", _SIZES)
def test_frames_of_any_size_keep_their_luma(model: GuidedNetwork, size: tuple[int, int]) -> None:
    gray = noise(2, 1, *size)
    with torch.no_grad():
        colors = model(gray, references(1, 2, size=size, propagated=True, mask=True)).colors
    assert colors.shape == (2, 1, 3, *size)
    assert rgb_to_chroma(colors).abs().max() > 1e-3
    torch.testing.assert_close(rgb_to_luma(colors)[:, 0], gray, rtol=0, atol=1e-6)


def test_odd_frames_are_padded_by_their_edge_and_cut_back(model: GuidedNetwork) -> None:
    gray = noise(1, 1, 33, 47)
    given = references(2, size=(33, 47), propagated=True, mask=True)
    down, right = torch.arange(48).clamp(max=32)[:, None], torch.arange(48).clamp(max=46)
    whole = replace(
        given, **{name: each[..., down, right] for name, each in planes_of(given).items()}
    )
    expected = painted(model, gray[..., down, right], whole).chroma[..., :33, :47]
    torch.testing.assert_close(painted(model, gray, given).chroma, expected, rtol=0, atol=1e-6)


def test_large_frames_are_matched_at_the_size_of_matching(features: SqueezeNet) -> None:
    model, size = tiny(features, match_side=32), (70, 99)
    steps = painted(model, noise(1, 1, *size), references(1, size=size))
    # 80x112 padded; 32/80 of it is 32x44.8, to whole blocks of 16: 32x48, a quarter of which is
    assert steps.attended.shape == (1, 2, 8, 12)
    assert steps.chroma.shape == (1, 2, *size)
    assert torch.isfinite(steps.chroma).all()
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
    flow = torch.zeros(1, 1, 2, 96, 96)
    flow[:, :, 0] = 16
    given = replace(References.of(wide[..., :96], colors[..., :96]), flow=flow)
    kinds = shown_to_the_fusion(model, gray, given)
    for kind in kinds.values():
        assert kind.frame.tolist() == [0]
        assert kind.similarity.shape == (1, 1, 96, 96)
    assert torch.equal(kinds["copied"].chroma, given.chroma[0])
    assert torch.equal(kinds["copied"].luma, given.luma[0])
    inner = (..., slice(16, -16), slice(16, -32))
    moved, matched = kinds["moved"], kinds["matched"]
    torch.testing.assert_close(moved.luma[inner], gray[inner], rtol=0, atol=1e-5)
    torch.testing.assert_close(moved.chroma[inner], own[inner], rtol=0, atol=1e-5)
    found = (matched.chroma == own).all(dim=1)[inner]
    assert float(found.float().mean()) > 0.9
    means = {name: float(each.similarity[inner].mean()) for name, each in kinds.items()}
    assert means["copied"] < means["moved"]
    assert means["copied"] < means["matched"] <= 1
    attended = painted(model, gray, given).attended
    torch.testing.assert_close(kinds["attended"].chroma, resize_bilinear(attended, (96, 96)))


@pytest.mark.parametrize(("flow", "propagated"), [(False, False), (True, False), (True, True)])
def test_proposals_are_of_each_reference_and_each_flow(
    model: GuidedNetwork, flow: bool, propagated: bool
) -> None:
    gray = noise(3, 1, *SIZE)
    given = references(1, 0, 2, flow=flow, propagated=propagated)
    kinds = shown_to_the_fusion(model, gray, given)
    several = flow + propagated
    assert kinds["copied"].slots == (2, 2 * several, 1, 1)
    assert kinds["copied"].frame.tolist() == [0, 2, 2]
    assert kinds["moved"].frame.tolist() == [0, 2, 2] * several
    places = [place for kind in kinds.values() for place in zip(kind.frame, kind.slot, strict=True)]
    assert len({(int(frame), int(slot)) for frame, slot in places}) == len(places)
    for name in ("matched", "attended"):
        assert kinds[name].frame.tolist() == [0, 2]
    shown = given.luma.flatten(0, 1)[given.rows()]
    assert torch.equal(kinds["copied"].luma, shown)
    used = [each for each in (given.flow, given.propagated) if each is not None]
    if used:
        moved = [warp(shown, each.flatten(0, 1)[given.rows()]) for each in used]
        torch.testing.assert_close(kinds["moved"].luma, torch.cat(moved))


def test_propagated_flow_moves_the_references_once_more(model: GuidedNetwork) -> None:
    gray, given = noise(2, 1, *SIZE), references(1, 2)
    before = shown_to_the_fusion(model, gray, given)["moved"]
    other = replace(given, propagated=references(1, 2, seed=9).flow)
    after = shown_to_the_fusion(model, gray, other)["moved"]
    swapped = shown_to_the_fusion(model, gray, replace(given, flow=other.propagated))["moved"]
    for name in ("frame", "luma", "chroma", "similarity"):
        assert torch.equal(getattr(after, name)[:3], getattr(before, name)), name
        assert torch.equal(getattr(after, name)[3:], getattr(swapped, name)), name
    difference = painted(model, gray, other).chroma - painted(model, gray, given).chroma
    assert difference.abs().max() > 1e-3
    # Flow that says the same twice proposes nothing new.
    same = replace(given, propagated=given.flow)
    assert_close(painted(model, gray, same), painted(model, gray, given))


def test_a_frame_that_is_its_own_reference_is_wholly_alike(model: GuidedNetwork) -> None:
    gray = noise(1, 1, *SIZE)
    given = replace(references(1), luma=gray[None], flow=torch.zeros(1, 1, 2, *SIZE))
    for name, proposals in shown_to_the_fusion(model, gray, given).items():
        if name != "attended":
            torch.testing.assert_close(proposals.similarity, torch.ones(1, 1, *SIZE))
            torch.testing.assert_close(proposals.luma, gray, rtol=0, atol=1e-5)


@pytest.mark.parametrize("mask", [False, True])
def test_a_gradient_reaches_every_trained_parameter_and_no_frozen_one(
    model: GuidedNetwork, mask: bool
) -> None:
    model.train()
    steps = model.paint(noise(3, 1, *SIZE), references(1, 0, 2, propagated=True, mask=mask))
    terms = [steps.chroma, steps.fused, steps.attended]
    sum(term.square().sum() for term in terms).backward()
    for name, parameter in model.named_parameters():
        if "features" in name:
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name


def test_without_references_the_unguided_part_alone_is_trained(model: GuidedNetwork) -> None:
    model.train()
    model(noise(2, 1, *SIZE)).colors.square().sum().backward()
    for name, parameter in model.named_parameters():
        if name.startswith(("fusion", "matcher")):
            assert parameter.grad is None, name
        elif name not in ("unet.output.weight", "unet.output.bias"):
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name


def test_state_is_self_contained(model: GuidedNetwork) -> None:
    copy = tiny(SqueezeNet(weights="checkpoint"), seed=2)
    copy.load_state_dict(model.state_dict())
    gray, given = noise(1, 1, *SIZE), references(2)
    assert_close(painted(copy, gray, given), painted(model, gray, given), atol=0)


def test_runs_under_bfloat16_and_channels_last(model: GuidedNetwork) -> None:
    gray = noise(2, 1, 33, 47)
    given = references(1, 2, size=(33, 47), propagated=True, mask=True)
    with torch.no_grad():
        expected = model(gray, given).colors
        model = model.to(memory_format=torch.channels_last)
        torch.testing.assert_close(model(gray, given).colors, expected, rtol=1e-4, atol=1e-4)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = model(gray, given).colors
    assert outputs.dtype == torch.float32
    error = (outputs - expected).abs().mean() / expected.abs().mean()
    assert 0 < error < 0.1
    torch.testing.assert_close(rgb_to_luma(outputs)[:, 0], gray, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("counts", "mask", "unguided"),
    [
        ((2, 0, 1), True, "unet"),
        ((2, 0, 1), False, "none"),
        ((2, 0, 1), True, "committee"),
        ((0, 0, 0), False, "committee"),
    ],
)
def test_a_step_never_waits_for_the_device(
    features: SqueezeNet, counts: tuple[int, ...], mask: bool, unguided: str
) -> None:
    """It runs on tensors without values, which raise where one is read, or decides a shape."""
    choices = {"tells_spread": unguided == "committee", "fits_tones": mask}
    model, gray = tiny(features, unguided=unguided, **choices).train(), noise(3, 1, *SIZE)
    given = references(*counts, propagated=True, mask=mask) if any(counts) else none(3)
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = forward_without_values(model, fake, gray, given)
    with fake:
        terms = [result.colors, result.provided["fused"], result.provided["attended"]]
        sum(term.square().mean() for term in terms).backward()
    assert result.colors.shape == (3, 1, 3, *SIZE)
    # As if on a GPU: there, what is made on the host must not be waited for either.
    result = forward_without_values(model, fake, gray, given, device="cuda")
    assert result.provided["served"].device.type == "cuda"


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
            flat = RenderSettings(stillness=0.0)
            result = rgb_to_chroma(
                colorizer(gray[1:], references=[other[0].clamp(0, 1)], settings=flat)
            )
            wanted = rgb_to_chroma(other[1:])
            vivid = wanted.norm(dim=1) > 0.1
            cosine = functional.cosine_similarity(result, wanted, dim=1)
            right += int(((cosine > math.cos(math.radians(20))) & vivid).sum())
            saturated += int(vivid.sum())
    assert saturated > 10_000
    assert right / saturated > 0.8
