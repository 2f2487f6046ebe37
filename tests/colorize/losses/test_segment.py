from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from colorize.losses.segment import Segment, segment
from tests.colorize.losses.family import (
    assert_never_waits_for_the_device,
    assert_runs_under_bfloat16,
    every_step,
    gradients_by_weight,
)


def _clips(
    b: int, t: int, k: int, *, count: int = 6, q: int = 3, size: tuple[int, int] = (8, 9)
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """Return clips with ``count`` labels, the last two without a pixel; -1 among the neighbours."""
    generator = torch.Generator().manual_seed(b + 10 * t + 100 * k + count)
    used = max(count - 2, 1)
    neighbors = torch.randint(-1, used, (b, t, count, q), generator=generator, dtype=torch.int32)
    neighbors[:, :, used:] = -1
    return (
        torch.rand(b, t, k, 3, *size, generator=generator),
        torch.rand(b, t, 3, *size, generator=generator),
        {
            "segments": torch.randint(
                0, used, (b, t, *size), generator=generator, dtype=torch.int32
            ),
            "segment_neighbors": neighbors,
        },
    )


def _frame_in_loops(
    outputs: np.ndarray, truth: np.ndarray, labels: np.ndarray, neighbors: np.ndarray, how: str
) -> tuple[list[float], list[float]]:
    """Return the first and the second sum of one frame, for every output."""
    first, second = [], []
    areas = [(labels == s).sum() for s in range(len(neighbors))]
    for output in outputs:
        pairs, pair_weights, distances, weights = [], [], [], []
        for s, area in enumerate(areas):
            if area == 0:
                continue
            mean = output[:, labels == s].mean(axis=1)
            weight = area if how == "area" else 1
            distances.append(np.abs(mean - truth[:, labels == s].mean(axis=1)).sum())
            weights.append(weight)
            for near in neighbors[s]:
                if near >= 0:
                    pairs.append(np.abs(mean - output[:, labels == near].mean(axis=1)).sum())
                    pair_weights.append(weight)
        if how == "none":
            first.append(sum(pairs))
            second.append(sum(distances))
        else:  # means over the terms and the three channels
            first.append(np.average(pairs, weights=pair_weights) / 3)
            second.append(np.average(distances, weights=weights) / 3)
    return first, second


@pytest.mark.parametrize("normalize", ["segments", "area", "none"])
@pytest.mark.parametrize("truth_term", ["winner", "all"])
@pytest.mark.parametrize(("b", "t", "k"), [(1, 1, 1), (2, 2, 4)])
def test_loss_is_the_papers_formula_in_plain_loops(
    b: int, t: int, k: int, truth_term: str, normalize: str
) -> None:
    outputs, truth, targets = _clips(b, t, k)
    frames = []
    for clip in range(b):
        for frame in range(t):
            first, second = _frame_in_loops(
                outputs[clip, frame].numpy(),
                truth[clip, frame].numpy(),
                targets["segments"][clip, frame].numpy(),
                targets["segment_neighbors"][clip, frame].numpy(),
                normalize,
            )
            chosen = min(second) if truth_term == "winner" else np.mean(second)
            frames.append(np.mean(first) + chosen)
    value = Segment(truth_term=truth_term, normalize=normalize)(outputs, truth, targets)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(np.mean(frames), rel=1e-4)


def test_a_value_by_hand() -> None:
    labels = torch.tensor([[0, 0, 1]]).view(1, 1, 1, 3)
    neighbors = torch.tensor([[1], [0]]).view(1, 1, 2, 1)
    truth = torch.full((1, 1, 3, 1, 3), 0.5)
    outputs = torch.tensor([0.0, 0.2, 0.4]).view(1, 1, 1, 1, 1, 3).expand(-1, -1, -1, 3, -1, -1)
    # Means 0.1 and 0.4: the pairs differ by 0.3; from the truth by 0.4 and 0.1.
    assert float(segment(outputs, truth, labels, neighbors)) == pytest.approx(0.3 + 0.25)
    bare = segment(outputs, truth, labels, neighbors, normalize="none")
    assert float(bare) == pytest.approx(3 * (0.3 + 0.3 + 0.4 + 0.1))
    by_area = segment(outputs, truth, labels, neighbors, normalize="area")
    assert float(by_area) == pytest.approx(0.3 + (2 * 0.4 + 0.1) / 3)


def test_true_colours_of_flat_segments_leave_the_first_sum_alone() -> None:
    _, _, targets = _clips(1, 1, 2)
    colors = torch.rand(6, 3, generator=torch.Generator().manual_seed(1))
    truth = colors[targets["segments"][0, 0].long()].permute(2, 0, 1)[None, None].contiguous()
    outputs = truth.unsqueeze(2).expand(-1, -1, 2, -1, -1, -1)
    pairs = [
        float((colors[s] - colors[near]).abs().mean())
        for s, row in enumerate(targets["segment_neighbors"][0, 0].tolist())
        for near in row
        if near >= 0
    ]
    assert float(Segment()(outputs, truth, targets)) == pytest.approx(np.mean(pairs), rel=1e-4)
    targets["segment_neighbors"].fill_(-1)
    assert float(Segment()(outputs, truth, targets)) == pytest.approx(0, abs=1e-6)


def test_only_the_winner_is_drawn_to_the_truth() -> None:
    outputs, truth, targets = _clips(2, 1, 3)
    targets["segment_neighbors"].fill_(-1)
    outputs[0, 0, 1] = truth[0, 0] + 0.01  # k = 1 wins in the first clip, k = 2 in the second
    outputs[1, 0, 2] = truth[1, 0] + 0.01
    outputs.requires_grad_()
    Segment(truth_term="winner")(outputs, truth, targets).backward()
    drawn = outputs.grad.abs().sum(dim=(1, 3, 4, 5)) > 0
    assert drawn.tolist() == [[False, True, False], [False, False, True]]
    outputs.grad = None
    Segment(truth_term="all")(outputs, truth, targets).backward()
    assert (outputs.grad.abs().sum(dim=(1, 3, 4, 5)) > 0).all()


def test_the_scale_depends_neither_on_size_nor_on_padding() -> None:
    outputs, truth, targets = _clips(1, 1, 2)
    value = float(Segment()(outputs, truth, targets))
    doubled = [part.repeat_interleave(2, -1).repeat_interleave(2, -2) for part in (outputs, truth)]
    labels = targets["segments"].repeat_interleave(2, -1).repeat_interleave(2, -2)
    more = torch.full((1, 1, 40, 3), -1, dtype=torch.int32)
    padded = torch.cat([targets["segment_neighbors"], more], dim=2)
    enlarged = {"segments": labels, "segment_neighbors": padded}
    assert float(Segment()(*doubled, enlarged)) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("count", [1, 3, 70])
def test_any_number_of_segments(count: int) -> None:
    outputs, truth, targets = _clips(2, 1, 4, count=count)
    outputs.requires_grad_()
    value = Segment()(outputs, truth, targets)
    value.backward()
    value = value.detach()
    assert float(value) > 0
    assert torch.isfinite(outputs.grad).all()


@pytest.mark.parametrize("truth_term", ["winner", "all"])
@pytest.mark.parametrize("normalize", ["segments", "area", "none"])
def test_gradient_is_right(truth_term: str, normalize: str) -> None:
    outputs, truth, targets = _clips(1, 2, 2, size=(3, 4))
    outputs = outputs.double().requires_grad_()
    loss = Segment(truth_term=truth_term, normalize=normalize)
    assert torch.autograd.gradcheck(lambda value: loss(value, truth.double(), targets), outputs)


def test_its_weight_changes_the_gradient_of_the_total_and_zero_removes_it() -> None:
    outputs, truth, targets = _clips(1, 1, 4)
    gradients = gradients_by_weight(Segment, (0.0, 1.0, 2.0), outputs, truth, targets)
    assert not gradients[0].any()
    assert (gradients[1].abs().sum(dim=(0, 1, 3, 4, 5)) > 0).all()
    torch.testing.assert_close(gradients[2], 2 * gradients[1])


def test_runs_under_bfloat16() -> None:
    outputs, truth, targets = _clips(1, 2, 4)
    assert_runs_under_bfloat16(Segment(), outputs, truth, targets)


def test_no_value_is_read_on_the_way() -> None:
    outputs, truth, targets = _clips(2, 2, 4)
    targets = {name: target.to("meta") for name, target in targets.items()}
    for normalize in ("segments", "area", "none"):
        # Tensors without values raise if one is read.
        value = Segment(normalize=normalize)(outputs.to("meta"), truth.to("meta"), targets)
        assert value.shape == ()


@every_step
@pytest.mark.parametrize("truth_term", ["winner", "all"])
@pytest.mark.parametrize("normalize", ["segments", "area", "none"])
def test_a_step_never_waits_for_the_device(
    frames: int, count: int, truth_term: str, normalize: str
) -> None:
    loss = Segment(truth_term=truth_term, normalize=normalize)
    assert_never_waits_for_the_device(loss, *_clips(2, frames, count))


def test_it_names_its_targets() -> None:
    assert Segment.needs == {"segments", "segment_neighbors"}


@pytest.mark.parametrize("option", ["truth_term", "normalize"])
def test_wrong_options(option: str) -> None:
    with pytest.raises(ValueError, match=rf"loss\.segment\.{option} is 'best': expected"):
        # Past the run-time type check of tests, as from untyped code.
        inspect.unwrap(Segment.__init__)(Segment.__new__(Segment), **{option: "best"})
