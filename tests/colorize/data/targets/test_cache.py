from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from colorize.data.sampler import Sample
from colorize.data.targets.cache import cache_file, read_targets, write_targets
from colorize.data.targets.compute import GROUPS
from colorize.data.targets.settings import (
    FlowSettings,
    NeighborSettings,
    SegmentSettings,
    TargetSettings,
)

SAMPLE = Sample(clip=3, frame=7, length=2, size=(8, 10), seed=1)
RAFT = FlowSettings(method="raft_small")


def file(group: str = "flow", **changes: Any) -> str:
    arguments: dict[str, Any] = {
        "names": GROUPS[group],
        "settings": TargetSettings(cache="targets"),
        "clip": "abc",
        "sample": SAMPLE,
    }
    return str(cache_file(group=group, **{**arguments, **changes}))


def settings(**changes: Any) -> TargetSettings:
    return TargetSettings(cache="targets", **changes)


def targets() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return {
        "flow": torch.rand(2, 2, 8, 10, generator=random),
        "visible": torch.rand(2, 1, 8, 10, generator=random) < 0.5,
        "segments": torch.randint(0, 9, (2, 8, 10), generator=random, dtype=torch.int32),
    }


@pytest.mark.parametrize(
    "change",
    [
        {"clip": "abd"},
        {"sample": replace(SAMPLE, frame=8)},
        {"sample": replace(SAMPLE, length=3)},
        {"sample": replace(SAMPLE, size=(8, 12))},
        {"names": frozenset({"flow"})},
        {"group": "segments"},
        {"settings": settings(flow=FlowSettings(threshold=0.1))},
        {"settings": settings(flow=RAFT)},
    ],
)
def test_what_decides_a_target_decides_its_file(change: dict) -> None:
    assert file(**change) != file()


@pytest.mark.parametrize(
    ("group", "first", "second"),
    [
        ("flow", {}, {"neighbors": NeighborSettings(count=9)}),
        ("flow", {}, {"segments": SegmentSettings(depth=9)}),
        ("flow", {}, {"flow": FlowSettings(weights="of RAFT alone")}),
        ("refiner_flow", {}, {"flow": FlowSettings(threshold=0.1)}),
        ("refiner_flow", {}, {"refiner_flow": FlowSettings()}),
        ("segments", {}, {"flow": RAFT}),
        ("neighbors", {}, {"neighbors": NeighborSettings(radius=3)}),
        ("segment_planes", {}, {"segments": SegmentSettings(depth=9), "flow": RAFT}),
    ],
)
def test_settings_that_a_target_does_not_depend_on_do_not_matter(
    group: str, first: dict, second: dict
) -> None:
    same = {"settings": settings(**first)}, {"settings": settings(**second)}
    assert file(group, **same[0]) == file(group, **same[1])
    assert file(group, sample=replace(SAMPLE, seed=9, clip=0)) == file(group)


@pytest.mark.parametrize(
    ("group", "first", "second"),
    [
        ("refiner_flow", {"flow": RAFT}, {"flow": RAFT, "refiner_flow": FlowSettings()}),
        ("segments", {}, {"segments": SegmentSettings(neighbors=4)}),
        ("segments", {}, {"segments": SegmentSettings(source="truth")}),
        ("neighbors", {}, {"neighbors": NeighborSettings(method="windowed")}),
    ],
)
def test_settings_that_a_target_depends_on_matter(group: str, first: dict, second: dict) -> None:
    assert file(group, settings=settings(**first)) != file(group, settings=settings(**second))


def test_flow_alone_does_not_depend_on_what_is_visible() -> None:
    def alone(**flow: Any) -> str:
        return file(names=frozenset({"flow"}), settings=settings(flow=FlowSettings(**flow)))

    assert alone(threshold=0.2, visibility="both") == alone()
    assert alone(method="truth") != alone()


def test_another_weights_file_makes_another_flow(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "copy", "b")]
    for path, content in zip(paths, (b"one", b"one", b"two"), strict=True):
        path.write_bytes(content)
    files = [
        file(settings=settings(flow=FlowSettings(method="raft_small", weights=str(path))))
        for path in paths
    ]
    assert files[0] == files[1] != files[2]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "flow" / "ab" / "x.npz"
    assert read_targets(path, frozenset(targets())) is None
    write_targets(path, targets())
    read = read_targets(path, frozenset(targets()))
    assert read is not None
    assert read.keys() == targets().keys()
    for name, target in targets().items():
        assert read[name].dtype == target.dtype
        assert torch.equal(read[name], target)
    assert [each.name for each in path.parent.iterdir()] == ["x.npz"]


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "flipped", "lacking"])
def test_a_damaged_file_is_named_and_not_used(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.npz"
    write_targets(path, targets())
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    broken = {
        "cut": path.read_bytes()[:-200],
        "empty": b"",
        "foreign": b"no archive at all",
        "flipped": bytes(content),
    }
    names = frozenset({*targets(), *(["neighbors"] if damage == "lacking" else [])})
    path.write_bytes(broken.get(damage, path.read_bytes()))
    with pytest.warns(UserWarning, match=r"x\.npz: damaged \(.+\); computed again"):
        assert read_targets(path, names) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"targets\.cache: .*file/x\.npz: cannot be written \(.+\)"
    ):
        write_targets(tmp_path / "file" / "x.npz", targets())


def _write_often(path: Path) -> int:
    for _ in range(40):
        write_targets(path, targets())
    return 40


def test_two_writers_may_meet_at_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    write_targets(path, targets())
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(_write_often, path) for _ in range(2)]
        while not all(each.done() for each in running):
            read = read_targets(path, frozenset(targets()))  # a warning would be an error
            assert read is not None
            assert torch.equal(read["flow"], targets()["flow"])
        assert [each.result() for each in running] == [40, 40]
    assert [each.name for each in tmp_path.iterdir()] == ["x.npz"]
