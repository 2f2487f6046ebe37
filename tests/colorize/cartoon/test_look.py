from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from colorize.cartoon import CartoonSeries, CartoonShot
from colorize.cartoon.body import rig
from colorize.cartoon.cast import BUILDS, SPECIES, character
from colorize.cartoon.drawing import INK
from colorize.cartoon.geometry import apply
from colorize.cartoon.look import LOOKS, PLAIN, Look
from colorize.cartoon.pose import Pose
from colorize.data import CartoonClips
from tests.colorize.cartoon.test_cartoon import errors, series

OTHERS = sorted(LOOKS.keys() - {"rubber_hose"})
# Rows: Y', Cb, Cr of RGB, from BT.601's definition.
MATRIX = np.array([[0.299, 0.587, 0.114], [-0.299, -0.587, 0.886], [0.701, -0.587, -0.114]])
MATRIX[1:] /= [[1.772], [1.402]]


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[CartoonShot]]:
    return {look: [series(look=look).shot(index) for index in range(4)] for look in LOOKS}


def test_the_default_is_the_plain_look(drawn: dict[str, list[CartoonShot]]) -> None:
    np.testing.assert_array_equal(series().color(1), drawn["rubber_hose"][1].color)
    assert Look() == PLAIN
    assert PLAIN.colored((0.3, 0.6, 0.2)) == (0.3, 0.6, 0.2)


@pytest.mark.parametrize("look", OTHERS)
def test_flow_and_segments_stay_true(look: str, drawn: dict[str, list[CartoonShot]]) -> None:
    shots = drawn[look]
    everything = np.concatenate([errors(s, t).ravel() for s in shots for t in range(1, 6)])
    assert everything.mean() < 0.004
    assert (everything < 0.05).mean() > 0.99
    rows, columns = np.mgrid[: shots[0].color.shape[1], : shots[0].color.shape[2]]
    for shot in shots:
        x = np.round(columns + shot.flow[2, ..., 0]).astype(int).clip(0, columns.max())
        y = np.round(rows + shot.flow[2, ..., 1]).astype(int).clip(0, rows.max())
        same = shot.segments[1][y, x] == shot.segments[2]
        assert same[shot.visible[2]].mean() > 0.95


@pytest.mark.parametrize("look", OTHERS)
def test_the_same_things_happen(look: str) -> None:
    one, other = series(), series(look=look)
    assert [one.script(i) for i in range(10)] == [other.script(i) for i in range(10)]


def test_colours_have_the_luma_and_the_hue_that_the_look_says() -> None:
    look = Look(lift=0.1, gain=0.5, turn=30, strength=0.8)
    before = np.array([0.62, 0.35, 0.40])
    luma, *chroma = MATRIX @ before
    got_luma, *got = MATRIX @ look.colored(tuple(before.tolist()))
    assert got_luma == pytest.approx(0.1 + 0.5 * luma)
    angles = [np.rad2deg(np.arctan2(cr, cb)) for cb, cr in (chroma, got)]
    assert angles[1] - angles[0] == pytest.approx(30)
    assert np.hypot(*got) == pytest.approx(0.8 * np.hypot(*chroma))
    # As far as the luma has room: nothing leaves [0, 1], and the luma is kept.
    loud = Look(strength=9).colored((0.9, 0.1, 0.2))
    assert min(loud) == pytest.approx(0, abs=1e-9) or max(loud) == pytest.approx(1)
    assert MATRIX[0] @ loud == pytest.approx(MATRIX[0] @ [0.9, 0.1, 0.2])


@pytest.mark.parametrize("look", OTHERS)
def test_palettes_differ(look: str, drawn: dict[str, list[CartoonShot]]) -> None:
    planes = [
        np.concatenate([s.color.reshape(-1, 3) for s in drawn[name]]) / 255 @ MATRIX.T
        for name in ("rubber_hose", look)
    ]
    counts = [
        np.histogram2d(*each[:, 1:].T, bins=20, range=[(-0.4, 0.4)] * 2)[0] / len(each)
        for each in planes
    ]
    # Over half of the colours are none that the plain look has as often.
    assert 0.5 * np.abs(counts[0] - counts[1]).sum() > 0.5
    mean = [np.hypot(*each[:, 1:].T).mean() for each in planes]
    if look == "pastel":
        assert planes[1][:, 0].mean() > planes[0][:, 0].mean() + 0.1
        assert mean[1] < 0.8 * mean[0]
    else:
        assert mean[1] > 1.1 * mean[0]
    fur = {n: np.array(character("dog", 0, (5,), LOOKS[n]).drawing.paints["fur"]) for n in LOOKS}
    assert np.abs(fur[look] - fur["rubber_hose"]).max() > 0.1


def test_lines_differ_in_colour_and_weight(drawn: dict[str, list[CartoonShot]]) -> None:
    grown, inks = {}, {}
    for name, look in LOOKS.items():
        drawing = character("cat", 0, (1,), look).drawing
        inks[name] = np.array(drawing.paints[INK])
        body = next(part for part in drawing.parts if part.name == "body")
        # How far the outline of the torso stands out from its fill, on the mean.
        fill = next(flat.points for flat in body.flats if flat.paint == "fur~")
        grown[name] = np.hypot(*(body.ink[0] - fill).T).mean()
    assert grown["pastel"] == pytest.approx(0.55 * grown["rubber_hose"])
    assert grown["poster"] == pytest.approx(1.9 * grown["rubber_hose"])
    plain = inks["rubber_hose"]
    assert inks["pastel"].mean() > plain.mean() + 0.15  # lighter
    assert inks["poster"][2] > 2 * inks["poster"][0]  # blue
    assert plain[0] > plain[2]
    counts = {
        name: sum((np.abs(s.color / 255 - inks[name]).max(-1) < 0.02).sum() for s in shots)
        for name, shots in drawn.items()
    }
    assert 0 < 1.3 * counts["rubber_hose"] < counts["poster"]


def extent(name: str, look: Look, part: str) -> np.ndarray:
    """Return width and height of a part of a character at rest, in character units."""
    player = character(name, 0, (1,), look)
    place = rig(player, Pose(), np.eye(3))
    drawn = next(each for each in player.drawing.parts if each.name == part)
    return np.ptp(apply(place[part], np.concatenate([flat.points for flat in drawn.flats])), axis=0)


@pytest.mark.parametrize("name", SPECIES)
@pytest.mark.parametrize("look", OTHERS)
def test_proportions_differ_and_feet_stay_on_the_ground(name: str, look: str) -> None:
    other = LOOKS[look]
    heads = [extent(name, each, "head") for each in (PLAIN, other)]
    # Eyes are outlined details, whose line does not grow with the head.
    np.testing.assert_allclose(heads[1] / heads[0], other.head, rtol=0.06)
    limbs = [extent(name, each, "arm_front.0").min() for each in (PLAIN, other)]
    assert (limbs[1] - limbs[0]) * (other.limbs - 1) > 0
    tall = {}
    for key, each in (("plain", PLAIN), ("other", other)):
        player = character(name, 0, (1,), each)
        place = rig(player, Pose(), np.eye(3))
        tall[key] = -place["head"][1, 2]
        assert place["shoe_front"][1, 2] == pytest.approx(-6)
        # The leg reaches: its hose ends at the ankle.
        end = apply(place["leg_front.5"], np.array([player.build.leg / 6, 0.0]))
        np.testing.assert_allclose(end, place["shoe_front"][:2, 2], atol=1e-9)
    assert tall["other"] - tall["plain"] == pytest.approx(BUILDS[name].leg * (other.reach - 1))


def test_backgrounds_differ_in_texture() -> None:
    rough = {}
    for name in LOOKS:
        whole = CartoonSeries(
            seed=3, size=(108, 192), shots=1, frames_per_shot=1, scenes=1, look=name
        )
        plate = whole._plate(whole.scenes[0])
        luma = plate.picture @ MATRIX[0]
        fine = np.abs(luma - gaussian_filter(luma, 4.0))
        regions = plate.regions
        inside = np.ones(regions.shape, bool)
        for axis in (0, 1):
            for step in range(-9, 10):
                inside &= regions == np.roll(regions, step, axis)
        rough[name] = np.median(fine[inside])
    assert rough["poster"] < 0.5 * rough["rubber_hose"] < 0.25 * rough["pastel"]


def test_an_unknown_look_is_refused_and_clips_say_theirs() -> None:
    with pytest.raises(ValueError, match="expected one of rubber_hose, pastel, poster, got 'flat'"):
        series(look="flat")
    clips = CartoonClips(size=(32, 48), train=1, val=1, test=1, frames_per_shot=1, look="poster")
    assert clips.label == "procedural cartoon, seed 0, 32x48, look poster"
    plain = CartoonClips(size=(32, 48), train=1, val=1, test=1, frames_per_shot=1)
    assert plain.label == "procedural cartoon, seed 0, 32x48"
    assert (clips.split("test").clips[0].frames != plain.split("test").clips[0].frames).any()
