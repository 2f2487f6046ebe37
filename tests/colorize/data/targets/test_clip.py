from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from colorize.data.augment import Augment
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.drawn import CartoonClips
from colorize.data.sampler import Sample
from colorize.data.targets.clip import ClipTargets
from colorize.data.targets.compute import TARGETS, compute_targets
from colorize.data.targets.settings import FlowSettings, SegmentSettings, TargetSettings
from colorize.losses import Temporal, TemporalSecondOrder

SIZE = (40, 64)
TRUTH = {"flow": FlowSettings(method="truth"), "segments": SegmentSettings(source="truth")}
FLOW = frozenset({"flow", "visible"})


@pytest.fixture(scope="module")
def cartoon() -> CartoonClips:
    return CartoonClips(
        size=(80, 128), train=2, val=1, test=1, frames_per_shot=4, scenes=2, effects=False
    )


@pytest.fixture(scope="module")
def clips(cartoon: CartoonClips) -> ClipDataset:
    return cartoon.split("train")


def served(
    clips: ClipDataset, names: Any, *, augment: Augment | None = None, **settings: Any
) -> ClipDataset:
    target = ClipTargets(names=names, settings=TargetSettings(**settings))
    return ClipDataset(clips=clips.clips, augment=augment, targets=target)


def request(clip: int = 0, frame: int = 3, *, length: int = 2, seed: int = 0) -> Sample:
    return Sample(clip=clip, frame=frame, length=length, size=SIZE, seed=seed)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Return the targets of every computation, as they come."""
    seen: list[set[str]] = []

    def watched(color: Any, names: Any, *rest: Any, **more: Any) -> dict[str, torch.Tensor]:
        seen.append(set(names))
        return compute_targets(color, names, *rest, **more)

    monkeypatch.setattr("colorize.data.targets.clip.compute_targets", watched)
    return seen


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_estimated_targets_are_those_of_the_frames_that_come_out(clips: ClipDataset) -> None:
    item = served(clips, TARGETS, augment=Augment())[request(seed=5)]
    frames = item["color"].permute(0, 2, 3, 1).numpy()
    expected = compute_targets(frames, TARGETS, TargetSettings())
    assert same({name: item[name] for name in TARGETS}, expected)


def test_targets_are_those_of_the_frames_asked_for_alone(clips: ClipDataset) -> None:
    target = ClipTargets(names=TARGETS, settings=TargetSettings())
    item = ClipDataset(clips=clips.clips, previous=True, targets=target)[request()]
    plain = ClipDataset(clips=clips.clips, targets=target)[request()]
    assert item["previous_color"].shape == (2, 3, *SIZE)
    assert same({name: item[name] for name in plain}, plain)


@pytest.mark.parametrize("augment", [None, Augment(scale=(0.7, 1.0))])
def test_true_frames_cost_little_under_true_targets(
    clips: ClipDataset, augment: Augment | None
) -> None:
    names = Temporal().needs | TemporalSecondOrder().needs
    dataset = served(clips, names, augment=augment, **TRUTH)
    for clip in range(2):
        item = dataset[request(clip, length=3, seed=clip)]
        batch = {name: value[None] for name, value in item.items()}
        truth = batch["color"]
        assert float(Temporal()(truth.unsqueeze(2), truth, batch)) < 0.02
        unmoved = {**batch, "flow": torch.zeros_like(batch["flow"])}
        worse = float(Temporal()(truth.unsqueeze(2), truth, unmoved))
        assert float(Temporal()(truth.unsqueeze(2), truth, batch)) < 0.5 * worse


def test_true_segments_are_dense_and_have_their_areas(
    cartoon: CartoonClips, clips: ClipDataset
) -> None:
    names = {"segments", "segment_areas"}
    item = served(clips, names, **TRUTH)[request(1, 3)]
    true = cartoon.series.shot(1).segments[2:4, 1::2, 1::2]  # centres at halves of a pixel
    for labels, areas, expected in zip(
        item["segments"].numpy(), item["segment_areas"].numpy(), true, strict=True
    ):
        count = labels.max() + 1
        assert set(np.unique(labels)) == set(range(count))
        np.testing.assert_array_equal(areas[:count], np.bincount(labels.ravel()))
        # One label for one fill: the map is the stored one, renumbered.
        pairs = set(zip(labels.ravel().tolist(), expected.ravel().tolist(), strict=True))
        assert len(pairs) == count


def test_nothing_is_rendered_for_targets_that_need_no_truth(
    clips: ClipDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("rendered")

    monkeypatch.setattr("colorize.cartoon.CartoonSeries.shot", refuse)
    fresh = ClipDataset(clips=[Clip(**_parts(clip)) for clip in clips.clips])
    names = {"neighbors", "segment_planes", "refiner_flow"}
    settings = {**TRUTH, "refiner_flow": FlowSettings()}
    _ = served(fresh, names, **settings)[request()]
    with pytest.raises(AssertionError, match="rendered"):
        _ = served(fresh, ["flow"], **settings)[request()]


def _parts(clip: Clip) -> dict[str, Any]:
    return {"name": clip.name, "frames": clip.frames, "truth": clip.truth}


@pytest.mark.parametrize(
    ("main", "refiner", "alike"),
    [("truth", None, True), ("truth", "dis", False), ("dis", "truth", False), ("dis", None, True)],
)
def test_the_refiners_flow_is_truth_only_where_it_is_asked_for(
    clips: ClipDataset, main: Any, refiner: Any, alike: bool
) -> None:
    settings = TargetSettings(
        flow=FlowSettings(method=main),
        refiner_flow=None if refiner is None else FlowSettings(method=refiner),
    )
    target = ClipTargets(names=["flow", "refiner_flow"], settings=settings)
    item = ClipDataset(clips=clips.clips, targets=target)[request()]
    true = served(clips, ["flow"], **TRUTH)[request()]["flow"]
    assert torch.equal(item["flow"], true) == (main == "truth")
    assert torch.equal(item["refiner_flow"], true) == ((refiner or main) == "truth")
    assert torch.equal(item["flow"], item["refiner_flow"]) == alike


@pytest.mark.parametrize(
    ("settings", "names", "message"),
    [
        ("flow", FLOW, r"targets\.flow\.method is 'truth', .*'run': set targets\.flow\.method=dis"),
        ("segments", {"segments"}, r"targets\.segments\.source=watershed, or choose data=cartoon"),
    ],
)
def test_clips_without_truth_are_refused(settings: str, names: Any, message: str) -> None:
    unknown = [Clip(name="run", frames=np.zeros((2, 8, 8, 3), np.uint8))]
    targets = ClipTargets(names=names, settings=TargetSettings(**{settings: TRUTH[settings]}))
    with pytest.raises(ValueError, match=message) as error:
        targets.check(unknown)
    assert "\n" not in str(error.value)
    ClipTargets(names=["neighbors"], settings=targets.settings).check(unknown)


def test_an_unknown_target_is_refused_before_any_frame() -> None:
    with pytest.raises(ValueError, match="no target 'flows'; did you mean 'flow'"):
        ClipTargets(names=["flows"], settings=TargetSettings())


@pytest.mark.parametrize("settings", [{}, TRUTH])
def test_the_cache_gives_back_what_was_computed(
    clips: ClipDataset, tmp_path: Path, calls: list[set[str]], settings: dict
) -> None:
    expected = served(clips, TARGETS, **settings)[request(length=3)]
    calls.clear()
    cached = served(clips, TARGETS, cache=str(tmp_path), **settings)
    first, second = (cached[request(length=3)] for _ in range(2))
    assert same(first, expected)
    assert same(second, expected)
    assert calls == [set(TARGETS)]
    assert len(list(tmp_path.rglob("*.npz"))) == 5


def test_only_what_is_missing_is_computed(
    clips: ClipDataset, tmp_path: Path, calls: list[set[str]]
) -> None:
    cache = str(tmp_path)
    _ = served(clips, {"neighbors", *FLOW}, cache=cache)[request()]
    other = {"segments": SegmentSettings(depth=4), "cache": cache}
    item = served(clips, {"neighbors", "segments", *FLOW}, **other)[request()]
    assert calls == [{"neighbors", *FLOW}, {"segments"}]
    assert item.keys() == {"gray", "color", "neighbors", "segments", *FLOW}
    _ = served(clips, FLOW, cache=cache)[request(frame=2)]
    assert calls[2:] == [set(FLOW)]


def test_a_damaged_file_is_computed_again_and_mended(
    clips: ClipDataset, tmp_path: Path, calls: list[set[str]]
) -> None:
    cached = served(clips, {"neighbors", *FLOW}, cache=str(tmp_path))
    expected = cached[request()]
    (path,) = (tmp_path / "neighbors").rglob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(UserWarning, match=path.name):
        assert same(cached[request()], expected)
    assert same(cached[request()], expected)
    assert calls == [{"neighbors", *FLOW}, {"neighbors"}]


def test_a_dataset_sent_to_a_worker_renders_and_reads_the_same(
    clips: ClipDataset, tmp_path: Path, calls: list[set[str]]
) -> None:
    dataset = served(clips, FLOW | {"segments"}, cache=str(tmp_path), **TRUTH)
    before = len(pickle.dumps(dataset))
    expected = dataset[request()]
    packed = pickle.dumps(dataset)
    assert len(packed) <= before + 200  # digests of clips, but nothing that was rendered
    copy = pickle.loads(packed)
    assert same(copy[request()], expected)
    assert len(calls) == 1
    other = request(frame=2)
    assert same(copy[other], served(clips, FLOW | {"segments"}, **TRUTH)[other])
