from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.cartoon import CartoonSeries, CartoonShot
from colorize.data.augment import Augment, Geometry
from colorize.data.targets.truth import shown, shown_flow
from colorize.motion.warp import warp

SIZE = (60, 96)


def known(shot: CartoonShot) -> dict[str, np.ndarray]:
    return {"flow": shot.flow, "visible": shot.visible, "segments": shot.segments}


@pytest.fixture(scope="module")
def shots() -> list[CartoonShot]:
    series = CartoonSeries(seed=2, size=(108, 192), shots=6, frames_per_shot=4, effects=False)
    return [series.shot(index) for index in range(6)]


def geometries(count: int = 4) -> list[Geometry]:
    drawn = [Augment().draw((108, 192), size=SIZE, seed=seed).geometry for seed in range(count)]
    assert {geometry.flip for geometry in drawn} == {False, True}
    return drawn


def test_frames_agree_along_their_flow_after_crop_flip_and_resize(shots: list[CartoonShot]) -> None:
    errors, still, seen = [], [], []
    for shot in shots:
        for geometry in geometries():
            targets = shown(known(shot), frames=slice(1, 4), geometry=geometry)
            color = torch.from_numpy(geometry.pictures(shot.color[1:4])).permute(0, 3, 1, 2)
            visible = targets["visible"][1:].expand(-1, 3, -1, -1)
            off = (warp(color[:-1], targets["flow"][1:]) - color[1:]).abs()
            errors.append(off[visible])
            still.append((color[:-1] - color[1:]).abs()[visible])
            seen.append(visible.float().mean())
    error, rest = torch.cat(errors), torch.cat(still)
    assert float(error.mean()) < 0.004
    assert float((error < 0.05).float().mean()) > 0.99
    assert float(error.mean()) < 0.25 * float(rest.mean())
    assert float(torch.stack(seen).mean()) > 0.6


def test_the_wrong_sign_of_a_mirrored_flow_would_show(shots: list[CartoonShot]) -> None:
    moving = max(shots, key=lambda shot: np.abs(shot.flow[2][shot.visible[2]]).mean())
    geometry = Geometry(box=(0, 0, 108, 192), size=(108, 192), flip=True)
    targets = shown(known(moving), frames=slice(1, 3), geometry=geometry)
    color = torch.from_numpy(geometry.pictures(moving.color[1:3])).permute(0, 3, 1, 2)
    visible = targets["visible"][1:].expand(-1, 3, -1, -1)

    def off(sign: float) -> float:
        flow = targets["flow"][1:] * torch.tensor([sign, 1.0]).view(1, 2, 1, 1)
        return float((warp(color[:1], flow) - color[1:]).abs()[visible].mean())

    assert off(1) < 0.2 * off(-1)


def test_flow_is_counted_in_pixels_of_the_shown_size() -> None:
    flow = np.zeros((2, 40, 60, 2), np.float32)
    flow[:] = (6.0, -4.0)
    geometry = Geometry(box=(4, 6, 20, 40), size=(10, 10), flip=True)
    scaled = shown_flow(flow, geometry)
    assert scaled.shape == (2, 2, 10, 10)
    assert not scaled[0].any()
    # 40 columns become 10, mirrored; 20 rows become 10.
    torch.testing.assert_close(scaled[1, 0], torch.full((10, 10), -1.5))
    torch.testing.assert_close(scaled[1, 1], torch.full((10, 10), -2.0))


@pytest.mark.parametrize("flip", [False, True])
def test_labels_are_the_nearest_pixels_and_visible_is_what_is_so_entirely(flip: bool) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 10**6, (2, 31, 47), dtype=np.int32)
    visible = random.random((2, 31, 47)) < 0.9
    flow = np.zeros((2, 31, 47, 2), np.float32)
    geometry = Geometry(box=(3, 5, 21, 40), size=(13, 29), flip=flip)
    targets = shown(
        {"flow": flow, "visible": visible, "segments": labels},
        frames=slice(0, 2),
        geometry=geometry,
    )
    for row in range(13):
        for column in range(29):
            y = 3 + int((row + 0.5) * 21 / 13)
            x = 5 + int(((28 - column if flip else column) + 0.5) * 40 / 29)
            assert targets["segments"][1, row, column] == labels[1, y, x]
            place = 28 - column if flip else column
            rows = slice(3 + row * 21 // 13, 3 - (-(row + 1) * 21 // 13))
            columns = slice(5 + place * 40 // 29, 5 - (-(place + 1) * 40 // 29))
            assert targets["visible"][1, 0, row, column] == visible[1, rows, columns].all()
    assert 0.5 < targets["visible"][1].float().mean() < 0.9
    assert not targets["visible"][0].any()


def test_what_comes_from_outside_the_box_is_not_visible() -> None:
    flow = np.zeros((2, 20, 30, 2), np.float32)
    flow[..., 0] = -5.0  # everything moved right by 5
    visible = np.ones((2, 20, 30), bool)
    for flip, hidden in ((False, slice(0, 5)), (True, slice(5, 10))):
        geometry = Geometry(box=(0, 10, 20, 10), size=(20, 10), flip=flip)
        seen = shown({"flow": flow, "visible": visible}, frames=slice(0, 2), geometry=geometry)
        assert not seen["visible"][1, 0, :, hidden].any()
        assert int(seen["visible"][1].sum()) == 20 * 5
