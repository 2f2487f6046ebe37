"""Frames in order: what each one sees of the frame before, per output, and across a cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.imaging.segments import segment_planes
from colorize.motion.estimators import Dis
from colorize.networks.base import Painted
from colorize.networks.guided.references import References
from colorize.networks.prototype.generator import Generator
from colorize.networks.prototype.recurrence import color_frames, is_sequential, segment_planes_of
from colorize.networks.prototype.refiner import Refiner
from tests.colorize.tiny import reference_generator

CHOICES = {"features": None, "outputs": 2, "channels": [4, 4], "head": "chroma", "luma": "keep"}
WEIGHTS = np.array([0.299, 0.587, 0.114])


def noise(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed))


def generator(inputs: str = "gray", seed: int = 0, **choices) -> Generator:
    torch.manual_seed(seed)
    return Generator(inputs=inputs, **(CHOICES | choices)).eval()


def shot(frames: int = 4, seed: int = 0) -> torch.Tensor:
    """A still picture seen for some frames: flow is zero and gray never changes."""
    return (0.3 + 0.4 * noise(1, 1, 1, 40, 48, seed=seed)).expand(1, frames, 1, 40, 48).contiguous()


def no_flow(current: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
    return current.new_zeros(len(current), 2, *current.shape[-2:])


@pytest.fixture
def flickering(monkeypatch) -> Generator:
    """A generator that gives frame after frame other colours: those of its call number and k."""
    model = generator(head="rgb", luma="free")
    calls = iter(range(1000))

    def forward(gray: torch.Tensor, references: None, *, extra: None) -> Painted:
        numbers = torch.tensor([next(calls) for _ in gray])
        k = torch.arange(2)
        tint = 0.1 + 0.07 * numbers[:, None] + 0.3 * k  # b k
        return Painted(tint[:, :, None, None, None].expand(-1, -1, 3, 40, 48).contiguous())

    monkeypatch.setattr(model, "forward", forward)
    return model


@pytest.fixture
def holding(monkeypatch) -> Refiner:
    """A refiner that shows the warped frame before plus 0.01."""
    refiner = Refiner(channels=[4, 4])
    monkeypatch.setattr(refiner, "forward", lambda evidence, gray: evidence[:, 3:6] + 0.01)
    return refiner


def test_frame_t_is_refined_by_refined_frame_t_minus_1_of_the_same_output(
    flickering: Generator, holding: Refiner
) -> None:
    colored = color_frames(flickering, shot(4), refiner=holding, flow=no_flow)
    flat = colored.shown[0].mean(dim=(2, 3, 4))  # t k
    # f gives 0.1, 0.17, 0.24, 0.31 for k = 0; the refined frames follow the first one, per k.
    for k in range(2):
        first = 0.1 + 0.3 * k
        expected = [first, first + 0.01, first + 0.02, first + 0.03]
        np.testing.assert_allclose(flat[:, k], expected, atol=1e-5)
    np.testing.assert_allclose(
        colored.outputs[0].mean(dim=(2, 3, 4))[:, 0], [0.1, 0.17, 0.24, 0.31], atol=1e-5
    )


def test_a_cut_starts_anew_and_going_on_does_not(flickering: Generator, holding: Refiner) -> None:
    first = color_frames(flickering, shot(2), refiner=holding, flow=no_flow)
    on = color_frames(flickering, shot(1), first.state, refiner=holding, flow=no_flow)
    cut = color_frames(flickering, shot(1), None, refiner=holding, flow=no_flow)
    assert float(on.shown[0, 0, 0].mean()) == pytest.approx(0.12, abs=1e-5)
    assert float(cut.shown[0, 0, 0].mean()) == pytest.approx(0.31, abs=1e-5)  # f's fourth frame


def test_planted_flicker_is_seen_by_the_refiner(monkeypatch, flickering: Generator) -> None:
    """Gray stands still and colour jumps by 0.07 > 0.05: low is 1 everywhere."""
    seen = []
    refiner = Refiner(channels=[4, 4])
    monkeypatch.setattr(
        refiner, "forward", lambda evidence, gray: seen.append(evidence) or evidence[:, 6:9]
    )
    color_frames(flickering, shot(3), refiner=refiner, flow=no_flow)
    low, steady_color, steady_gray = seen[0][:, 9:12], seen[0][:, 12:15], seen[0][:, 15:18]
    assert low.eq(1).all()
    assert steady_color.eq(0).all()
    assert steady_gray.eq(1).all()
    assert len(seen) == 2  # the first frame of a shot is not refined


def test_without_a_refiner_the_main_network_is_shown(flickering: Generator) -> None:
    colored = color_frames(flickering, shot(3))
    assert torch.equal(colored.outputs, colored.shown)


@pytest.mark.parametrize("inputs", ["gray", "gray_pair", "gray_segments", "gray_previous"])
@pytest.mark.parametrize("refined", [False, True])
def test_a_shot_in_parts_equals_the_shot_at_once(inputs: str, refined: bool) -> None:
    model = generator(inputs)
    torch.manual_seed(1)
    refiner = Refiner(channels=[4, 4]).eval() if refined else None
    gray = noise(2, 5, 1, 40, 48)
    whole = color_frames(model, gray, refiner=refiner, flow=Dis())
    parts, state = [], None
    for part in gray.split([2, 1, 2], dim=1):
        colored = color_frames(model, part, state, refiner=refiner, flow=Dis())
        parts.append(colored.shown)
        state = colored.state
    torch.testing.assert_close(torch.cat(parts, dim=1), whole.shown, atol=1e-5, rtol=0)


@pytest.mark.parametrize("inputs", ["gray", "gray_pair", "gray_segments", "gray_previous"])
def test_one_variant_alone_is_that_of_all(inputs: str) -> None:
    model, gray = generator(inputs), noise(1, 3, 1, 20, 24)
    torch.manual_seed(1)
    refiner = Refiner(channels=[4, 4]).eval()
    together = color_frames(model, gray, refiner=refiner, flow=Dis())
    for k in range(2):
        alone = color_frames(model, gray, refiner=refiner, flow=Dis(), variant=k)
        torch.testing.assert_close(alone.shown[:, :, 0], together.shown[:, :, k], atol=1e-5, rtol=0)
        assert alone.state.shown.shape == (1, 1, 3, 20, 24)


def test_a_pair_is_the_frame_and_the_gray_one_before() -> None:
    model, gray = generator("gray_pair"), noise(1, 3, 1, 8, 8)
    result = color_frames(model, gray).outputs[0]
    for number, before in [(0, 0), (1, 0), (2, 1)]:  # the first frame is its own
        expected = model(gray[:, number], extra=gray[:, before]).colors[0]
        torch.testing.assert_close(result[number], expected)


def test_each_output_sees_its_own_colouring_of_the_frame_before() -> None:
    """The frames by hand, one network pass for one output at a time."""
    model, gray = generator("gray_previous", output_gain=0.3), 0.3 + 0.4 * noise(1, 3, 1, 8, 8)
    result = color_frames(model, gray).outputs[0].detach()
    nothing = torch.zeros(1, 3, 8, 8)
    for k in range(2):
        before = nothing
        for number in range(3):
            expected = model(gray[:, number], extra=before).colors[:, k].detach()
            torch.testing.assert_close(result[number, k], expected[0], atol=1e-5, rtol=0)
            # Inside the gamut here, so nothing is clipped on the way to the next frame.
            assert expected.min() > 0
            assert expected.max() < 1
            red, _, blue = expected[0]
            luma = gray[0, number, 0]
            planes = [(blue - luma) / 1.772, (red - luma) / 1.402, torch.ones_like(luma)]
            before = torch.stack(planes)[None]


def test_segments_are_those_of_each_gray_frame() -> None:
    gray = noise(2, 2, 1, 24, 32)
    planes = segment_planes_of(gray)
    assert planes.shape == (2, 2, 2, 24, 32)
    np.testing.assert_allclose(planes[1, 0], segment_planes(gray[1, 0, 0].numpy()), atol=1e-6)
    model = generator("gray_segments")
    expected = model(gray[:, 1], extra=planes[:, 1]).colors
    torch.testing.assert_close(color_frames(model, gray).outputs[:, 1], expected)


@pytest.mark.parametrize(
    ("inputs", "refined", "expected"),
    [
        ("gray", False, False),
        ("gray_segments", False, False),
        ("gray_pair", False, True),
        ("gray_previous", False, True),
        ("gray", True, True),
    ],
)
def test_what_depends_on_the_frame_before(inputs: str, refined: bool, expected: bool) -> None:
    refiner = Refiner(channels=[4, 4]) if refined else None
    assert is_sequential(generator(inputs), refiner) is expected


def test_references_reach_a_model_that_takes_them_and_are_refused_by_any_other() -> None:
    gray, shown = noise(1, 2, 1, 32, 48), noise(2, 1, 1, 32, 48, seed=1)
    given = References(
        luma=shown,
        chroma=0.4 * noise(2, 1, 2, 32, 48, seed=2),
        counts=(1, 1),
        frame=torch.full((2, 1), -1),
    )
    guided = reference_generator().eval()
    with torch.no_grad():
        expected = guided(gray[0], given).colors
        result = color_frames(guided, gray, references=given).outputs[0]
        alone = color_frames(guided, gray).outputs[0]
    assert torch.equal(result, expected)
    assert not torch.allclose(alone, expected, atol=1e-3)
    with pytest.raises(ValueError, match="references need a model that takes them"):
        color_frames(generator(), gray, references=given)
