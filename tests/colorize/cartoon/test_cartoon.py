from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, map_coordinates

from colorize.cartoon import CartoonSeries, CartoonShot
from colorize.cartoon.series import SCENES, SPECIES

SIZE = (108, 192)


def series(**changes: object) -> CartoonSeries:
    settings = {
        "seed": 3, "size": SIZE, "shots": 10, "frames_per_shot": 6, "characters": 3, "scenes": 2,
        "effects": False,
    }  # fmt: skip
    return CartoonSeries(**{**settings, **changes})


@pytest.fixture(scope="module")
def plain() -> CartoonSeries:
    return series()


@pytest.fixture(scope="module")
def shots(plain: CartoonSeries) -> list[CartoonShot]:
    return [plain.shot(index) for index in range(len(plain))]


@pytest.fixture(scope="module")
def moves(plain: CartoonSeries) -> list[str]:
    return [plain.script(index).move.name for index in range(len(plain))]


def warped(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Pull a picture along backward flow with SciPy's linear interpolation."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    where = np.stack([rows + flow[..., 1], columns + flow[..., 0]])
    planes = [map_coordinates(plane, where, order=1, mode="nearest")
              for plane in np.moveaxis(picture.astype(np.float64), -1, 0)]  # fmt: skip
    return np.stack(planes, -1)


def errors(shot: CartoonShot, t: int) -> np.ndarray:
    difference = np.abs(warped(shot.color[t - 1], shot.flow[t]) - shot.color[t]) / 255
    return difference[shot.visible[t]]


def test_the_frame_before_warped_by_true_flow_is_the_frame(shots: list[CartoonShot]) -> None:
    for shot in shots:
        for t in range(1, len(shot.color)):
            error = errors(shot, t)
            assert error.mean() < 0.004
            assert (error < 0.05).mean() > 0.98
    everything = np.concatenate([errors(s, t).ravel() for s in shots for t in range(1, 6)])
    assert (everything < 0.05).mean() > 0.995


def test_true_flow_explains_far_more_than_no_flow(
    shots: list[CartoonShot], moves: list[str]
) -> None:
    moving = [shot for shot, move in zip(shots, moves, strict=True) if move in ("track", "pan")]
    assert moving
    for shot in moving:
        seen = shot.visible[3]
        still = np.abs(shot.color[2] / 255.0 - shot.color[3] / 255.0)[seen].mean()
        assert errors(shot, 3).mean() < 0.4 * still


def test_most_pixels_are_visible() -> None:
    larger = series(size=(180, 320), frames_per_shot=4)
    covered = [larger.shot(index).visible[1:].mean() for index in range(6)]
    assert np.mean(covered) > 0.85


def test_first_frame_has_no_flow_and_nothing_visible(shots: list[CartoonShot]) -> None:
    for shot in shots:
        assert not shot.flow[0].any()
        assert not shot.visible[0].any()
        assert np.isfinite(shot.flow).all()


def test_drawings_hold_for_two_frames(shots: list[CartoonShot], moves: list[str]) -> None:
    static = [shot for shot, move in zip(shots, moves, strict=True) if move == "static"]
    assert static
    for shot in static:
        np.testing.assert_array_equal(shot.color[0::2], shot.color[1::2])
        assert not shot.flow[1::2].any()
        assert shot.visible[1::2].all()
        assert (shot.color[1] != shot.color[2]).any()


def test_a_pan_moves_on_every_frame(shots: list[CartoonShot], moves: list[str]) -> None:
    panned = [shot for shot, move in zip(shots, moves, strict=True) if move in ("pan", "zoom")]
    assert panned
    for shot in panned:
        assert all(shot.flow[t].any() for t in range(1, len(shot.flow)))


def test_camera_flow_is_the_shift_of_the_view(plain: CartoonSeries, moves: list[str]) -> None:
    index = moves.index("pan")
    script, shot = plain.script(index), plain.shot(index)
    before, now = script.move.at(2 / 5), script.move.at(3 / 5)
    # A pan at one zoom slides the set by the same pixels everywhere.
    expected = (now.x - before.x) * now.zoom * SIZE[0], (now.y - before.y) * now.zoom * SIZE[0]
    values, counts = np.unique(shot.flow[3].reshape(-1, 2).round(3), axis=0, return_counts=True)
    np.testing.assert_allclose(values[counts.argmax()], expected, atol=2e-3)
    assert max(map(abs, expected)) > 0.1


def test_a_flat_fill_has_one_colour(shots: list[CartoonShot], plain: CartoonSeries) -> None:
    for index, shot in enumerate(shots[:6]):
        _, stage = plain._stage(index)
        checked, alike = 0, 0
        for segment in set(stage.sheet.segment[1:][~stage.sheet.shadow[1:]]):
            inside = binary_erosion(shot.segments == segment, np.ones((1, 3, 3)))
            if inside.sum() < 60:
                continue
            colors, counts = np.unique(shot.color[inside], axis=0, return_counts=True)
            paint = stage.sheet.color[stage.sheet.segment == segment][0]
            np.testing.assert_array_equal(colors[counts.argmax()], paint)
            checked += counts.sum()
            alike += counts.max()
        # A line thinner than the gap between pixel centres may cross a fill unseen.
        assert alike > 0.985 * checked > 300


def test_segments_are_many_and_stable(shots: list[CartoonShot]) -> None:
    for shot in shots:
        first, last = (set(np.unique(shot.segments[t])) for t in (0, -1))
        assert len(first) > 15
        assert len(first & last) > 0.5 * len(first)
        assert shot.segments.min() >= 1


def test_visible_pixels_keep_their_segment(shots: list[CartoonShot]) -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    for shot in shots[:6]:
        x = np.round(columns + shot.flow[2, ..., 0]).astype(int).clip(0, SIZE[1] - 1)
        y = np.round(rows + shot.flow[2, ..., 1]).astype(int).clip(0, SIZE[0] - 1)
        same = shot.segments[1][y, x] == shot.segments[2]
        # Regions of the painted set blend into one another, so only nearly all of them agree.
        assert same[shot.visible[2]].mean() > 0.95


def test_segments_of_a_character_are_what_it_alone_paints(
    plain: CartoonSeries, shots: list[CartoonShot]
) -> None:
    index = next(i for i, shot in enumerate(shots) if len(shot.characters) > 1)
    first, second = (plain.segments_of(index, name) for name in shots[index].characters[:2])
    assert first
    assert second
    assert not first & second
    paints = plain._cast[shots[index].characters[0]].drawing
    known = {paints.color(name) for name in paints.paints}
    known |= {paints.color(name + "~") for name in paints.paints}
    bytes_of = np.round(255 * np.array(sorted(known)))
    own = np.isin(shots[index].segments, sorted(first))
    shares = []
    for pixels in (binary_erosion(own, np.ones((1, 5, 5))), ~own):
        colors = shots[index].color[pixels][:, None].astype(float)
        shares.append((np.abs(colors - bytes_of).max(-1).min(-1) <= 1).mean())
    # Pixels have one of its paints to the byte, but those on the edges within it.
    assert shares[0] > 0.5
    assert shares[1] < 0.1
    assert plain.segments_of(index, "nobody") == frozenset()


def test_color_alone_gives_the_same_bytes(plain: CartoonSeries, shots: list[CartoonShot]) -> None:
    for index in (0, 3):
        np.testing.assert_array_equal(plain.color(index), shots[index].color)


def test_the_same_seed_gives_the_same_shot_alone_and_another_seed_another(
    shots: list[CartoonShot],
) -> None:
    again = series().shot(5)
    for name in ("color", "flow", "visible", "segments"):
        np.testing.assert_array_equal(getattr(again, name), getattr(shots[5], name))
    assert (again.scene, again.characters) == (shots[5].scene, shots[5].characters)
    assert (series(seed=4).color(5)[:1] != again.color[:1]).mean() > 0.5


def test_another_palette_keeps_the_drawing(shots: list[CartoonShot]) -> None:
    other = series(palette_seed=11).shot(1)
    np.testing.assert_array_equal(other.segments, shots[1].segments)
    np.testing.assert_array_equal(other.flow, shots[1].flow)
    weights = np.array([0.299, 0.587, 0.114])
    luma = np.abs(other.color @ weights - shots[1].color @ weights).mean()
    color = np.abs(other.color.astype(float) - shots[1].color).mean()
    assert color > 6
    assert luma < 0.35 * color


def test_a_character_keeps_its_colours_and_no_two_share_clothes(plain: CartoonSeries) -> None:
    cast = plain._cast
    cloth = {name: np.array(c.drawing.paints["cloth"]) for name, c in cast.items()}
    names = list(cloth)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            assert np.abs(cloth[first] - cloth[second]).max() > 0.15
            lumas = [cloth[n] @ np.array([0.299, 0.587, 0.114]) for n in (first, second)]
            assert abs(lumas[0] - lumas[1]) < 0.12


def test_shots_differ_and_neighbours_change_the_set(shots: list[CartoonShot]) -> None:
    for before, after in pairwise(shots):
        assert before.scene != after.scene
        cut = np.abs(before.color[-1].astype(float) - after.color[0]).mean()
        assert cut > 12


def test_effects_change_the_light_and_leave_the_geometry() -> None:
    lit, plain = series(effects=True, shots=40, scenes=1), series(shots=40, scenes=1)
    found = {lit.script(i).effect.name: i for i in range(40)}
    assert {"none", "fade in", "fade out", "flash"} <= set(found)
    fade, bare = lit.shot(found["fade out"]), plain.shot(found["fade out"])
    np.testing.assert_array_equal(fade.flow, bare.flow)
    np.testing.assert_array_equal(fade.visible, bare.visible)
    # Three frames of a shot of six fade: 3/4, 1/2 and 1/4 of the light.
    np.testing.assert_allclose(fade.color[-1], np.round(bare.color[-1] * 0.25), atol=1)
    start = lit.script(found["flash"]).effect.start
    flash, bare = lit.color(found["flash"]), plain.color(found["flash"])
    np.testing.assert_allclose(flash[start], np.round(bare[start] * 0.25 + 255 * 0.75), atol=1)


def test_grain_has_the_deviation_that_was_asked_for() -> None:
    clean, grainy = series(scenes=1).shot(2), series(scenes=1, grain=0.03).shot(2)
    np.testing.assert_array_equal(clean.flow, grainy.flow)
    middling = (clean.color > 60) & (clean.color < 195)
    noise = (grainy.color.astype(float) - clean.color)[middling]
    assert noise.std() == pytest.approx(0.03 * 255, rel=0.05)
    assert (grainy.color[0] != grainy.color[1]).mean() > 0.5


@pytest.mark.parametrize("size", [(64, 64), (33, 201), (95, 41)])
def test_any_size(size: tuple[int, int]) -> None:
    shot = series(size=size, frames_per_shot=(2, 3)).shot(4)
    assert shot.color.shape[1:] == (*size, 3)
    assert shot.color.dtype == np.uint8
    assert len(shot.color) in (2, 3)
    assert shot.flow.shape == (*shot.color.shape[:3], 2)
    assert shot.color.std() > 15


def test_every_character_and_set_is_drawn() -> None:
    full = series(size=(48, 64), characters=6, scenes=6, shots=24, frames_per_shot=2)
    seen = [full.script(index) for index in range(24)]
    assert {script.scene for script in seen} == set(SCENES)
    assert {actor.name for script in seen for actor in script.actors} == set(SPECIES)
    assert all(full.color(index).std() > 15 for index in range(6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (8, 64)}, r"size of a cartoon: .* at least 16, got \(8, 64\)"),
        ({"shots": 0}, "shots of a cartoon: expected at least 1, got 0"),
        ({"frames_per_shot": (5, 2)}, "frames_per_shot of a cartoon"),
        ({"characters": 7}, "characters of a cartoon: expected 1 to 6, got 7"),
        ({"scenes": 0}, "scenes of a cartoon: expected 1 to 6, got 0"),
        ({"grain": -0.1}, "grain of a cartoon"),
        ({"seed": -1}, "seed of a cartoon"),
        ({"palette_seed": -1}, "palette_seed of a cartoon"),
    ],
)
def test_a_bad_setting_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        series(**change)


@pytest.mark.parametrize("index", [-1, 10])
def test_a_shot_beyond_the_series(plain: CartoonSeries, index: int) -> None:
    with pytest.raises(IndexError, match="use 0 to 9"):
        plain.color(index)
