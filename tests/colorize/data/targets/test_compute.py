from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from skimage.metrics import adapted_rand_error
from torch.utils.data import default_collate

from colorize.cartoon import CartoonSeries, CartoonShot
from colorize.data.clips import example
from colorize.data.targets.compute import GROUPS, GUIDES, compute_guides
from colorize.data.targets.settings import (
    FlowSettings,
    GuideSettings,
    NeighborSettings,
    SegmentSettings,
)
from colorize.imaging.segments import mean_colors, nearest_segments, segment_planes, watershed
from colorize.losses.segment import Segment
from colorize.losses.segment_uniformity import SegmentUniformity
from colorize.losses.temporal import Temporal
from colorize.losses.temporal_second_order import TemporalSecondOrder
from colorize.motion.estimators import build_flow_estimator
from colorize.motion.warp import agreement, consistency, warp

_SETTINGS = GuideSettings(segments=SegmentSettings(maximum=64))


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
def test_all_guides_have_their_shapes(frames: int) -> None:
    guides = compute_guides(_clip(frames), GUIDES, _SETTINGS)
    assert {name: tuple(guide.shape) for name, guide in guides.items()} == {
        name: (frames, *shape) for name, shape in _SHAPES.items()
    }
    for name in ("visible", "visible_second"):
        assert guides[name].dtype == torch.bool
    for name in ("segments", "segment_areas", "segment_neighbors", "neighbors"):
        assert guides[name].dtype == torch.int32


def test_only_the_guides_named_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("not asked for")

    for name in ("compute.watershed", "compute.nearest_exact", "flow.consistency"):
        monkeypatch.setattr(f"colorize.data.targets.{name}", refuse)
    assert set(compute_guides(_clip(2), ["flow", "visible"], _SETTINGS)) == {"flow", "visible"}
    monkeypatch.setattr("colorize.data.targets.flow.build_flow_estimator", refuse)
    monkeypatch.setattr("colorize.data.targets.flow._estimator", refuse)
    assert compute_guides(_clip(2), [], _SETTINGS) == {}
    with pytest.raises(AssertionError, match="not asked for"):
        compute_guides(_clip(2), ["neighbors"], _SETTINGS)


def test_bytes_and_floats_in_arrays_and_tensors_give_the_same() -> None:
    clip = _clip(2)
    expected = compute_guides(clip, GUIDES, _SETTINGS)
    for same in (clip.astype(np.float32) / 255, torch.from_numpy(clip), _color(clip)):
        if isinstance(same, torch.Tensor) and same.shape[1] == 3:
            same = same.permute(0, 2, 3, 1)
        guides = compute_guides(same, GUIDES, _SETTINGS)
        for name, guide in expected.items():
            assert torch.equal(guides[name], guide), name


def test_clips_with_unlike_numbers_of_segments_stack() -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    samples = [compute_guides(clip, GUIDES, _SETTINGS) for clip in (_clip(2), noisy, _clip(2) * 0)]
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
    guides = compute_guides(clip, ["flow", "visible", "flow_second", "visible_second"], _SETTINGS)
    assert not guides["flow"][0].any()
    assert not guides["visible"][0].any()
    assert not guides["flow_second"][:2].any()
    assert not guides["visible_second"][:2].any()
    middle = (..., slice(10, -10), slice(10, -10))
    torch.testing.assert_close(
        guides["flow"][1:][middle].mean((0, 2, 3)), torch.tensor([-2.0, -1.0]), atol=0.3, rtol=0
    )
    torch.testing.assert_close(
        guides["flow_second"][2][middle].mean((1, 2)), torch.tensor([-4.0, -2.0]), atol=0.5, rtol=0
    )
    color = _color(clip)
    expected = agreement(color[1:], color[:-1], guides["flow"][1:])
    assert torch.equal(guides["visible"][1:], expected)
    assert guides["visible"][1:][middle].float().mean() > 0.9
    assert guides["visible_second"][2][middle].float().mean() > 0.8
    fetched = warp(color[:1], guides["flow_second"][2:])
    error = (fetched - color[2:]).abs().amax(1, keepdim=True)[guides["visible_second"][2:]]
    assert float(error.mean()) < 0.05


def test_consistency_needs_the_reverse_flow_and_both_is_their_meet() -> None:
    clip = _clip(2)

    def visible(how: str) -> torch.Tensor:
        settings = GuideSettings(flow=FlowSettings(visibility=how))
        return compute_guides(clip, ["visible"], settings)["visible"]

    forward = compute_guides(clip, ["flow"], _SETTINGS)["flow"][1:]
    reverse = compute_guides(clip[::-1].copy(), ["flow"], _SETTINGS)["flow"][1:]
    consistent = visible("consistency")
    assert torch.equal(consistent[1:], consistency(forward, reverse))
    assert 0 < consistent.float().mean() < 0.5
    assert torch.equal(visible("both"), consistent & visible("agreement"))


def test_segments_are_those_of_the_watershed_and_of_colours() -> None:
    clip = _clip(2)
    guides = compute_guides(clip, ["segments", "segment_areas", "segment_neighbors"], _SETTINGS)
    for index, frame in enumerate(clip):
        labels = watershed(frame, maximum=64)
        np.testing.assert_array_equal(guides["segments"][index].numpy(), labels)
        areas = np.bincount(labels.ravel(), minlength=64)
        np.testing.assert_array_equal(guides["segment_areas"][index].numpy(), areas)
        count = labels.max() + 1
        expected = nearest_segments(mean_colors(frame, labels))
        nearest = guides["segment_neighbors"][index].numpy()
        np.testing.assert_array_equal(nearest[:count], expected)
        assert (nearest[count:] == -1).all()


def test_both_neighbour_searches_mostly_agree() -> None:
    clip = _clip(1, size=(24, 30))
    exact = compute_guides(clip, ["neighbors"], GuideSettings())["neighbors"]
    settings = GuideSettings(neighbors=NeighborSettings(method="windowed"))
    windowed = compute_guides(clip, ["neighbors"], settings)["neighbors"]
    assert torch.equal(exact[:, 0], windowed[:, 0])
    assert float((exact == windowed).float().mean()) > 0.6


def test_known_guides_are_used_also_for_what_depends_on_them() -> None:
    clip = _clip(3)
    flow = torch.tensor([-2.0, -1.0]).view(1, 2, 1, 1).expand(3, 2, 48, 64).clone()
    flow[0] = 0
    labels = torch.zeros(3, 48, 64, dtype=torch.int32)
    labels[:, :, 32:] = 700  # any integers
    guides = compute_guides(clip, GUIDES, _SETTINGS, known={"flow": flow, "segments": labels})
    assert torch.equal(guides["flow"], flow)
    torch.testing.assert_close(guides["flow_second"][2], 2 * flow[2])
    assert guides["visible"][1:, :, 1:, 2:].all()
    assert guides["visible_second"][2, :, 2:, 4:].all()
    assert set(guides["segments"].unique().tolist()) == {0, 1}
    assert guides["segment_areas"][0, :3].tolist() == [48 * 32, 48 * 32, 0]
    own = {"refiner_flow": torch.rand(3, 2, 48, 64)}
    assert compute_guides(clip, own, _SETTINGS, known=own) == own


def test_groups_are_a_partition_of_the_guides() -> None:
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(GUIDES)


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
    settings = GuideSettings(refiner_flow=FlowSettings(threshold=0.2))
    guides = compute_guides(_clip(2), ["flow", "refiner_flow"], settings)
    assert len(estimates) == 1
    assert guides["flow"][1].abs().mean() > 0.5
    assert torch.equal(guides["refiner_flow"], guides["flow"])
    alone = compute_guides(_clip(2), ["refiner_flow"], settings)
    assert torch.equal(alone["refiner_flow"], guides["flow"])


def test_the_refiners_flow_is_of_gray_frames_unless_its_settings_say_otherwise(
    estimates: list[FlowSettings],
) -> None:
    colored = FlowSettings(method="raft_small", input="color")
    guides = compute_guides(_clip(2), ["flow", "refiner_flow"], GuideSettings(flow=colored))
    assert [settings.input for settings in estimates] == ["color", "gray"]
    assert {settings.method for settings in estimates} == {"raft_small"}
    torch.testing.assert_close(guides["flow"][1], guides["refiner_flow"][1] + 1)
    own = GuideSettings(refiner_flow=colored)
    guides = compute_guides(_clip(2), ["flow", "refiner_flow"], own)
    torch.testing.assert_close(guides["refiner_flow"][1], guides["flow"][1] + 1)


def test_segment_planes_see_gray_alone_and_survive_a_black_and_white_file() -> None:
    colored = _clip(2)
    planes = compute_guides(colored, ["segment_planes"], _SETTINGS)["segment_planes"]
    weighted = colored @ np.array([0.299, 0.587, 0.114])
    stored = np.rint(weighted).astype(np.uint8)
    again = compute_guides(stored[..., None].repeat(3, -1), ["segment_planes"], _SETTINGS)
    assert torch.equal(again["segment_planes"], planes)
    for gray, expected in zip(stored, planes.numpy(), strict=True):
        np.testing.assert_array_equal(segment_planes(gray), expected)
    other = GuideSettings(segments=SegmentSettings(depth=40, gradient="luma"))
    same = compute_guides(colored, ["segment_planes"], other)["segment_planes"]
    assert torch.equal(same, planes)


def test_segment_planes_are_those_of_the_gray_that_goes_with_the_colours() -> None:
    varied = (_clip(1) / 255.0).astype(np.float32) ** 0.9  # no whole bytes
    gray = example(varied)["gray"][0, 0].numpy()
    planes = compute_guides(varied, ["segment_planes"], _SETTINGS)["segment_planes"]
    np.testing.assert_array_equal(planes[0].numpy(), segment_planes(gray))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("visible", {"flow": FlowSettings(method="truth")}, r"set guides\.flow\.method=dis"),
        ("refiner_flow", {"flow": FlowSettings(method="truth")}, r"guides\.flow\.method=dis"),
        (
            "segment_areas",
            {"segments": SegmentSettings(source="truth")},
            r"segments\.source=truth needs .*: set guides\.segments\.source=watershed",
        ),
    ],
)
def test_a_truth_that_is_not_known_is_refused(name: str, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute_guides(_clip(2), [name], GuideSettings(**settings))


def test_true_frames_cost_little_under_their_own_guides() -> None:
    clip = _clip(2)
    guides = compute_guides(clip, ["flow", "visible"], _SETTINGS)
    batch = default_collate([guides])
    truth = _color(clip)[None]
    assert float(Temporal()(truth.unsqueeze(2), truth, batch)) < 0.01


@pytest.mark.parametrize("name", ["flows", "x"])
def test_an_unknown_guide_is_refused(name: str) -> None:
    hint = "did you mean 'flow'" if name == "flows" else "expected one of flow, visible"
    with pytest.raises(ValueError, match=rf"no guide '{name}': {hint}"):
        compute_guides(_clip(1), [name], _SETTINGS)


def test_too_many_known_segments_are_refused() -> None:
    labels = torch.arange(48 * 64, dtype=torch.int32).view(1, 48, 64)
    with pytest.raises(ValueError, match=r"segments\.maximum is 64, but .* 3072 segments"):
        compute_guides(_clip(1), ["segments"], _SETTINGS, known={"segments": labels})


@pytest.fixture(scope="module")
def shot() -> CartoonShot:
    """Return a shot whose camera pans by some 20 pixels between two drawings."""
    series = CartoonSeries(seed=0, size=(240, 320), shots=1, frames_per_shot=4, effects=False)
    return series.shot(0)


def _true_guides(shot: CartoonShot) -> dict[str, torch.Tensor]:
    return {
        "flow": torch.from_numpy(shot.flow).permute(0, 3, 1, 2).contiguous(),
        "visible": torch.from_numpy(shot.visible)[:, None],
        "segments": torch.from_numpy(shot.segments),
    }


def test_true_frames_of_a_cartoon_cost_nothing_on_their_true_flow(shot: CartoonShot) -> None:
    guides = compute_guides(shot.color, GUIDES, GuideSettings(), known=_true_guides(shot))
    batch = {name: guide[None] for name, guide in guides.items()}
    truth = _color(shot.color)[None]
    outputs = truth.unsqueeze(2).expand(-1, -1, 4, -1, -1, -1)
    assert float(Temporal()(outputs, truth, batch)) < 1e-3
    assert float(TemporalSecondOrder()(outputs, truth, batch)) < 2e-3
    still = {**batch, "flow": torch.zeros_like(batch["flow"])}
    assert float(Temporal()(outputs, truth, still)) > 2e-2


def test_colours_agree_where_a_cartoon_is_visible(shot: CartoonShot) -> None:
    known = _true_guides(shot)
    visible = known.pop("visible")
    agreed = compute_guides(shot.color, ["visible"], GuideSettings(), known=known)["visible"]
    assert float(agreed[visible].float().mean()) > 0.99
    hidden = ~visible[1:]
    assert float(agreed[1:][hidden].float().mean()) < 0.9


def test_dis_follows_a_cartoon(shot: CartoonShot) -> None:
    known = _true_guides(shot)
    flow = compute_guides(shot.color, ["flow"], GuideSettings())["flow"]
    error = (flow - known["flow"]).norm(dim=1, keepdim=True)[known["visible"]]
    size = known["flow"].norm(dim=1, keepdim=True)[known["visible"]]
    assert float(error.mean()) < 0.3 * float(size.mean())


def test_true_segments_of_a_cartoon_are_taken_over(shot: CartoonShot) -> None:
    names = ["segments", "segment_areas"]
    guides = compute_guides(shot.color, names, GuideSettings(), known=_true_guides(shot))
    for index, true in enumerate(shot.segments):
        labels = guides["segments"][index].numpy()
        _, areas = np.unique(true, return_counts=True)
        assert adapted_rand_error(true + 1, labels + 1)[0] == pytest.approx(0, abs=1e-12)
        assert guides["segment_areas"][index].numpy()[: len(areas)].tolist() == areas.tolist()


def test_the_watershed_finds_a_cartoons_fills(shot: CartoonShot) -> None:
    labels = compute_guides(shot.color, ["segments"], GuideSettings())["segments"].numpy()
    for true, found in zip(shot.segments, labels, strict=True):
        assert adapted_rand_error(true + 1, found + 1)[0] < 0.25
        assert adapted_rand_error(true + 1, np.ones_like(found))[0] > 0.4  # one segment
