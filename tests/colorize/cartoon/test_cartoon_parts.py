from __future__ import annotations

import cv2
import numpy as np
import pytest

from colorize.cartoon.body import HOSE_PIECES, hidden_parts, rig
from colorize.cartoon.camera import Move, View
from colorize.cartoon.cast import SPECIES, character
from colorize.cartoon.geometry import (
    above,
    apply,
    below,
    bone,
    box,
    ellipse,
    inked,
    lit,
    polygon,
    rotation,
    smooth,
    translation,
)
from colorize.cartoon.paint import Painter
from colorize.cartoon.palette import luma_of, shade, tone
from colorize.cartoon.pose import ACTIONS, Pose


def area(points: np.ndarray) -> float:
    """Return the area of a polygon as OpenCV measures it."""
    return cv2.contourArea(points.astype(np.float32))


def test_a_quarter_turn_goes_clockwise_as_seen() -> None:
    moved = apply(translation(10, 20) @ rotation(90), np.array([[1.0, 0.0], [0.0, 2.0]]))
    np.testing.assert_allclose(moved, [[10, 21], [8, 20]], atol=1e-12)


def test_a_bone_stretches_along_itself_only() -> None:
    matrix = bone(np.array([1.0, 2.0]), np.array([1.0, 8.0]), 3.0)
    moved = apply(matrix, np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(moved, [[1, 2], [1, 8], [0, 2]], atol=1e-12)


def test_clipping_cuts_a_polygon_in_two() -> None:
    square = box(0, 0, 4, 4)
    assert area(below(square, 3)) == pytest.approx(4)
    assert area(above(square, 3)) == pytest.approx(12)
    triangle = polygon([(0, 0), (4, 4), (0, 4)])
    assert area(above(triangle, 2)) == pytest.approx(2)


def test_smooth_curves_pass_through_their_points() -> None:
    control = [(0.0, 0.0), (4.0, -1.0), (5.0, 3.0), (1.0, 4.0)]
    np.testing.assert_allclose(smooth(control, steps=5)[::5], control, atol=1e-12)


@pytest.mark.parametrize("points", [ellipse(0, 0, 10, 10), ellipse(0, 0, 10, 10)[::-1]])
def test_ink_is_heavier_below_and_the_light_falls_from_above(points: np.ndarray) -> None:
    outline, light = inked(points, 1.0), lit(points, 3.0)
    assert outline[:, 1].max() - 10 > 1.1 > -10 - outline[:, 1].min() > 0
    assert light[:, 1].max() < 8
    assert light[:, 1].min() == pytest.approx(-10, abs=1e-9)


@pytest.mark.parametrize("luma", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("hue", [0, 47, 130, 215, 300])
def test_a_tone_has_its_luma_and_hue(luma: float, hue: int) -> None:
    color = tone(luma, hue, 1.0)
    assert np.dot(color, (0.299, 0.587, 0.114)) == pytest.approx(luma)
    # Full strength touches the wall of the RGB cube and never leaves it.
    assert min(min(color), 1 - max(color)) == pytest.approx(0, abs=1e-9)
    hsv = cv2.cvtColor(np.float32([[color]]), cv2.COLOR_RGB2HSV)
    assert abs((hsv[0, 0, 0] - hue + 180) % 360 - 180) < 1
    assert luma_of(shade(color)) < 0.85 * luma


@pytest.mark.parametrize("name", SPECIES)
def test_every_part_is_placed_in_every_pose_and_limbs_hold_together(name: str) -> None:
    player = character(name, 0, (1,))
    poses = [cycle(phase) for cycle, _, _ in ACTIONS.values() for phase in (0.1, 0.35, 0.6, 0.9)]
    for pose in poses:
        place = rig(player, pose, np.eye(3))
        parts = {part.name for part in player.drawing.parts}
        assert parts <= set(place)
        for limb, length in (("arm_front", player.build.arm), ("leg_back", player.build.leg)):
            piece = length / HOSE_PIECES
            for i in range(HOSE_PIECES - 1):
                end = apply(place[f"{limb}.{i}"], np.array([piece, 0.0]))
                start = apply(place[f"{limb}.{i + 1}"], np.array([0.0, 0.0]))
                np.testing.assert_allclose(end, start, atol=1e-9)


def test_a_foot_on_the_ground_does_not_slip() -> None:
    cycle, _, stride = ACTIONS["walk"]
    for phase in (0.05, 0.2, 0.4):
        here, there = cycle(phase).foot_front[0], cycle(phase + 0.05).foot_front[0]
        # The body goes forward by what the foot goes back.
        assert here - there == pytest.approx(0.05 * stride)


def test_a_blink_shows_the_lids_and_talk_changes_the_mouth() -> None:
    assert hidden_parts(Pose()) == {"mouth_open", "lids"}
    assert hidden_parts(Pose(blink=True, talk=True)) == {"mouth_closed"}


def test_a_view_stays_on_the_plate() -> None:
    view = View(-3.0, 0.1, 2.0).within(3.0, 1.5)
    assert (view.x, view.y, view.zoom) == (0.375, 0.25, 2.0)
    corners = apply(np.linalg.inv(view.matrix((40, 60))), np.array([[-0.5, -0.5], [59.5, 39.5]]))
    np.testing.assert_allclose(corners, [[0, 0], [0.75, 0.5]], atol=1e-12)


def test_a_zoom_is_steady() -> None:
    move = Move("zoom", View(1, 0.5, 1.0), View(1, 0.5, 4.0), eased=False)
    assert [move.at(t).zoom for t in (0.0, 0.5, 1.0)] == pytest.approx([1, 2, 4])


def test_a_set_is_the_same_at_every_scale() -> None:
    pictures = []
    for scale in (60.0, 120.0):
        painter = Painter(width=2.0, pixels_per_unit=scale, rng=np.random.default_rng(5))
        painter.wash(box(-0.1, -0.1, 2.2, 1.2), (0.5, 0.6, 0.8), (0.9, 0.9, 0.7), mottle=0.2)
        painter.foliage(0.7, 0.5, 0.4, 0.3, (0.2, 0.5, 0.2))
        pictures.append(painter.finish(1.0)[0])
    small = cv2.resize(pictures[1], pictures[0].shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(float) - pictures[0]).mean() < 5
    assert pictures[0].std() > 30
