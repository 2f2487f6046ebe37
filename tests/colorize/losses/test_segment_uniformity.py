from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from scipy import ndimage

from colorize.losses.segment_uniformity import SegmentUniformity, segment_variance
from colorize.training.objective import Objective
from tests.colorize.losses.family import (
    assert_never_waits_for_the_device,
    assert_runs_under_bfloat16,
    every_step,
)


def _clips(
    b: int, t: int, k: int, *, size: tuple[int, int] = (8, 9), count: int = 5
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(b + 10 * t + 100 * k)
    labels = torch.randint(0, count, (b, t, *size), generator=generator, dtype=torch.int32)
    return (
        torch.rand(b, t, k, 3, *size, generator=generator),
        torch.rand(b, t, 3, *size, generator=generator),
        {"segments": labels, "segment_areas": torch.zeros(b, t, count + 2, dtype=torch.int32)},
    )


def _channels(rgb: np.ndarray, space: str) -> np.ndarray:
    if space == "rgb":
        return rgb
    luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
    return np.stack([(rgb[2] - luma) / 1.772, (rgb[0] - luma) / 1.402])


def _in_loops(
    outputs: np.ndarray, truth: np.ndarray, labels: np.ndarray, space: str, allowance: str
) -> float:
    """Return the mean over pixels, channels and outputs of one frame."""
    terms = []
    for output in outputs:
        pairs = zip(_channels(output, space), _channels(truth, space), strict=True)
        for plane, true_plane in pairs:
            for label in np.unique(labels):
                inside = labels == label
                allowed = true_plane[inside].var() if allowance == "truth" else 0
                excess = max(0.0, plane[inside].var() - allowed)
                terms.append(excess * inside.sum())
    return sum(terms) / (len(outputs) * len(_channels(truth, space)) * labels.size)


@pytest.mark.parametrize("space", ["chroma", "rgb"])
@pytest.mark.parametrize("allowance", ["truth", "none"])
@pytest.mark.parametrize(("b", "t", "k"), [(1, 1, 1), (2, 2, 3)])
def test_loss_is_the_formula_in_plain_loops(
    b: int, t: int, k: int, space: str, allowance: str
) -> None:
    outputs, truth, targets = _clips(b, t, k)
    expected = [
        _in_loops(
            outputs[clip, frame].numpy(),
            truth[clip, frame].numpy(),
            targets["segments"][clip, frame].numpy(),
            space,
            allowance,
        )
        for clip in range(b)
        for frame in range(t)
    ]
    value = SegmentUniformity(space=space, allowance=allowance)(outputs, truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(np.mean(expected), rel=1e-4)
    assert float(value) > 1e-4


def test_variance_is_scipys() -> None:
    outputs, _, targets = _clips(1, 1, 1)
    labels = targets["segments"][0]
    variance = segment_variance(outputs[0, :, 0], labels, 7)
    for c in range(3):
        expected = ndimage.variance(outputs[0, 0, 0, c].numpy(), labels[0].numpy(), range(5))
        np.testing.assert_allclose(variance[0, :5, c].numpy(), expected, rtol=1e-4)
    assert not variance[0, 5:].any()


def test_true_frames_cost_nothing_unless_no_variance_is_allowed() -> None:
    _, truth, targets = _clips(2, 1, 1)
    outputs = truth.unsqueeze(2).expand(-1, -1, 3, -1, -1, -1)
    assert float(SegmentUniformity()(outputs, truth, targets)) == pytest.approx(0, abs=1e-7)
    assert float(SegmentUniformity(allowance="none")(outputs, truth, targets)) > 0.01


def test_flat_fills_cost_nothing_and_shading_is_free_in_chroma() -> None:
    _, truth, targets = _clips(1, 1, 1)
    colors = 0.3 + 0.4 * torch.rand(5, 3)
    flat = colors[targets["segments"].long()].permute(0, 1, 4, 2, 3).unsqueeze(2)
    shading = 0.2 * torch.rand(1, 1, 1, 1, 8, 9)
    for space, free in (("chroma", True), ("rgb", False)):
        loss = SegmentUniformity(space=space, allowance="none")
        assert float(loss(flat, truth, targets)) == pytest.approx(0, abs=1e-7)
        assert (float(loss(flat + shading, truth, targets)) < 1e-7) == free


@pytest.mark.parametrize("allowance", ["truth", "none"])
def test_gradient_is_right(allowance: str) -> None:
    outputs, truth, targets = _clips(1, 1, 2, size=(3, 4), count=3)
    outputs = outputs.double().requires_grad_()
    loss = SegmentUniformity(allowance=allowance)
    assert torch.autograd.gradcheck(lambda value: loss(value, truth.double(), targets), outputs)


def test_its_weight_changes_the_gradient_of_the_total_and_zero_removes_it() -> None:
    outputs, truth, targets = _clips(1, 1, 2)
    gradients = []
    for weight in (0.0, 1.0, 10.0):
        leaf = outputs.clone().requires_grad_()
        objective = Objective({"uniformity": SegmentUniformity(weight=weight)})
        objective(leaf, truth, targets).total.backward()
        gradients.append(leaf.grad)
    assert not gradients[0].any()
    assert gradients[1].any()
    torch.testing.assert_close(gradients[2], 10 * gradients[1])


def test_runs_under_bfloat16_and_reads_no_value() -> None:
    outputs, truth, targets = _clips(1, 2, 4)
    loss = SegmentUniformity(allowance="none")
    assert_runs_under_bfloat16(loss, outputs, truth, targets)
    targets = {name: target.to("meta") for name, target in targets.items()}
    assert loss(outputs.to("meta"), truth.to("meta"), targets).shape == ()


@every_step
@pytest.mark.parametrize("space", ["chroma", "rgb"])
@pytest.mark.parametrize("allowance", ["truth", "none"])
def test_a_step_never_waits_for_the_device(
    frames: int, count: int, space: str, allowance: str
) -> None:
    loss = SegmentUniformity(space=space, allowance=allowance)
    assert_never_waits_for_the_device(loss, *_clips(2, frames, count))


def test_it_names_its_targets() -> None:
    assert SegmentUniformity.needs == {"segments", "segment_areas"}


@pytest.mark.parametrize("option", ["space", "allowance"])
def test_wrong_options(option: str) -> None:
    loss = SegmentUniformity.__new__(SegmentUniformity)
    with pytest.raises(ValueError, match=rf"segment_uniformity\.{option} is 'lab': expected"):
        # Past the run-time type check of tests, as from untyped code.
        inspect.unwrap(SegmentUniformity.__init__)(loss, **{option: "lab"})
