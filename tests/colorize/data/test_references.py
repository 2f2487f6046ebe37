"""References of training and validation: where they come from, how they look, how they batch."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from colorize.data.augment import Augment
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset, example
from colorize.data.references import (
    ReferencedClips,
    ReferencedValidation,
    ReferenceSampling,
    collate,
    evenly_spaced,
    refer,
    shown_frames,
)
from colorize.data.sampler import Sample
from colorize.data.validation import ValidationFrames
from colorize.imaging.color import rgb_to_chroma, rgb_to_luma
from colorize.inference.colorizer import Colorizer
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from colorize.networks.guided.references import References
from tests.colorize import tiny
from tests.colorize.networks.guided.given import assert_same

SIZE = (8, 8)
# Nothing that changes a picture.
PLAIN: dict[str, Any] = {"none": 0.0, "recolor": 0.0, "fade": 0.0, "same_view": 1.0, "mirror": 0.0}


@pytest.fixture
def no_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the search for flow, which costs more than all else."""

    def refer(gray: torch.Tensor, given: References, *, frames: Sequence[int]) -> References:
        del gray
        return given.expand(len(frames))

    monkeypatch.setattr("colorize.data.references.refer", refer)


def coded() -> ClipDataset:
    """Two series; each frame is one gray, 10 + 40 clip + frame, that says which it is."""
    clips = []
    for number, (series, count, shots) in enumerate(
        [("a", 12, (0, 6)), ("a", 6, (0,)), ("b", 6, (0,))]
    ):
        codes = (10 + 40 * number + np.arange(count)).astype(np.uint8)
        frames = np.broadcast_to(codes[:, None, None, None], (count, *SIZE, 3)).copy()
        clips.append(Clip(name=f"clip-{number}", frames=frames, shots=shots, series=series))
    return ClipDataset(clips=clips)


def pictures(
    count: int = 4, *, size: tuple[int, int] = (16, 24), same: bool = False
) -> ClipDataset:
    """One clip of random pictures, or of one and the same; colours far from the gamut's ends."""
    random = np.random.default_rng(0)
    frames = random.integers(60, 200, (count, *size, 3), dtype=np.uint8)
    frames = np.repeat(frames[:1], count, axis=0) if same else frames
    return ClipDataset(clips=[Clip(name="one", frames=frames, series="a")])


def referenced(
    dataset: ClipDataset, *, augment: Augment | None = None, **changes: Any
) -> ReferencedClips:
    return ReferencedClips(
        dataset, augment=augment, sampling=ReferenceSampling(**(PLAIN | changes))
    )


def sample(seed: int = 0, *, clip: int = 0, frame: int = 8, **changes: Any) -> Sample:
    return Sample(
        **({"clip": clip, "frame": frame, "length": 1, "size": SIZE, "seed": seed} | changes)
    )


def origins(made: ReferencedClips, *, clip: int, frame: int, draws: int) -> list[list[tuple]]:
    """Return (clip, frame) of the references of each of many samples."""
    found = []
    for seed in range(draws):
        luma = made[sample(seed, clip=clip, frame=frame)]["references"].luma[0, :, 0, 0, 0]
        codes = (luma * 255).round().int() - 10
        found.append([(int(code) // 40, int(code) % 40) for code in codes])
    return found


@pytest.mark.usefixtures("no_flow")
def test_references_come_as_often_and_from_where_the_settings_say() -> None:
    made = referenced(
        coded(), none=0.25, counts=(0.55, 0.2, 0.1, 0.15), shot=0.6, clip=0.15, series=0.17
    )
    drawn = origins(made, clip=0, frame=8, draws=2000)
    counts = Counter(map(len, drawn))
    shares = [counts[number] / len(drawn) for number in range(5)]
    assert shares == pytest.approx([0.25, 0.4125, 0.15, 0.075, 0.1125], abs=0.03)
    # Four in five references keep to the place: 0.48 shot, 0.12 clip, 0.064 anywhere; the rest,
    # 0.336, are of the series. Half of its clips is the frame's, half of that the frame's shot.
    places = Counter(
        "own shot" if clip == 0 and frame >= 6 else clip for each in drawn for clip, frame in each
    )
    total = sum(places.values())
    found = {name: count / total for name, count in places.items()}
    other = 0.064 / 3
    own = 0.48 + 0.12 / 2 + 0.336 / 4 + other / 2
    expected = {"own shot": own, 0: own - 0.48, 1: 0.336 / 2 + other, 2: other}
    assert sum(expected.values()) == pytest.approx(1)
    assert found == pytest.approx(expected, abs=0.04)


@pytest.mark.usefixtures("no_flow")
@pytest.mark.parametrize(("clip", "frame"), [(0, 8), (2, 3)])
def test_no_reference_is_of_another_series_unless_from_anywhere(clip: int, frame: int) -> None:
    own = {0: {0, 1}, 2: {2}}[clip]
    known = referenced(coded(), shot=0.3, clip=0.3, series=0.4)
    drawn = origins(known, clip=clip, frame=frame, draws=200)
    assert {place for each in drawn for place, _ in each} == own
    anywhere = referenced(coded(), shot=0.0, clip=0.0, series=0.0)
    drawn = origins(anywhere, clip=clip, frame=frame, draws=200)
    assert {place for each in drawn for place, _ in each} == {0, 1, 2}


@pytest.mark.usefixtures("no_flow")
def test_references_of_the_same_shot_are_often_near_in_time() -> None:
    frames = np.zeros((400, *SIZE, 3), dtype=np.uint8)
    frames[:, 0, 0, 0], frames[:, 0, 1, 0] = np.divmod(np.arange(400), 250)
    dataset = ClipDataset(clips=[Clip(name="long", frames=frames, series="a")])
    made = referenced(dataset, counts=(1.0,), shot=1.0, clip=0.0, series=0.0)
    near = 0
    for seed in range(1000):
        given = made[sample(seed, frame=200)]["references"]
        red = given.luma[0, 0, 0, 0, :2] + 1.402 * given.chroma[0, 0, 1, 0, :2]
        high, low = (255 * red).round().int().tolist()
        near += abs(250 * high + low - 200) <= 12
    # 0.4 of the 0.8 that keep to the shot lie 1, 2, … away, each 0.92 times as often as the last;
    # the others anywhere in the clip.
    expected = 0.32 * (1 - 0.92**12) + 0.68 * 25 / 400
    assert near / 1000 == pytest.approx(expected, abs=0.04)


def test_the_same_seed_gives_the_same_sample() -> None:
    made = ReferencedClips(
        pictures(size=(40, 48)), augment=Augment(), sampling=ReferenceSampling(none=0.0)
    )
    first, again, other = (made[sample(seed, frame=2, size=(32, 40))] for seed in (3, 3, 4))
    for name in ("gray", "color"):
        assert torch.equal(first[name], again[name])
        assert not torch.equal(first[name], other[name])
    assert_same(first["references"], again["references"])


@pytest.mark.usefixtures("no_flow")
def test_a_sample_is_its_frame_and_its_references_are_stored_frames() -> None:
    dataset = pictures()
    item = referenced(dataset, counts=(0.0, 0.0, 1.0))[sample(frame=2, size=(16, 24))]
    stored = torch.from_numpy(dataset.clips[0].frames / np.float32(255)).permute(0, 3, 1, 2)
    torch.testing.assert_close(item["color"][0], stored[2], rtol=0, atol=1e-6)
    torch.testing.assert_close(item["gray"], rgb_to_luma(item["color"]), rtol=0, atol=1e-6)
    given = item["references"]
    assert given.counts == (3,)
    assert given.frame.tolist() == [[-1, -1, -1]]
    assert given.mask is None
    for luma, chroma in zip(given.luma[0], given.chroma[0], strict=True):
        off = (rgb_to_luma(stored) - luma).abs().amax(dim=(1, 2, 3))
        number = int(off.argmin())
        assert float(off[number]) < 1e-6
        torch.testing.assert_close(chroma, rgb_to_chroma(stored[number]), rtol=0, atol=1e-6)


@pytest.mark.usefixtures("no_flow")
def test_frame_and_references_are_recoloured_together_and_their_luma_stays() -> None:
    dataset = pictures(same=True)
    for seed in range(5):
        plain, recolored = (
            referenced(dataset, recolor=chance)[sample(seed, frame=1, size=(16, 24))]
            for chance in (0.0, 1.0)
        )
        assert not torch.allclose(recolored["color"], plain["color"], atol=0.02)
        torch.testing.assert_close(recolored["gray"], plain["gray"], rtol=0, atol=1e-6)
        torch.testing.assert_close(
            rgb_to_luma(recolored["color"]), plain["gray"], rtol=0, atol=1e-6
        )
        chroma = rgb_to_chroma(recolored["color"])
        for reference in recolored["references"].chroma[0]:
            torch.testing.assert_close(reference, chroma[0], rtol=0, atol=1e-6)


@pytest.mark.usefixtures("no_flow")
def test_what_misleads_is_not_recoloured() -> None:
    plain, misled = (
        referenced(pictures(), shot=0.0, clip=0.0, series=0.0, recolor=chance)[
            sample(frame=1, size=(16, 24))
        ]
        for chance in (0.0, 1.0)
    )
    assert torch.equal(misled["color"], plain["color"])
    assert torch.equal(misled["references"].chroma, plain["references"].chroma)


@pytest.mark.usefixtures("no_flow")
def test_faded_references_differ_by_one_gamma() -> None:
    exponents = []
    for seed in range(30):
        item = referenced(pictures(same=True), counts=(0.0, 1.0), fade=1.0, gamma=0.25)[
            sample(seed, frame=1, size=(16, 24))
        ]
        given = item["references"].luma[0].double().log() / item["gray"].double().log()
        assert float(given.std()) < 1e-4
        exponents.append(float(given.mean()))
    assert 2**-0.25 < min(exponents) < 0.93
    assert 1.07 < max(exponents) < 2**0.25
    plain = referenced(pictures(same=True))[sample(frame=1, size=(16, 24))]
    torch.testing.assert_close(plain["references"].luma[0, :1], plain["gray"], rtol=0, atol=1e-6)


@pytest.mark.usefixtures("no_flow")
@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_a_reference_is_cut_as_the_frame_or_in_its_own_way(mirror: float) -> None:
    dataset, flips = pictures(same=True), Augment(crop=0.0, flip=0.5)
    seen = set()
    for seed in range(8):
        item = referenced(dataset, augment=flips, same_view=0.0, mirror=mirror)[
            sample(seed, frame=1, size=(16, 24))
        ]
        expected = item["gray"].flip(-1) if mirror else item["gray"]
        torch.testing.assert_close(item["references"].luma[0, :1], expected, rtol=0, atol=1e-6)
        seen.add(float(item["gray"][0, 0, 0, 0]))
    assert len(seen) == 2  # frames were mirrored, and not
    crops = Augment(crop=1.0, flip=0.5, scale=(0.4, 0.9))
    for chance, same in ((1.0, True), (0.0, False)):
        item = referenced(dataset, augment=crops, same_view=chance, mirror=mirror)[
            sample(3, frame=1, size=(16, 24))
        ]
        assert torch.allclose(item["references"].luma[0, :1], item["gray"], atol=1e-6) is same


def test_all_frames_of_a_run_have_the_same_references() -> None:
    item = referenced(pictures(), counts=(0.0, 1.0))[sample(frame=2, length=2, size=(16, 24))]
    assert item["gray"].shape == (2, 1, 16, 24)
    given = item["references"]
    assert given.counts == (2, 2)
    assert torch.equal(given.luma[0], given.luma[1])
    assert torch.equal(given.chroma[0], given.chroma[1])
    assert not torch.equal(given.flow[0], given.flow[1])


def moving(count: int = 5, *, size: tuple[int, int] = (64, 80), step: int = 3) -> torch.Tensor:
    """A drawing that moves to the left by some pixels a frame, and stands on the first."""
    noise = torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(0))
    wide = functional.interpolate(noise, size=(size[0], size[1] + 32), mode="bicubic").clamp(0, 1)
    frames = [wide[0, :, :, step * n : step * n + size[1]] for n in range(count)]
    return torch.stack(frames)


def pictured(luma: torch.Tensor) -> References:
    return References.of(luma, torch.zeros(len(luma), 2, *luma.shape[-2:]))


def test_every_frame_has_the_flow_to_each_of_its_references() -> None:
    """gray(x, y) of frame n is wide(x + 3 n, y), which the reference m shows 3 (n - m) further."""
    frames = moving()
    given = refer(frames, pictured(frames[[0, 2]]))
    assert given.counts == (2,) * 5
    assert torch.equal(given.luma[3], frames[[0, 2]])
    for number in range(5):
        for column, shown in enumerate((0, 2)):
            for flow in (given.flow, given.propagated):
                inner = flow[number, column, :, 16:-16, 16:-16].flatten(1)
                expected = [3 * (number - shown), 0]
                assert inner.median(dim=1).values.tolist() == pytest.approx(expected, abs=0.3)


def test_flow_is_propagated_over_all_frames_and_given_of_those_that_are_wanted() -> None:
    frames = moving()
    references = pictured(frames[:1])
    whole, some = refer(frames, references), refer(frames, references, frames=[3, 1])
    for row, number in enumerate((3, 1)):
        assert torch.equal(some.flow[row], whole.flow[number])
        assert torch.equal(some.propagated[row], whole.propagated[number])
    assert not torch.equal(whole.propagated, whole.flow)
    # A frame alone has the one that is found straight.
    alone = refer(frames[3:4], references)
    torch.testing.assert_close(alone.flow[0], whole.flow[3])
    assert torch.equal(alone.propagated, alone.flow)


def test_flow_to_no_reference_has_no_size() -> None:
    given = refer(moving(2, size=(8, 12)), pictured(torch.zeros(0, 1, 8, 12)))
    assert given.counts == (0, 0)
    assert given.flow.shape == given.propagated.shape == (2, 0, 2, 8, 12)


@pytest.mark.parametrize(
    ("size", "count", "batch_size"), [((64, 80), 5, 2), ((64, 80), 5, 8), ((176, 184), 2, 2)]
)
def test_training_builds_what_use_builds(
    size: tuple[int, int], count: int, batch_size: int
) -> None:
    """The references of each frame of a shot are those that the network is shown in use."""
    random = np.random.default_rng(0)
    luma = (moving(count, size=size)[:, 0, :, :, None] * 200).numpy()
    stored = (luma + random.integers(0, 50, (count, 1, 1, 3))).astype(np.uint8)
    other = np.ascontiguousarray(stored[0, :, ::-1])
    network = tiny.reference_generator().eval()
    colorizer = Colorizer(network, short_side=size[0], device="cpu")
    shown: list[References] = []
    network.register_forward_pre_hook(lambda _, given: shown.append(given[1]))
    pictures = [
        ColoredPicture(name, partial(Frame, 0, "", rgb), number)
        for name, rgb, number in (("own", stored[1], 1), ("other", other, None))
    ]
    engine = ShotEngine(
        colorizer,
        RenderSettings(),
        library=Library(colorizer, pictures),
        batch_size=batch_size,
    )
    frames = [Frame(number, "", rgb) for number, rgb in enumerate(stored)]
    list(engine(frames, names=["own", "other"]))

    scale = np.float32(255)
    seen = example(np.stack([stored[1], other]) / scale)
    given = References.of(seen["gray"], rgb_to_chroma(seen["color"]))
    gray = torch.stack([torch.from_numpy(frame.gray())[None] for frame in frames])
    torch.testing.assert_close(example(stored / scale)["gray"], gray, rtol=0, atol=1e-6)
    # Flow is searched on bytes: where nothing fits, even 1e-7 of luma could turn it round.
    built = refer(gray, given)
    used = References.collate(shown)
    assert used.counts == built.counts == (2,) * count
    for name in ("luma", "chroma", "flow", "propagated"):
        torch.testing.assert_close(getattr(built, name), getattr(used, name), rtol=0, atol=1e-5)
    assert built.mask is used.mask is None
    with torch.no_grad():
        keys = network.keys(built.luma.flatten(0, 1)).unflatten(0, (count, 2))
    torch.testing.assert_close(used.keys, keys, rtol=0, atol=1e-5)


def still_clip(count: int = 6, *, shots: tuple[int, ...] = (0, 3)) -> ClipDataset:
    drawn = (moving(count).expand(-1, 3, -1, -1) * 255).round().byte()
    frames = np.ascontiguousarray(drawn.permute(0, 2, 3, 1).numpy())
    return ClipDataset(clips=[Clip(name="one", frames=frames, shots=shots, series="a")])


@pytest.mark.parametrize(
    ("frame", "window", "around"), [(4, 2, range(3, 6)), (4, 0, range(4, 5)), (1, 1, range(3))]
)
def test_flow_is_propagated_along_the_frames_around_of_the_same_shot(
    monkeypatch: pytest.MonkeyPatch, frame: int, window: int, around: range
) -> None:
    dataset, seen = still_clip(), []
    monkeypatch.setattr(
        "colorize.data.references.refer",
        lambda gray, given, *, frames: (
            seen.append((gray, list(frames))) or refer(gray, given, frames=frames)
        ),
    )
    made = referenced(dataset, counts=(1.0,), propagated=1.0, window=window)
    item = made[sample(frame=frame, size=(64, 80))]
    ((gray, frames),) = seen
    stored = torch.from_numpy(dataset.clips[0].frames / np.float32(255)).permute(0, 3, 1, 2)
    torch.testing.assert_close(gray, rgb_to_luma(stored)[list(around)], rtol=0, atol=1e-6)
    assert frames == [frame - around.start]
    assert torch.equal(item["gray"][0], gray[frames[0]])
    plain = referenced(dataset, counts=(1.0,), propagated=0.0)[sample(frame=frame, size=(64, 80))]
    assert torch.equal(plain["references"].luma, item["references"].luma)
    torch.testing.assert_close(plain["references"].flow, item["references"].flow)
    assert torch.equal(plain["references"].propagated, plain["references"].flow)


def test_a_batch_numbers_its_frames_one_after_another() -> None:
    made = referenced(pictures(), counts=(0.0, 1.0))
    bare = referenced(pictures(), none=1.0)
    pair = {"length": 2, "size": (16, 24)}
    items = [
        made[sample(0, frame=1, **pair)],
        bare[sample(1, frame=2, **pair)],
        made[sample(2, frame=3, **pair)],
    ]
    batch = collate(items)
    assert batch.keys() == {"gray", "color", "references", "group"}
    assert batch["gray"].shape == (3, 2, 1, 16, 24)
    given = batch["references"]
    assert given.counts == (2, 2, 0, 0, 2, 2)
    for first, item in ((0, items[0]), (4, items[2])):
        for name in ("luma", "chroma", "flow", "propagated"):
            part = getattr(given, name)[first : first + 2]
            assert torch.equal(part, getattr(item["references"], name))
    empty = collate([bare[sample(1, frame=2, **pair)]])["references"]
    assert empty.counts == (0, 0)
    assert empty.flow.shape == (2, 0, 2, 16, 24)


@pytest.mark.parametrize(
    ("frames", "count", "expected"),
    [(12, 1, [0]), (12, 3, [2, 6, 10]), (12, 2, [3, 9]), (2, 5, [0, 1]), (1, 1, [0])],
)
def test_references_of_validation_are_evenly_spaced(
    frames: int, count: int, expected: list[int]
) -> None:
    assert evenly_spaced(frames, count) == expected


def test_frames_are_shown_of_a_clip_or_of_each_shot() -> None:
    clip = Clip(name="film", frames=np.zeros((12, 4, 4, 3), np.uint8), shots=(0, 4, 11))
    assert shown_frames(clip, count=0, scope="shot") == {0: [], 4: [], 11: []}
    assert shown_frames(clip, count=1, scope="shot") == {0: [2], 4: [7], 11: [11]}
    assert shown_frames(clip, count=2, scope="shot") == {0: [1, 3], 4: [5, 9], 11: [11]}
    assert shown_frames(clip, count=3, scope="clip") == {start: [2, 6, 10] for start in clip.shots}


@pytest.mark.parametrize(("count", "expected"), [(1, [0]), (3, [2, 6, 10])])
def test_validation_has_the_stated_frames_of_its_clip(count: int, expected: list[int]) -> None:
    frames = ValidationFrames(coded(), frames_per_clip=2, size=SIZE)
    made = ReferencedValidation(frames, count=count)
    assert len(made) == len(frames) == 6
    item = made[1]
    assert torch.equal(item["gray"], frames[1]["gray"])
    assert torch.equal(item["color"], frames[1]["color"])
    codes = (255 * item["references"].luma[0, :, 0, 0, 0]).round().int() - 10
    assert codes.tolist() == expected
    assert collate([item])["references"].counts == (count,)
    last = made[5]["references"].luma[0, :, 0, 0, 0]
    assert all(90 <= int(code) < 96 for code in (255 * last).round())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"none": 1.5}, r"references\.none: expected 0 to 1, got 1\.5"),
        ({"fade": -0.1}, r"references\.fade: expected 0 to 1, got -0\.1"),
        ({"shot": 0.9, "clip": 0.2}, r"references: shot, clip and series are above 1 together"),
        ({"counts": ()}, r"references\.counts is \[\]: expected weights of 1, 2"),
        ({"counts": (0.0, 0.0)}, r"references\.counts is \[0\.0, 0\.0\]: expected weights"),
        ({"counts": (1.0, -1.0)}, r"references\.counts is \[1\.0, -1\.0\]: expected weights"),
        ({"validation": 0}, r"references\.validation: expected 1 or more, got 0"),
        ({"window": -1}, r"references\.window: expected 0 or more, got -1"),
        ({"propagated": 1.5}, r"references\.propagated: expected 0 to 1, got 1\.5"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        ReferenceSampling(**settings)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("no_flow")
def test_hints_are_colours_of_the_frame_itself_beside_its_references() -> None:
    made = referenced(pictures(), hints=1.0, counts=(1.0,))
    for seed in range(20):
        item = made[sample(seed, frame=2, size=(16, 24))]
        given = item["references"]
        assert given.counts == (2,)
        mask = given.mask[0, 1]
        assert 0 < mask.mean() < 1
        assert (given.mask[0, 0] == 1).all()
        assert torch.equal(given.luma[0, 1], item["gray"][0])
        true = rgb_to_chroma(item["color"])[0]
        shown = (mask > 0).expand_as(true)
        torch.testing.assert_close(given.chroma[0, 1][shown], true[shown], rtol=0, atol=1e-6)
    alone = referenced(pictures(), hints=1.0, none=1.0)[sample(1, frame=2, size=(16, 24))]
    assert alone["references"].counts == (1,)


@pytest.mark.usefixtures("no_flow")
def test_parts_of_references_are_shown_as_often_as_the_settings_say() -> None:
    made = referenced(pictures(size=(32, 48)), parts=0.5, counts=(1.0,))
    white, kept = 0, 0
    for seed in range(60):
        given = made[sample(seed, frame=2, size=(32, 48))]["references"]
        if given.mask is None:
            continue
        hidden = given.mask[0, 0] == 0
        assert (given.chroma[0, 0][hidden.expand(2, -1, -1)] == 0).all()
        one = (given.luma[0, 0][hidden] == 1).all()
        white, kept = white + bool(one), kept + bool(not one)
    assert white + kept == pytest.approx(30, abs=12)
    assert white == pytest.approx(kept, abs=14)


@pytest.mark.usefixtures("no_flow")
def test_another_print_is_darker_or_lighter_and_less_contrasty() -> None:
    prints = {"fade": 1.0, "gamma": 0.9, "flare": 0.12}
    made = referenced(pictures(same=True), counts=(1.0,), shot=1.0, clip=0.0, series=0.0, **prints)
    means = []
    for seed in range(60):
        item = made[sample(seed, frame=2, size=(16, 24))]
        seen, own = item["references"].luma[0, 0], item["gray"][0]
        assert seen.max() - seen.min() < own.max() - own.min() + 0.12
        order = own.flatten().argsort()
        assert (seen.flatten()[order].diff() >= -1e-6).all()  # tones keep their order
        means.append(float(seen.mean() - own.mean()))
    assert min(means) < -0.1
    assert max(means) > 0.1


@pytest.mark.usefixtures("no_flow")
def test_grain_is_of_frame_and_reference_each_for_itself() -> None:
    made = referenced(pictures(same=True), grain=1.0, counts=(1.0,))
    item = made[sample(3, frame=2, size=(16, 24))]
    clean = referenced(pictures(same=True), counts=(1.0,))[sample(3, frame=2, size=(16, 24))]
    own = (item["gray"] - clean["gray"])[0, 0]
    seen = item["references"].luma[0, 0, 0] - clean["gray"][0, 0]
    assert 0 < own.std() < 0.07
    assert abs(float(torch.corrcoef(torch.stack([own.flatten(), seen.flatten()]))[0, 1])) < 0.3


@pytest.mark.usefixtures("no_flow")
def test_worn_frames_keep_their_colours_and_references_their_luma() -> None:
    worn, clean = (referenced(pictures(same=True), wear=wear, counts=(1.0,)) for wear in (1.0, 0.0))
    changed = 0
    for seed in range(20):
        one, other = (made[sample(seed, frame=2, size=(16, 24))] for made in (worn, clean))
        changed += not torch.equal(one["gray"], other["gray"])
        torch.testing.assert_close(
            rgb_to_chroma(one["color"]), rgb_to_chroma(other["color"]), rtol=0, atol=1e-5
        )
        assert torch.equal(one["references"].luma, other["references"].luma)
    assert changed > 12


@pytest.mark.usefixtures("no_flow")
def test_samples_tell_who_drew_them() -> None:
    items = {clip: referenced(coded())[sample(0, clip=clip, frame=3)]["group"] for clip in range(3)}
    assert items[0] == items[1] != items[2]
    assert int(items[2]) == zlib.crc32(b"b")
    recolored = referenced(coded(), recolor=1.0, shot=1.0, clip=0.0, series=0.0)
    assert int(recolored[sample(0, clip=2, frame=3)]["group"]) == -1
    alone = referenced(coded(), recolor=1.0, none=1.0)
    assert int(alone[sample(0, clip=2, frame=3)]["group"]) == zlib.crc32(b"b")
