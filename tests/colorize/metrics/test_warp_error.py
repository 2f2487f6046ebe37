from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from skimage.color import rgb2lab

from colorize.cartoon import CartoonSeries
from colorize.metrics import ClipMetric
from colorize.metrics.warp_error import (
    FlowSettings,
    Motion,
    WarpError,
    estimate_motion,
    warp_error,
)
from colorize.motion.estimators import Dis
from colorize.pretrained.weights import PretrainedWeightsError
from tests.places import SHARED

_WEIGHTS = SHARED / "weights/raft_small.safetensors"


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def _moving(frames: int, size: tuple[int, int] = (48, 64)) -> torch.Tensor:
    """Return a clip of blotches that move right by 2 and down by 1 pixel each frame."""
    coarse = np.random.default_rng(0).random((8, 10, 3), dtype=np.float32)
    scene = cv2.resize(coarse, (size[1] + 40, size[0] + 40), interpolation=cv2.INTER_CUBIC)
    starts = [(20 - t, 20 - 2 * t) for t in range(frames)]
    clip = np.stack([scene[y : y + size[0], x : x + size[1]] for y, x in starts])
    return torch.from_numpy(clip).permute(0, 3, 1, 2).clamp(0, 1).contiguous()


def _true_motion(truth: torch.Tensor) -> Motion:
    """Return the motion of :func:`_moving`: what leaves at the right and below is not seen."""
    flow = torch.zeros(len(truth) - 1, 2, *truth.shape[-2:])
    flow[:, 0], flow[:, 1] = 2, 1
    visible = torch.ones_like(flow[:, :1], dtype=torch.bool)
    visible[..., -2:] = visible[..., -1:, :] = False
    return Motion(flow, visible)


def _still(frames: int, size: tuple[int, int]) -> Motion:
    flow = torch.zeros(frames - 1, 2, *size)
    return Motion(flow, torch.ones_like(flow[:, :1], dtype=torch.bool))


def _error(metric: WarpError, prediction: torch.Tensor, motion: Motion) -> float:
    return float(metric.observe(prediction, motion).nanmean())


def test_it_equals_a_loop_over_pixels() -> None:
    frames = _random(4, 3, 9, 11).double()
    flow = (6 * _random(3, 2, 9, 11, seed=1) - 3).double()
    visible = _random(3, 1, 9, 11, seed=2) > 0.4
    expected = []
    for t in range(3):
        total, count = 0.0, 0
        for y, x in np.argwhere(visible[t, 0].numpy()):
            dx, dy = flow[t, :, y, x].tolist()
            for channel in range(3):
                plane = frames[t + 1, channel].numpy()
                (fetched,) = map_coordinates(plane, [[y + dy], [x + dx]], order=1, mode="nearest")
                total += (fetched - frames[t, channel, y, x].item()) ** 2
            count += 1
        expected.append(total / count)
    values = warp_error(frames[:-1], frames[1:], Motion(flow, visible))
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-9)


def test_a_translation_has_no_error_and_an_offset_of_one_frame_a_known_one() -> None:
    clip = _moving(4)
    motion = _true_motion(clip)
    metric = WarpError()
    values = metric.observe(clip, motion)
    assert torch.isnan(values[0])
    torch.testing.assert_close(values[1:], torch.zeros(3).double(), atol=1e-6, rtol=0)
    brighter = clip.double()
    brighter[1] += 0.1
    # 1000 x three channels x 0.1², in the pair that ends at frame 1 and in the one after it.
    assert metric.observe(brighter, motion)[1:].tolist() == pytest.approx([30, 30, 0], abs=1e-5)


def test_ab_is_measured_in_lab_over_255() -> None:
    colors = np.array([[0.8, 0.2, 0.3], [0.1, 0.6, 0.9]])
    clip = torch.from_numpy(colors)[:, :, None, None].expand(-1, -1, 5, 6).contiguous()
    lab = rgb2lab(colors[None])[0]
    expected = 1000 * (((lab[1] - lab[0]) / 255)[1:] ** 2).sum()
    assert expected > 100
    assert _error(WarpError(space="ab"), clip, _still(2, (5, 6))) == pytest.approx(
        expected, rel=1e-4
    )
    gray = clip.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    assert _error(WarpError(space="ab"), gray, _still(2, (5, 6))) == pytest.approx(0, abs=1e-5)
    assert _error(WarpError(), gray, _still(2, (5, 6))) > 1


def test_motion_points_to_the_next_frame_and_hides_what_leaves() -> None:
    clip = _moving(3, size=(96, 128))
    motion = estimate_motion(clip, Dis())
    middle = (..., slice(12, -12), slice(12, -12))
    median = motion.flow[middle].flatten(2).median(dim=2).values
    torch.testing.assert_close(median, torch.tensor([[2.0, 1.0]]).expand(2, 2), atol=0.3, rtol=0)
    assert float(motion.visible[middle].float().mean()) > 0.7
    assert not motion.visible[..., -1].any()


def test_estimated_motion_sees_what_follows_the_drawing_and_what_flickers() -> None:
    truth = _moving(6, size=(96, 128))
    metric = WarpError()
    motion = metric.prepare(truth)
    own = _error(metric, truth, motion)
    flicker = (truth + 0.05 * torch.tensor([1.0, -1] * 3)[:, None, None, None]).clamp(0, 1)
    shuffled = truth[[3, 0, 5, 1, 4, 2]]
    assert own < 1
    assert _error(metric, flicker, motion) > own + 10
    assert _error(metric, shuffled, motion) > own + 10


def test_a_static_film_has_no_error() -> None:
    still = _random(1, 3, 40, 50).expand(4, -1, -1, -1)
    metric = WarpError()
    values = metric.observe(still, metric.prepare(still))
    torch.testing.assert_close(values[1:], torch.zeros(3).double(), atol=1e-6, rtol=0)


def test_a_pair_without_a_visible_pixel_and_a_single_frame_have_no_value() -> None:
    clip = _moving(3)
    motion = _true_motion(clip)
    motion.visible[0] = False
    values = WarpError().observe(clip, motion)
    assert torch.isnan(values).tolist() == [True, True, False]
    metric = WarpError()
    alone = metric.conclude(metric.observe(clip[:1], metric.prepare(clip[:1])))
    assert (len(alone), torch.isnan(alone).item()) == (1, True)


def test_dis_comes_near_the_true_flow_of_a_cartoon() -> None:
    series = CartoonSeries(seed=0, size=(108, 192), shots=1, frames_per_shot=6, effects=False)
    shot = series.shot(0)
    # True flow looks back: seen backwards in time, it leads to the next frame.
    film = torch.from_numpy(shot.color).permute(0, 3, 1, 2).float().div(255).flip(0)
    flow = torch.from_numpy(shot.flow[1:]).permute(0, 3, 1, 2).flip(0).contiguous()
    visible = torch.from_numpy(shot.visible[1:])[:, None].flip(0)
    metric = WarpError()
    estimated = metric.prepare(film)
    unmoved = Motion(torch.zeros_like(flow), estimated.visible)
    assert _error(metric, film, Motion(flow, visible)) < 0.1
    both = Motion(estimated.flow, estimated.visible & visible)
    assert _error(metric, film, both) < 1
    assert _error(metric, film, estimated) < 0.3 * _error(metric, film, unmoved)


def test_it_is_a_clip_metric_that_names_its_space_and_flow() -> None:
    rgb, ab = WarpError(), WarpError(space="ab")
    assert isinstance(rgb, ClipMetric)
    assert (rgb.name, ab.name) == (
        "Warp error RGB ×1000 (→ truth)",
        "Warp error ab ×1000 (→ truth)",
    )
    assert "flow (dis)" in rgb.note
    assert rgb.basis == ab.basis
    assert (rgb.better, rgb.per) == ("closer", "pair")


def test_a_wrong_space_and_missing_weights_are_refused() -> None:
    with pytest.raises(ValueError, match=r"space is 'lab': expected rgb or ab"):
        # Run-time type checks of the tests would stop it before the message for users.
        WarpError.__init__.__wrapped__(WarpError.__new__(WarpError), space="lab")
    absent = FlowSettings(method="raft_small", weights="absent.safetensors")
    with pytest.raises(
        PretrainedWeightsError, match=r"flow\.weights=absent.safetensors: no such file"
    ):
        WarpError(flow=absent)


@pytest.mark.shared
@pytest.mark.skipif(not _WEIGHTS.is_file(), reason=f"needs {_WEIGHTS}")
def test_raft_follows_a_film_too() -> None:
    truth = _moving(3, size=(96, 128))
    settings = FlowSettings(method="raft_small", weights=str(_WEIGHTS), input="color")
    metric = WarpError(flow=settings)
    motion = metric.prepare(truth)
    assert "flow (raft_small)" in metric.note
    assert _error(metric, truth, motion) < 2
    unmoved = Motion(torch.zeros_like(motion.flow), motion.visible)
    assert _error(metric, truth, motion) < 0.3 * _error(metric, truth, unmoved)
