from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from skimage.metrics import adapted_rand_error
from torch.utils.data import default_collate

from colorize.cartoon import CartoonSeries, CartoonShot
from colorize.data.clips import example
from colorize.data.targets.compute import GROUPS, TARGETS, compute_targets
from colorize.data.targets.settings import (
    FlowSettings,
    NeighborSettings,
    SegmentSettings,
    TargetSettings,
)
from colorize.imaging.segments import mean_colors, nearest_segments, segment_planes, watershed
from colorize.losses.segment import Segment
from colorize.losses.segment_uniformity import SegmentUniformity
from colorize.losses.temporal import Temporal
from colorize.losses.temporal_second_order import TemporalSecondOrder
from colorize.motion.estimators import build_flow_estimator
from colorize.motion.warp import agreement, consistency, warp

_SETTINGS = TargetSettings(segments=SegmentSettings(maximum=64))


def _clip(frames: int, *, size: tuple[int, int] = (48, 64), seed: int = 0) -> np.ndarray:
    """Return a clip of blotches that move right by 2 and down by 1 each frame."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (size[1] + 32, size[0] + 32), interpolation=cv2.INTER_CUBIC)
    starts = [(16 - t, 16 - 2 * t) for t in range(frames)]
    return np.stack([scene[y : y + size[0], x : x + size[1]] for y, x in starts])


def _color(clip: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(clip).permute(0, 3, 1, 2).float() / 255


_SHAPES = {
    "flow": (2, 48, 64),
    "visible": (1, 48, 64),
    "flow_second": (2, 48, 64),
    "visible_second": (1, 48, 64),
    "segments": (48, 64),
    "segment_areas": (64,),
    "segment_neighbors": (64, 3),
    "neighbors": (5, 48, 64),
    "refiner_flow": (2, 48, 64),
    "segment_planes": (2, 48, 64),
}


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_all_targets_have_their_shapes(frames: int) -> None:
    targets = compute_targets(_clip(frames), TARGETS, _SETTINGS)
    assert {name: tuple(target.shape) for name, target in targets.items()} == {
        name: (frames, *shape) for name, shape in _SHAPES.items()
    }
    for name in ("visible", "visible_second"):
        assert targets[name].dtype == torch.bool
    for name in ("segments", "segment_areas", "segment_neighbors", "neighbors"):
        assert targets[name].dtype == torch.int32


def test_only_the_targets_named_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("not asked for")

    for name in ("compute.watershed", "compute.nearest_exact", "flow.consistency"):
        monkeypatch.setattr(f"colorize.data.targets.{name}", refuse)
    assert set(compute_targets(_clip(2), ["flow", "visible"], _SETTINGS)) == {"flow", "visible"}
    monkeypatch.setattr("colorize.data.targets.flow.build_flow_estimator", refuse)
    monkeypatch.setattr("colorize.data.targets.flow._estimator", refuse)
    assert compute_targets(_clip(2), [], _SETTINGS) == {}
    with pytest.raises(AssertionError, match="not asked for"):
        compute_targets(_clip(2), ["neighbors"], _SETTINGS)


def test_bytes_and_floats_in_arrays_and_tensors_give_the_same() -> None:
    clip = _clip(2)
    expected = compute_targets(clip, TARGETS, _SETTINGS)
    for same in (clip.astype(np.float32) / 255, torch.from_numpy(clip), _color(clip)):
        if isinstance(same, torch.Tensor) and same.shape[1] == 3:
            same = same.permute(0, 2, 3, 1)
        targets = compute_targets(same, TARGETS, _SETTINGS)
        for name, target in expected.items():
            assert torch.equal(targets[name], target), name


def test_clips_with_unlike_numbers_of_segments_stack() -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    samples = [
        compute_targets(clip, TARGETS, _SETTINGS) for clip in (_clip(2), noisy, _clip(2) * 0)
    ]
    counts = [int((sample["segment_areas"] > 0).sum()) for sample in samples]
    assert len(set(counts)) == 3
    batch = default_collate(samples)
    assert batch["segments"].shape == (3, 2, 48, 64)
    outputs = torch.rand(3, 2, 4, 3, 48, 64)
    truth = torch.rand(3, 2, 3, 48, 64)
    for loss in (Segment(), SegmentUniformity(), Temporal(), TemporalSecondOrder()):
        assert torch.isfinite(loss(outputs, truth, batch))


def test_flow_and_visibility_are_those_of_the_motion() -> None:
    clip = _clip(3)
    targets = compute_targets(clip, ["flow", "visible", "flow_second", "visible_second"], _SETTINGS)
    assert not targets["flow"][0].any()
    assert not targets["visible"][0].any()
    assert not targets["flow_second"][:2].any()
    assert not targets["visible_second"][:2].any()
    middle = (..., slice(10, -10), slice(10, -10))
    torch.testing.assert_close(
        targets["flow"][1:][middle].mean((0, 2, 3)), torch.tensor([-2.0, -1.0]), atol=0.3, rtol=0
    )
    torch.testing.assert_close(
        targets["flow_second"][2][middle].mean((1, 2)), torch.tensor([-4.0, -2.0]), atol=0.5, rtol=0
    )
    color = _color(clip)
    expected = agreement(color[1:], color[:-1], targets["flow"][1:])
    assert torch.equal(targets["visible"][1:], expected)
    assert targets["visible"][1:][middle].float().mean() > 0.9
    assert targets["visible_second"][2][middle].float().mean() > 0.8
    fetched = warp(color[:1], targets["flow_second"][2:])
    error = (fetched - color[2:]).abs().amax(1, keepdim=True)[targets["visible_second"][2:]]
    assert float(error.mean()) < 0.05


def test_consistency_needs_the_reverse_flow_and_both_is_their_meet() -> None:
    clip = _clip(2)

    def visible(how: str) -> torch.Tensor:
        settings = TargetSettings(flow=FlowSettings(visibility=how))
        return compute_targets(clip, ["visible"], settings)["visible"]

    forward = compute_targets(clip, ["flow"], _SETTINGS)["flow"][1:]
    reverse = compute_targets(clip[::-1].copy(), ["flow"], _SETTINGS)["flow"][1:]
    consistent = visible("consistency")
    assert torch.equal(consistent[1:], consistency(forward, reverse))
    assert 0 < consistent.float().mean() < 0.5
    assert torch.equal(visible("both"), consistent & visible("agreement"))


def test_segments_are_those_of_the_watershed_and_of_colours() -> None:
    clip = _clip(2)
    targets = compute_targets(clip, ["segments", "segment_areas", "segment_neighbors"], _SETTINGS)
    for index, frame in enumerate(clip):
        labels = watershed(frame, maximum=64)
        np.testing.assert_array_equal(targets["segments"][index].numpy(), labels)
        areas = np.bincount(labels.ravel(), minlength=64)
        np.testing.assert_array_equal(targets["segment_areas"][index].numpy(), areas)
        count = labels.max() + 1
        expected = nearest_segments(mean_colors(frame, labels))
        nearest = targets["segment_neighbors"][index].numpy()
        np.testing.assert_array_equal(nearest[:count], expected)
        assert (nearest[count:] == -1).all()


def test_both_neighbour_searches_mostly_agree() -> None:
    clip = _clip(1, size=(24, 30))
    exact = compute_targets(clip, ["neighbors"], TargetSettings())["neighbors"]
    settings = TargetSettings(neighbors=NeighborSettings(method="windowed"))
    windowed = compute_targets(clip, ["neighbors"], settings)["neighbors"]
    assert torch.equal(exact[:, 0], windowed[:, 0])
    assert float((exact == windowed).float().mean()) > 0.6


def test_known_targets_are_used_also_for_what_depends_on_them() -> None:
    clip = _clip(3)
    flow = torch.tensor([-2.0, -1.0]).view(1, 2, 1, 1).expand(3, 2, 48, 64).clone()
    flow[0] = 0
    labels = torch.zeros(3, 48, 64, dtype=torch.int32)
    labels[:, :, 32:] = 700  # any integers
    targets = compute_targets(clip, TARGETS, _SETTINGS, known={"flow": flow, "segments": labels})
    assert torch.equal(targets["flow"], flow)
    torch.testing.assert_close(targets["flow_second"][2], 2 * flow[2])
    assert targets["visible"][1:, :, 1:, 2:].all()
    assert targets["visible_second"][2, :, 2:, 4:].all()
    assert set(targets["segments"].unique().tolist()) == {0, 1}
    assert targets["segment_areas"][0, :3].tolist() == [48 * 32, 48 * 32, 0]
    own = {"refiner_flow": torch.rand(3, 2, 48, 64)}
    assert compute_targets(clip, own, _SETTINGS, known=own) == own


def test_groups_are_a_partition_of_the_targets() -> None:
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(TARGETS)


@pytest.fixture
def estimates(monkeypatch: pytest.MonkeyPatch) -> list[FlowSettings]:
    """Return the settings of every estimate, in their order; RAFT is played by shifted DIS."""
    asked: list[FlowSettings] = []

    class Watched:
        def __init__(self, settings: FlowSettings) -> None:
            self.settings = settings

        def __call__(self, current: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
            asked.append(self.settings)
            offset = 0.0 if self.settings.input == "gray" else 1.0
            return build_flow_estimator()(current, previous) + offset

    monkeypatch.setattr("colorize.data.targets.flow._estimator", Watched)
    return asked


def test_the_refiners_flow_is_computed_once_where_it_is_the_same(
    estimates: list[FlowSettings],
) -> None:
    settings = TargetSettings(refiner_flow=FlowSettings(threshold=0.2))
    targets = compute_targets(_clip(2), ["flow", "refiner_flow"], settings)
    assert len(estimates) == 1
    assert targets["flow"][1].abs().mean() > 0.5
    assert torch.equal(targets["refiner_flow"], targets["flow"])
    alone = compute_targets(_clip(2), ["refiner_flow"], settings)
    assert torch.equal(alone["refiner_flow"], targets["flow"])


def test_the_refiners_flow_is_of_gray_frames_unless_its_settings_say_otherwise(
    estimates: list[FlowSettings],
) -> None:
    colored = FlowSettings(method="raft_small", input="color")
    targets = compute_targets(_clip(2), ["flow", "refiner_flow"], TargetSettings(flow=colored))
    assert [settings.input for settings in estimates] == ["color", "gray"]
    assert {settings.method for settings in estimates} == {"raft_small"}
    torch.testing.assert_close(targets["flow"][1], targets["refiner_flow"][1] + 1)
    own = TargetSettings(refiner_flow=colored)
    targets = compute_targets(_clip(2), ["flow", "refiner_flow"], own)
    torch.testing.assert_close(targets["refiner_flow"][1], targets["flow"][1] + 1)


def test_segment_planes_see_gray_alone_and_survive_a_black_and_white_file() -> None:
    colored = _clip(2)
    planes = compute_targets(colored, ["segment_planes"], _SETTINGS)["segment_planes"]
    weighted = colored @ np.array([0.299, 0.587, 0.114])
    stored = np.rint(weighted).astype(np.uint8)
    again = compute_targets(stored[..., None].repeat(3, -1), ["segment_planes"], _SETTINGS)
    assert torch.equal(again["segment_planes"], planes)
    for gray, expected in zip(stored, planes.numpy(), strict=True):
        np.testing.assert_array_equal(segment_planes(gray), expected)
    other = TargetSettings(segments=SegmentSettings(depth=40, gradient="luma"))
    same = compute_targets(colored, ["segment_planes"], other)["segment_planes"]
    assert torch.equal(same, planes)


def test_segment_planes_are_those_of_the_gray_that_goes_with_the_colours() -> None:
    varied = (_clip(1) / 255.0).astype(np.float32) ** 0.9  # no whole bytes
    gray = example(varied)["gray"][0, 0].numpy()
    planes = compute_targets(varied, ["segment_planes"], _SETTINGS)["segment_planes"]
    np.testing.assert_array_equal(planes[0].numpy(), segment_planes(gray))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("visible", {"flow": FlowSettings(method="truth")}, r"set targets\.flow\.method=dis"),
        ("refiner_flow", {"flow": FlowSettings(method="truth")}, r"targets\.flow\.method=dis"),
        (
            "segment_areas",
            {"segments": SegmentSettings(source="truth")},
            r"segments\.source=truth needs .*: set targets\.segments\.source=watershed",
        ),
    ],
)
def test_a_truth_that_is_not_known_is_refused(name: str, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute_targets(_clip(2), [name], TargetSettings(**settings))


def test_true_frames_cost_little_under_their_own_targets() -> None:
    clip = _clip(2)
    targets = compute_targets(clip, ["flow", "visible"], _SETTINGS)
    batch = default_collate([targets])
    truth = _color(clip)[None]
    assert float(Temporal()(truth.unsqueeze(2), truth, batch)) < 0.01


@pytest.mark.parametrize("name", ["flows", "x"])
def test_an_unknown_target_is_refused(name: str) -> None:
    hint = "did you mean 'flow'" if name == "flows" else "valid: flow, flow_second"
    with pytest.raises(ValueError, match=rf"no target '{name}'; {hint}"):
        compute_targets(_clip(1), [name], _SETTINGS)


def test_too_many_known_segments_are_refused() -> None:
    labels = torch.arange(48 * 64, dtype=torch.int32).view(1, 48, 64)
    with pytest.raises(ValueError, match=r"segments\.maximum is 64, but .* 3072 segments"):
        compute_targets(_clip(1), ["segments"], _SETTINGS, known={"segments": labels})


@pytest.fixture(scope="module")
def shot() -> CartoonShot:
    """Return a shot whose camera pans by some 20 pixels between two drawings."""
    series = CartoonSeries(seed=0, size=(240, 320), shots=1, frames_per_shot=4, effects=False)
    return series.shot(0)


def _true_targets(shot: CartoonShot) -> dict[str, torch.Tensor]:
    return {
        "flow": torch.from_numpy(shot.flow).permute(0, 3, 1, 2).contiguous(),
        "visible": torch.from_numpy(shot.visible)[:, None],
        "segments": torch.from_numpy(shot.segments),
    }


def test_true_frames_of_a_cartoon_cost_nothing_on_their_true_flow(shot: CartoonShot) -> None:
    targets = compute_targets(shot.color, TARGETS, TargetSettings(), known=_true_targets(shot))
    batch = {name: target[None] for name, target in targets.items()}
    truth = _color(shot.color)[None]
    outputs = truth.unsqueeze(2).expand(-1, -1, 4, -1, -1, -1)
    assert float(Temporal()(outputs, truth, batch)) < 1e-3
    assert float(TemporalSecondOrder()(outputs, truth, batch)) < 2e-3
    still = {**batch, "flow": torch.zeros_like(batch["flow"])}
    assert float(Temporal()(outputs, truth, still)) > 2e-2


def test_colours_agree_where_a_cartoon_is_visible(shot: CartoonShot) -> None:
    known = _true_targets(shot)
    visible = known.pop("visible")
    agreed = compute_targets(shot.color, ["visible"], TargetSettings(), known=known)["visible"]
    assert float(agreed[visible].float().mean()) > 0.99
    hidden = ~visible[1:]
    assert float(agreed[1:][hidden].float().mean()) < 0.9


def test_dis_follows_a_cartoon(shot: CartoonShot) -> None:
    known = _true_targets(shot)
    flow = compute_targets(shot.color, ["flow"], TargetSettings())["flow"]
    error = (flow - known["flow"]).norm(dim=1, keepdim=True)[known["visible"]]
    size = known["flow"].norm(dim=1, keepdim=True)[known["visible"]]
    assert float(error.mean()) < 0.3 * float(size.mean())


def test_true_segments_of_a_cartoon_are_taken_over(shot: CartoonShot) -> None:
    names = ["segments", "segment_areas"]
    targets = compute_targets(shot.color, names, TargetSettings(), known=_true_targets(shot))
    for index, true in enumerate(shot.segments):
        labels = targets["segments"][index].numpy()
        _, areas = np.unique(true, return_counts=True)
        assert adapted_rand_error(true + 1, labels + 1)[0] == pytest.approx(0, abs=1e-12)
        assert targets["segment_areas"][index].numpy()[: len(areas)].tolist() == areas.tolist()


def test_the_watershed_finds_a_cartoons_fills(shot: CartoonShot) -> None:
    labels = compute_targets(shot.color, ["segments"], TargetSettings())["segments"].numpy()
    for true, found in zip(shot.segments, labels, strict=True):
        assert adapted_rand_error(true + 1, found + 1)[0] < 0.25
        assert adapted_rand_error(true + 1, np.ones_like(found))[0] > 0.4  # one segment
