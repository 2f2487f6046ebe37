from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.motion.estimators import Dis
from colorize.motion.smoothing import Held, hold_pixels, hold_still

RED, GREEN = (-0.1, 0.25), (-0.15, -0.2)  # (Cb, Cr)


class Shift:
    """Flow of a picture that moves right by ``step`` pixels a frame, whichever way it is asked."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        flow = torch.zeros(len(current), 2, *current.shape[-2:])
        here = current[..., : current.shape[-1] - self.step]
        forward = torch.equal(here, previous[..., self.step :])
        flow[:, 0] = self.step if forward else -self.step
        return flow


class Lean:
    """Flow to the right into the past and to the left into the future, of frames that lighten."""

    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        flow = torch.zeros(len(current), 2, *current.shape[-2:])
        flow[:, 0] = 1 if current.mean() > previous.mean() else -1
        return flow


def texture(*, frames: int, step: int, size: tuple[int, int] = (32, 64), seed: int = 0) -> Tensor:
    """Gray frames of a random texture that moves right; a strip of it at a time."""
    height, width = size
    generator = torch.Generator().manual_seed(seed)
    wide = torch.rand(1, height, width + frames * step, generator=generator)
    return torch.stack([wide[..., t * step :][..., :width] for t in reversed(range(frames))])


def noise(frames: int, size: tuple[int, int], scale: float, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(frames, 2, *size, generator=generator)


def plain(colors: Tensor, size: tuple[int, int]) -> Tensor:
    """Chroma that is the same all over each frame: ``t 2`` to ``t 2 h w``."""
    return colors[:, :, None, None].expand(-1, -1, *size).contiguous()


def figure(*, ground: float, fill: float, outline: bool, frames: int, step: int) -> list[Tensor]:
    """A red square that slides over a green ground: its gray, its true chroma, and where it is."""
    gray = torch.full((frames, 1, 72, 128), ground)
    chroma = plain(torch.tensor([GREEN]).repeat(frames, 1), (72, 128))
    where = torch.zeros(frames, 1, 72, 128, dtype=torch.bool)
    for t in range(frames):
        left = 8 + step * t
        if outline:
            gray[t, :, 22:50, left - 2 : left + 26] = 0.05
        gray[t, :, 24:48, left : left + 24] = fill
        chroma[t, :, 24:48, left : left + 24] = torch.tensor(RED)[:, None, None]
        where[t, :, 24:48, left : left + 24] = True
    return [gray, chroma, where]


def test_strength_zero_leaves_every_bit() -> None:
    gray, chroma = texture(frames=4, step=2), noise(4, (32, 64), 0.1)
    gray[3] = gray[2]
    flow = Dis()
    shown, held = hold_still(gray[:2], chroma[:2], flow=flow, strength=0.0)
    rest, _ = hold_still(gray[2:], chroma[2:], flow=flow, strength=0.0, before=held)
    assert torch.equal(torch.cat([shown, rest]), chroma)


def test_moving_places_average_their_frames_by_distance_in_time() -> None:
    strength, frames = 0.6, 7
    gray = texture(frames=frames, step=2)
    # So little apart that colours say nothing against each other, and alike all over a frame.
    values = 0.1 + 1e-3 * np.random.default_rng(0).standard_normal((frames, 2))
    chroma = plain(torch.tensor(values, dtype=torch.float32), (32, 64))
    shown, _ = hold_still(gray, chroma, flow=Shift(2), strength=strength)
    weights = strength ** np.abs(np.subtract.outer(np.arange(frames), np.arange(frames)))
    expected = weights @ values / weights.sum(1, keepdims=True)
    seen = shown[:, :, 8:-8, 16:-16]  # in the middle, seen in all frames
    error = seen - torch.tensor(expected, dtype=torch.float32)[:, :, None, None]
    assert error.abs().max() < 2e-5 < 0.1 * np.abs(values - expected).max()


def test_a_wrong_frame_all_but_vanishes() -> None:
    gray = texture(frames=15, step=1)
    chroma = plain(torch.tensor([RED]).repeat(15, 1), (32, 64))
    chroma[7] = torch.tensor(GREEN)[:, None, None]
    shown, _ = hold_still(gray, chroma, flow=Shift(1), strength=0.9)
    before, after = (each[:, :, 8:-8, 20:-20] for each in (chroma, shown))
    assert (after[7] - after[6]).norm(dim=0).max() < 0.2 * (before[7] - before[6]).norm(dim=0).min()


def test_what_differs_along_the_flow_is_not_mixed() -> None:
    gray = torch.cat([texture(frames=4, step=0), texture(frames=4, step=0, seed=9)])
    chroma = plain(torch.tensor([RED] * 4 + [GREEN] * 4), (32, 64)) + noise(8, (32, 64), 1e-3)
    shown, _ = hold_still(gray, chroma, flow=Shift(0), strength=1.0)
    expected = chroma.unflatten(0, (2, 4)).mean(1)
    # Some pixels of two random textures are alike.
    error = (shown.unflatten(0, (2, 4)) - expected[:, None]).abs().flatten()
    assert error.quantile(0.8) < 0.02
    assert (chroma.mean(0) - expected).abs().max() > 0.2  # as it would be, were they mixed


def test_a_wrong_flow_carries_no_colour_over_an_edge() -> None:
    # Two fills of one gray that grows lighter: nothing but their colours tells them apart.
    gray = torch.linspace(0.3, 0.6, 16)[:, None, None, None].repeat(1, 1, 32, 64)
    chroma = plain(torch.tensor([GREEN]).repeat(16, 1), (32, 64))
    chroma[..., 32:] = torch.tensor(RED)[:, None, None]
    shown, _ = hold_still(gray, chroma, flow=Lean(), strength=0.9)
    assert (shown - chroma).abs().max() < 1e-3  # 0.15 if colours had no say


def test_a_still_picture_is_the_mean_of_its_frames_to_the_bit() -> None:
    gray = texture(frames=1, step=0).repeat(9, 1, 1, 1)
    chroma = 0.1 + noise(9, (32, 64), 0.05)
    shown, _ = hold_still(gray, chroma, flow=Dis(), strength=0.5)
    assert all(torch.equal(frame, shown[0]) for frame in shown)
    torch.testing.assert_close(shown[0], chroma.mean(0))


def test_the_ground_holds_still_while_a_figure_passes() -> None:
    gray, chroma, _ = figure(ground=0.5, fill=0.7, outline=True, frames=12, step=2)
    noisy = chroma + noise(12, (72, 128), 0.02)
    shown, _ = hold_still(gray, noisy, flow=Dis())
    below, ahead = shown[..., 56:, :], shown[..., 68:]
    for still in (below, ahead):
        assert all(torch.equal(frame, still[0]) for frame in still)
    errors = [(each - chroma).square().mean() for each in (shown, noisy)]
    assert errors[0] < 0.3 * errors[1]


@pytest.mark.parametrize(
    ("fill", "outline"), [(0.7, False), (0.5, True), (0.8, True)], ids=["gray", "outline", "both"]
)
@pytest.mark.parametrize("step", [1, 3])
def test_nothing_freezes_where_a_figure_passes(fill: float, outline: bool, step: int) -> None:
    gray, chroma, where = figure(ground=0.5, fill=fill, outline=outline, frames=24, step=step)
    noisy = chroma + noise(24, (72, 128), 0.02)
    shown, _ = hold_still(gray, noisy, flow=Dis())
    error = (shown - chroma).norm(dim=1, keepdim=True)
    # Off the edge, where flow mixes the two, by three pixels.
    edge = torch.nn.functional.max_pool2d(where.float(), 7, 1, 3).bool()
    core = -torch.nn.functional.max_pool2d(-where.float(), 7, 1, 3) > 0
    assert error[core].quantile(0.999) < 0.1  # red and green are 0.45 apart
    assert error[~edge].max() < 0.1
    assert error[core].mean() < 0.5 * (noisy - chroma).norm(dim=1, keepdim=True)[core].mean()


def test_a_slow_fade_is_followed() -> None:
    level = torch.linspace(1, 0.4, 100)[:, None, None, None]  # gray falls by less than 1/255
    gray = level * (0.3 + 0.3 * texture(frames=1, step=0))
    chroma = level * torch.tensor(RED)[:, None, None].expand(2, 32, 64)
    shown, _ = hold_still(gray, chroma, flow=Dis())
    middle = slice(20, 80)
    assert (shown[middle] - chroma[middle]).abs().max() < 0.02
    assert (chroma[20] - chroma[80]).abs().max() > 0.08
    whole = hold_still(gray[:8], chroma[:8], flow=Dis())[1]
    first = hold_still(gray[:4], chroma[:4], flow=Dis())[1]
    last = hold_still(gray[4:8], chroma[4:8], flow=Dis(), before=first)[1]
    assert torch.equal(last.anchor, whole.anchor)
    assert (whole.anchor != whole.gray).any()


def test_the_past_reaches_over_parts_to_the_bit() -> None:
    gray, chroma, _ = figure(ground=0.5, fill=0.7, outline=True, frames=12, step=2)
    chroma = chroma + noise(12, (72, 128), 0.02)
    _, whole = hold_still(gray, chroma, flow=Dis())
    _, first = hold_still(gray[:5], chroma[:5], flow=Dis())
    _, alone = hold_still(gray[5:6], chroma[5:6], flow=Dis(), before=first)
    _, last = hold_still(gray[6:], chroma[6:], flow=Dis(), before=alone)
    for name in ("gray", "anchor", "chroma", "sums"):
        assert torch.equal(getattr(whole, name), getattr(last, name)), name
    assert not torch.equal(hold_still(gray[6:], chroma[6:], flow=Dis())[1].sums, whole.sums)


def test_parts_are_one_where_the_future_ends_with_them() -> None:
    gray = torch.cat([torch.rand(5, 1, 32, 64), texture(frames=1, step=0).repeat(5, 1, 1, 1)])
    gray[:5] = 0.05 * gray[:5]  # as a flash: nothing is seen on both sides
    gray[5:] = 0.5 + 0.5 * gray[5:]
    chroma = 0.1 + noise(10, (32, 64), 0.05)
    whole, _ = hold_still(gray, chroma, flow=Dis())
    first, held = hold_still(gray[:5], chroma[:5], flow=Dis())
    rest, _ = hold_still(gray[5:], chroma[5:], flow=Dis(), before=held)
    torch.testing.assert_close(torch.cat([first, rest]), whole)


@pytest.mark.parametrize("step", [0, 1])
def test_no_jump_where_parts_meet(step: int) -> None:
    gray = texture(frames=40, step=step, size=(32, 96))
    drift = torch.linspace(0, 0.3, 40)  # what the network says changes over the shot
    chroma = plain(torch.stack([drift, -drift], 1), (32, 96))
    flow = Shift(step)
    whole, _ = hold_still(gray, chroma, flow=flow)
    first, held = hold_still(gray[:20], chroma[:20], flow=flow)
    rest, _ = hold_still(gray[20:], chroma[20:], flow=flow, before=held)
    steps, smooth = (
        each.diff(dim=0)[..., 4:-4, 44:-44].abs().amax((1, 2, 3))
        for each in (torch.cat([first, rest]), whole)
    )
    anew, _ = hold_still(gray[20:], chroma[20:], flow=flow)
    assert (anew[0] - first[-1])[:, 4:-4, 44:-44].abs().min() > 0.04  # as it would be without
    assert steps[19] <= smooth.max() + 0.005
    assert steps.max() <= smooth.max() + 0.01
    if step == 0:
        assert (torch.cat([first, rest]) == first[0]).all()


def test_the_same_twice_and_only_tensors_are_held() -> None:
    gray, chroma, _ = figure(ground=0.5, fill=0.7, outline=True, frames=5, step=2)
    chroma = chroma + noise(5, (72, 128), 0.02)
    shown, held = hold_still(gray, chroma, flow=Dis())
    again, _ = hold_still(gray, chroma, flow=Dis())
    assert torch.equal(shown, again)
    assert all(isinstance(each, Tensor) for each in held)
    assert torch.equal(held.shown[0], shown[-1])
    assert isinstance(held, Held)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_shot_of_one_frame_and_a_part_of_one_frame(strength: float) -> None:
    gray, chroma = texture(frames=5, step=2), noise(5, (32, 64), 0.1)
    alone, held = hold_still(gray[:1], chroma[:1], flow=Shift(2), strength=strength)
    torch.testing.assert_close(alone, chroma[:1], rtol=0, atol=1e-7)
    _, held = hold_still(gray[:4], chroma[:4], flow=Shift(2), strength=strength)
    last, _ = hold_still(gray[4:], chroma[4:], flow=Shift(2), strength=strength, before=held)
    assert last.shape == (1, 2, 32, 64)
    assert torch.equal(last, chroma[4:]) is (strength == 0)


def test_what_does_not_fit_is_refused() -> None:
    gray, chroma = texture(frames=2, step=0), noise(2, (32, 64), 0.1)
    with pytest.raises(ValueError, match=r"strength is 1\.5: expected 0 .* to 1"):
        hold_still(gray, chroma, flow=Dis(), strength=1.5)
    _, held = hold_still(gray, chroma, flow=Dis())
    with pytest.raises(
        ValueError, match=r"frames are 60x32, but .* is 64x32: colour a shot at one"
    ):
        hold_still(gray[..., :60], chroma[..., :60], flow=Dis(), before=held)


def frames_of(luma: np.ndarray, seed: int) -> np.ndarray:
    """Some colours of a luma: every frame's own, so that what is taken over is seen."""
    colors = np.random.default_rng(seed).integers(0, 200, (*luma.shape, 3))
    return colors.astype(luma.dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(96, 128), (95, 130), (3, 2)])
def test_pixels_stay_where_nothing_changes(dtype: type, size: tuple[int, int]) -> None:
    luma = np.random.default_rng(0).integers(0, 200, size).astype(dtype)
    old, new = frames_of(luma, 1), frames_of(luma, 2)
    kept = hold_pixels(new, luma, previous_rgb=old, previous_luma=luma, reach=9)
    np.testing.assert_array_equal(kept, old)
    assert kept.dtype == dtype
    fresh = hold_pixels(new, luma + 1, previous_rgb=old, previous_luma=luma, reach=0)
    np.testing.assert_array_equal(fresh, new)


@pytest.mark.parametrize("place", [(0, 0), (40, 67), (95, 130), (93, 128)])
def test_one_changed_pixel_renews_all_within_reach(place: tuple[int, int]) -> None:
    luma = np.full((96, 131), 90, np.uint8)
    changed = luma.copy()
    changed[place] += 1
    old, new = frames_of(luma, 1), frames_of(luma, 2)
    kept = hold_pixels(new, changed, previous_rgb=old, previous_luma=luma, reach=11)
    rows, columns = np.indices(luma.shape)
    distance = np.maximum(abs(rows - place[0]), abs(columns - place[1]))
    within, beyond = distance <= 11, distance > 11 + 7  # found in blocks of 4
    np.testing.assert_array_equal(kept[within], new[within])
    np.testing.assert_array_equal(kept[beyond], old[beyond])


@pytest.mark.parametrize(("fill", "outline"), [(180, False), (128, True)])
@pytest.mark.parametrize("step", [1, 9, 20])
def test_pixels_are_renewed_where_a_figure_passes(fill: int, outline: bool, step: int) -> None:
    rng = np.random.default_rng(0)
    lumas, trues, shown = [], [], []
    for t in range(12):
        luma = np.full((160, 320), 128, np.uint8)
        color = np.zeros((160, 320, 3), np.uint8)
        color[...] = 40, 160, 40
        left = 10 + step * t
        if outline:
            luma[46:114, left - 4 : left + 64] = 10
        luma[50:110, left : left + 60], color[50:110, left : left + 60] = fill, (200, 60, 60)
        noisy = (color + rng.integers(-9, 10, color.shape)).astype(np.uint8)
        if lumas:
            noisy = hold_pixels(
                noisy, luma, previous_rgb=shown[-1], previous_luma=lumas[-1], reach=14
            )
        lumas.append(luma), trues.append(color), shown.append(noisy)
    errors = np.abs(np.stack(shown).astype(int) - np.stack(trues))
    assert errors.max() <= 9  # the noise alone
    assert all((frame[140:] == shown[0][140:]).all() for frame in shown)
