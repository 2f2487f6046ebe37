"""References of training and validation: where they come from, how they look, how they batch."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from colorize.data.augment import Augment
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
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
from colorize.motion.estimators import Dis

SIZE = (8, 8)
# Nothing that changes a picture.
PLAIN: dict[str, Any] = {"none": 0.0, "recolor": 0.0, "fade": 0.0, "same_view": 1.0, "mirror": 0.0}


def no_flow(current: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(current), 2, *current.shape[-2:])


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
    made = ReferencedClips(
        dataset, augment=augment, sampling=ReferenceSampling(**(PLAIN | changes))
    )
    made.flow = no_flow
    return made


def sample(seed: int = 0, *, clip: int = 0, frame: int = 8, **changes: Any) -> Sample:
    return Sample(
        **({"clip": clip, "frame": frame, "length": 1, "size": SIZE, "seed": seed} | changes)
    )


def origins(made: ReferencedClips, *, clip: int, frame: int, draws: int) -> list[list[tuple]]:
    """Return (clip, frame) of the references of each of many samples."""
    found = []
    for seed in range(draws):
        gray = made[sample(seed, clip=clip, frame=frame)]["references"]["gray"][:, 0, 0, 0]
        codes = (gray * 255).round().int() - 10
        found.append([(int(code) // 40, int(code) % 40) for code in codes])
    return found


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


@pytest.mark.parametrize(("clip", "frame"), [(0, 8), (2, 3)])
def test_no_reference_is_of_another_series_unless_from_anywhere(clip: int, frame: int) -> None:
    own = {0: {0, 1}, 2: {2}}[clip]
    known = referenced(coded(), shot=0.3, clip=0.3, series=0.4)
    drawn = origins(known, clip=clip, frame=frame, draws=200)
    assert {place for each in drawn for place, _ in each} == own
    anywhere = referenced(coded(), shot=0.0, clip=0.0, series=0.0)
    drawn = origins(anywhere, clip=clip, frame=frame, draws=200)
    assert {place for each in drawn for place, _ in each} == {0, 1, 2}


def test_references_of_the_same_shot_are_often_near_in_time() -> None:
    frames = np.zeros((400, *SIZE, 3), dtype=np.uint8)
    frames[:, 0, 0, 0], frames[:, 0, 1, 0] = np.divmod(np.arange(400), 250)
    dataset = ClipDataset(clips=[Clip(name="long", frames=frames, series="a")])
    made = referenced(dataset, counts=(1.0,), shot=1.0, clip=0.0, series=0.0)
    near = 0
    for seed in range(1000):
        given = made[sample(seed, frame=200)]["references"]
        red = given["gray"][0, 0, 0, :2] + 1.402 * given["chroma"][0, 1, 0, :2]
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
    for name, planes in first["references"].items():
        assert torch.equal(planes, again["references"][name])


def test_a_sample_is_its_frame_and_its_references_are_stored_frames() -> None:
    dataset = pictures()
    item = referenced(dataset, counts=(0.0, 0.0, 1.0))[sample(frame=2, size=(16, 24))]
    stored = torch.from_numpy(dataset.clips[0].frames / np.float32(255)).permute(0, 3, 1, 2)
    torch.testing.assert_close(item["color"][0], stored[2], rtol=0, atol=1e-6)
    torch.testing.assert_close(item["gray"], rgb_to_luma(item["color"]), rtol=0, atol=1e-6)
    assert item["references"]["frame"].tolist() == [0, 0, 0]
    for gray, chroma in zip(item["references"]["gray"], item["references"]["chroma"], strict=True):
        off = (rgb_to_luma(stored) - gray).abs().amax(dim=(1, 2, 3))
        number = int(off.argmin())
        assert float(off[number]) < 1e-6
        torch.testing.assert_close(chroma, rgb_to_chroma(stored[number]), rtol=0, atol=1e-6)


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
        for reference in recolored["references"]["chroma"]:
            torch.testing.assert_close(reference, chroma[0], rtol=0, atol=1e-6)


def test_what_misleads_is_not_recoloured() -> None:
    plain, misled = (
        referenced(pictures(), shot=0.0, clip=0.0, series=0.0, recolor=chance)[
            sample(frame=1, size=(16, 24))
        ]
        for chance in (0.0, 1.0)
    )
    assert torch.equal(misled["color"], plain["color"])
    assert torch.equal(misled["references"]["chroma"], plain["references"]["chroma"])


def test_faded_references_differ_by_one_gamma() -> None:
    exponents = []
    for seed in range(30):
        item = referenced(pictures(same=True), counts=(0.0, 1.0), fade=1.0, gamma=0.25)[
            sample(seed, frame=1, size=(16, 24))
        ]
        given = item["references"]["gray"].double().log() / item["gray"].double().log()
        assert float(given.std()) < 1e-4
        exponents.append(float(given.mean()))
    assert 2**-0.25 < min(exponents) < 0.93
    assert 1.07 < max(exponents) < 2**0.25
    plain = referenced(pictures(same=True))[sample(frame=1, size=(16, 24))]
    torch.testing.assert_close(plain["references"]["gray"][:1], plain["gray"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_a_reference_is_cut_as_the_frame_or_in_its_own_way(mirror: float) -> None:
    dataset, flips = pictures(same=True), Augment(crop=0.0, flip=0.5)
    seen = set()
    for seed in range(8):
        item = referenced(dataset, augment=flips, same_view=0.0, mirror=mirror)[
            sample(seed, frame=1, size=(16, 24))
        ]
        expected = item["gray"].flip(-1) if mirror else item["gray"]
        torch.testing.assert_close(item["references"]["gray"][:1], expected, rtol=0, atol=1e-6)
        seen.add(float(item["gray"][0, 0, 0, 0]))
    assert len(seen) == 2  # frames were mirrored, and not
    crops = Augment(crop=1.0, flip=0.5, scale=(0.4, 0.9))
    for chance, same in ((1.0, True), (0.0, False)):
        item = referenced(dataset, augment=crops, same_view=chance, mirror=mirror)[
            sample(3, frame=1, size=(16, 24))
        ]
        assert torch.allclose(item["references"]["gray"][:1], item["gray"], atol=1e-6) is same


def test_all_frames_of_a_run_have_the_same_references() -> None:
    item = referenced(pictures(), counts=(0.0, 1.0))[sample(frame=2, length=2, size=(16, 24))]
    assert item["gray"].shape == (2, 1, 16, 24)
    given = item["references"]
    assert given["frame"].tolist() == [0, 0, 1, 1]
    assert torch.equal(given["gray"][:2], given["gray"][2:])
    assert torch.equal(given["chroma"][:2], given["chroma"][2:])


def test_references_are_bound_to_every_frame_with_their_flow() -> None:
    def means(current: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
        both = torch.cat([current, previous], dim=1).mean(dim=(2, 3), keepdim=True)
        return both.expand(-1, -1, *current.shape[-2:])

    gray = torch.tensor([0.1, 0.2]).view(2, 1, 1, 1).expand(2, 1, 4, 4)
    seen = torch.tensor([0.5, 0.6, 0.7]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    given = refer(gray, seen, torch.rand(3, 2, 4, 4), flow=means)
    assert given["frame"].tolist() == [0, 0, 0, 1, 1, 1]
    pairs = given["flow"][:, :, 0, 0]
    expected = [[a, b] for a in (0.1, 0.2) for b in (0.5, 0.6, 0.7)]
    torch.testing.assert_close(pairs, torch.tensor(expected))
    none = refer(gray, seen[:0], torch.rand(0, 2, 4, 4), flow=means)
    assert {name: tuple(planes.shape) for name, planes in none.items()} == {
        "frame": (0,), "gray": (0, 1, 4, 4), "chroma": (0, 2, 4, 4), "flow": (0, 2, 4, 4),
    }  # fmt: skip


def test_the_flow_says_where_the_frame_is_in_the_reference() -> None:
    noise = torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(0))
    wide = functional.interpolate(noise, size=(72, 96), mode="bicubic").clamp(0, 1)
    gray, seen = wide[:, :, :64, 3:83], wide[:, :, 2:66, :80]
    flow = refer(gray, seen, torch.zeros(1, 2, 64, 80), flow=Dis())["flow"]
    inner = flow[0, :, 16:-16, 16:-16].flatten(1)
    # gray(x, y) is wide(x + 3, y), which is seen(x + 3, y - 2).
    assert inner.median(dim=1).values.tolist() == pytest.approx([3, -2], abs=0.3)


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
    assert batch.keys() == {
        "gray", "color", "reference_frame", "reference_gray", "reference_chroma", "reference_flow",
    }  # fmt: skip
    assert batch["gray"].shape == (3, 2, 1, 16, 24)
    assert batch["reference_frame"].tolist() == [0, 0, 1, 1, 4, 4, 5, 5]
    for first, item in ((0, items[0]), (4, items[2])):
        for name in ("gray", "chroma", "flow"):
            part = batch[f"reference_{name}"][first : first + 4]
            assert torch.equal(part, item["references"][name])
    empty = collate([bare[sample(1, frame=2, **pair)]])
    assert empty["reference_frame"].shape == (0,)
    assert empty["reference_flow"].shape == (0, 2, 16, 24)


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
    made.flow = no_flow
    assert len(made) == len(frames) == 6
    item = made[1]
    assert torch.equal(item["gray"], frames[1]["gray"])
    assert torch.equal(item["color"], frames[1]["color"])
    codes = (255 * item["references"]["gray"][:, 0, 0, 0]).round().int() - 10
    assert codes.tolist() == expected
    assert collate([item])["reference_frame"].tolist() == [0] * count
    last = made[5]["references"]["gray"][:, 0, 0, 0]
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
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        ReferenceSampling(**settings)
    assert "\n" not in str(error.value)
