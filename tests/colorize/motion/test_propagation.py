"""Propagated flow follows what straight flow loses, and goes on from part to part of a shot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.cartoon import CartoonSeries
from colorize.imaging.color import rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.motion.propagation import Propagation

_SIZE = (96, 128)
_STEP = 0.05  # of the size, by which each frame of the zoom is enlarged


def zoom(count: int, *, size: tuple[int, int] = _SIZE) -> Tensor:
    """A drawing that grows about its middle, frame by frame."""
    drawn = to_tensor(CartoonSeries(seed=4, size=size, shots=1, frames_per_shot=1).color(0)[:1])
    picture = rgb_to_luma(drawn)[0, 0].numpy()
    frames = [
        cv2.warpAffine(picture, _affine(1 + _STEP * index, size), size[::-1], flags=cv2.INTER_CUBIC)
        for index in range(count)
    ]
    return torch.from_numpy(np.stack(frames)).unsqueeze(1).clamp(0, 1)


def _affine(scale: float, size: tuple[int, int]) -> np.ndarray:
    middle = np.array([size[1] - 1, size[0] - 1]) / 2
    return np.array([[scale, 0, middle[0] * (1 - scale)], [0, scale, middle[1] * (1 - scale)]])


def to_first(index: int, size: tuple[int, int] = _SIZE) -> Tensor:
    """The true flow from a frame of the zoom to its first."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    shrunk = 1 / (1 + _STEP * index) - 1
    middle = (size[1] - 1) / 2, (size[0] - 1) / 2
    flow = np.stack([(columns - middle[0]) * shrunk, (rows - middle[1]) * shrunk])
    return torch.from_numpy(flow).float()


def error(flow: Tensor, index: int) -> float:
    """The mean distance in pixels to the true flow, inside a margin."""
    distance = (flow - to_first(index)).norm(dim=0)
    return float(distance[12:-12, 12:-12].mean())


@pytest.mark.parametrize("shown", [0, 16])
def test_propagated_flow_holds_where_straight_flow_loses_a_zoom(shown: int) -> None:
    frames = zoom(17)
    ordered = frames if shown == 0 else frames.flip(0)  # so also back from a later reference
    flow = Propagation(ordered)
    flow.follow("first", frames[:1])
    straight, propagated = flow.of(["first"], range(17))
    assert straight is not None
    last = 16 - shown
    near = abs(shown - 2)
    assert error(propagated[near, 0], 2) < 0.5
    assert error(straight[last, 0], 16) > 2
    assert error(propagated[last, 0], 16) < 0.5 * error(straight[last, 0], 16)


def test_a_part_goes_on_from_the_part_before_it() -> None:
    frames = zoom(17)
    first = Propagation(frames[:9])
    first.follow("a", frames[:1])
    second = Propagation(frames[9:], before=first.state)
    second.follow("a", frames[:1])
    alone = Propagation(frames[9:])
    alone.follow("a", frames[:1])
    together = error(second.of(["a"], [0]).propagated[0, 0], 9)
    assert together < 0.8
    assert together < 0.7 * error(alone.of(["a"], [0]).propagated[0, 0], 9)
    assert set(second.state) == {"gray", "flow.a"}
    other = Propagation(frames[9:], before=first.state)  # one that the part before did not follow
    other.follow("b", frames[:1])
    assert torch.equal(other.of(["b"], [0, 7]).propagated, alone.of(["a"], [0, 7]).propagated)


def test_references_and_frames_are_those_asked_for() -> None:
    frames = zoom(6)
    flow = Propagation(frames)
    flow.follow("early", frames[:1], frames=range(4))
    flow.follow("late", frames[5:], frames=range(2, 6))
    assert set(flow.state) == {"gray", "flow.late"}  # the other ends before
    straight, propagated = flow.of(["late", "early"], range(2, 4))
    assert straight is not None
    assert straight.shape == propagated.shape == (2, 2, 2, *_SIZE)
    both = flow.of(["early"], [3, 2])
    torch.testing.assert_close(both.propagated.flip(0)[:, 0], propagated[:, 1])
    assert error(propagated[0, 1], 2) < 0.5


def test_a_still_shot_stays_where_it_is() -> None:
    frame = zoom(1)
    flow = Propagation(frame.expand(5, -1, -1, -1))
    flow.follow("same", frame)
    straight, propagated = flow.of(["same"], range(5))
    assert straight is not None
    assert float(straight.abs().max()) < 0.05
    assert float(propagated.abs().max()) < 0.05


def test_nothing_followed_leaves_no_state() -> None:
    assert Propagation(zoom(2)).state == {}


def test_of_large_frames_propagated_flow_is_enlarged_and_no_straight_flow_is_kept() -> None:
    size = (192, 256)
    frames = zoom(3, size=size)
    flow = Propagation(frames)
    flow.follow("first", frames[:1])
    straight, propagated = flow.of(["first"], [2])
    assert straight is None
    distance = (propagated[0, 0] - to_first(2, size)).norm(dim=0)[24:-24, 24:-24]
    assert float(distance.mean()) < 0.7
    assert float(to_first(2, size).norm(dim=0).mean()) > 5


@pytest.mark.parametrize("size", [(1, 5), (33, 7)])
def test_flow_of_frames_of_any_size_is_propagated(size: tuple[int, int]) -> None:
    gray = torch.rand(3, 1, *size, generator=torch.Generator().manual_seed(0))
    flow = Propagation(gray)
    flow.follow("a", gray[:1])
    found = flow.of(["a"], range(3))
    assert found.propagated.shape == (3, 1, 2, *size)
    assert torch.isfinite(found.propagated).all()


def test_every_frame_of_every_reference_is_told() -> None:
    told: list[None] = []
    flow = Propagation(zoom(5), tick=lambda: told.append(None))
    flow.follow("a", zoom(1))
    flow.follow("b", zoom(1), frames=range(1, 4))
    assert len(told) == 5 + 3


@pytest.mark.parametrize("darker", [1.8, 0.6])
def test_a_reference_of_another_print_is_followed_as_well(darker: float) -> None:
    frames = zoom(5)
    errors = []
    for reference in (frames[:1], frames[:1] ** darker):
        flow = Propagation(frames)
        flow.follow("first", reference)
        errors.append(error(flow.of(["first"], [4]).propagated[0, 0], 4))
    assert errors[0] < 0.6
    assert errors[1] < errors[0] + 0.15
