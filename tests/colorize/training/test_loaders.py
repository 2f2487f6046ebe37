"""What the loaders of a run hand to training and validation."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from colorize.data import Augment, Clip, ClipDataset
from colorize.data.corruption import Corruption
from colorize.data.targets.clip import ClipTargets
from colorize.data.targets.settings import FlowSettings, NeighborSettings, TargetSettings
from colorize.training.loaders import Loaders

SAMPLING = {
    "stills": 6,
    "pairs": 4,
    "length": 2,
    "batch_size": 2,
    "workers": 0,
    "stages": [{"epochs": 1, "size": [12, 16]}, {"epochs": 2, "size": [24, 32]}],
}


def clips(count: int, frames: int, first: int = 0) -> ClipDataset:
    random = np.random.default_rng(first)
    return ClipDataset(
        clips=[
            Clip(
                name=f"clip-{first + number}",
                frames=random.integers(0, 256, (frames, 24, 32, 3), dtype=np.uint8),
            )
            for number in range(count)
        ]
    )


def loaders(
    *, seed: int = 0, augment: Any = None, settings: Any = None, **sampling: Any
) -> Loaders:
    return Loaders(
        train=clips(3, 5),
        val=clips(2, 7, first=10),
        augment=augment,
        sampling=SAMPLING | sampling,
        seed=seed,
        frames_per_clip=3,
        **(settings or {}),
    )


def targets(*names: str, **choices: Any) -> ClipTargets:
    return ClipTargets(names=names, settings=TargetSettings(**choices))


def epoch(made: Loaders, number: int = 0) -> list[dict[str, torch.Tensor]]:
    loader = made.train_dataloader()
    loader.batch_sampler.set_epoch(number)
    return list(loader)


def same(first: list[dict[str, torch.Tensor]], second: list[dict[str, torch.Tensor]]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(one[key], other[key])
        for one, other in zip(first, second, strict=True)
        for key in ("gray", "color")
    )


def test_an_epoch_holds_the_stills_and_pairs_asked_for() -> None:
    batches = epoch(loaders())
    shapes = sorted(tuple(batch["color"].shape) for batch in batches)
    assert shapes == [(2, 1, 3, 12, 16)] * 3 + [(2, 2, 3, 12, 16)] * 2
    for batch in batches:
        red, green, blue = batch["color"].double().unbind(2)
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        torch.testing.assert_close(batch["gray"][:, :, 0].double(), luma, rtol=0, atol=1e-6)


def test_the_size_follows_the_stages() -> None:
    sizes = [tuple(epoch(loaders(), number)[0]["gray"].shape[-2:]) for number in range(4)]
    assert sizes == [(12, 16), (24, 32), (24, 32), (24, 32)]


@pytest.mark.parametrize("augment", [None, Augment()])
def test_a_seed_decides_every_batch(augment) -> None:
    assert same(epoch(loaders(augment=augment)), epoch(loaders(augment=augment)))
    # Stills alone, so that batches differ by what they hold and not by their order.
    stills = {"augment": augment, "pairs": 0, "stages": [{"epochs": 1, "size": [12, 16]}]}
    first = epoch(loaders(**stills))
    assert same(first, epoch(loaders(**stills)))
    assert not same(first, epoch(loaders(seed=1, **stills)))
    assert not same(first, epoch(loaders(**stills), 1))


def test_augmentation_is_for_training_alone() -> None:
    plain, varied = loaders(), loaders(augment=Augment())
    assert not same(epoch(plain), epoch(varied))
    assert same(list(plain.val_dataloader()), list(varied.val_dataloader()))


def test_processes_share_each_batch() -> None:
    def of(rank: int, world: int) -> list[dict[str, torch.Tensor]]:
        made = loaders()
        made.trainer = SimpleNamespace(global_rank=rank, world_size=world)
        return epoch(made)

    halves = [
        {key: torch.cat([one[key], other[key]]) for key in one}
        for one, other in zip(of(0, 2), of(1, 2), strict=True)
    ]
    assert len(halves[0]["gray"]) == 2
    assert same(of(0, 1), halves)


def test_validation_frames_are_fixed() -> None:
    made = loaders()
    first = list(made.val_dataloader())
    assert [tuple(batch["color"].shape) for batch in first] == [(1, 1, 3, 24, 32)] * 6
    assert same(first, list(made.val_dataloader()))
    # The middles of three equal parts of 7 frames, at the stored size.
    stored = [made.val.clips[clip].frames[frame] for clip in (0, 1) for frame in (1, 3, 5)]
    for batch, frame in zip(first, stored, strict=True):
        shown = batch["color"][0, 0].permute(1, 2, 0).numpy() * 255
        np.testing.assert_allclose(shown, frame, rtol=0, atol=1e-3)


def test_pairs_may_hold_three_frames() -> None:
    shapes = {tuple(batch["color"].shape[:2]) for batch in epoch(loaders(length=3))}
    assert shapes == {(2, 1), (2, 3)}


def test_training_sees_the_frame_before_and_all_targets_validation_neither() -> None:
    settings = {
        "targets": targets("neighbors", "segment_planes", neighbors=NeighborSettings(count=3)),
        "previous": True,
        "validation_length": 2,
    }
    made = loaders(settings=settings)
    for batch in epoch(made):
        count = batch["color"].shape[1]
        assert batch["previous_color"].shape == batch["color"].shape
        assert batch["has_previous"].shape == (2, count)
        assert batch["neighbors"].shape == (2, count, 3, 12, 16)
        assert batch["segment_planes"].shape == (2, count, 2, 12, 16)
    checked = list(made.val_dataloader())
    assert len(checked) == 6
    for batch in checked:
        assert batch.keys() == {"gray", "color"}
        assert batch["gray"].shape == (1, 2, 1, 24, 32)


def test_the_frame_before_is_spoilt_and_everything_else_stays() -> None:
    settings = {"previous": True, "corruption": Corruption(drop=0.5, each=1.0)}
    known = []
    for spoilt, plain in zip(
        epoch(loaders(settings=settings)), epoch(loaders(settings={"previous": True})), strict=True
    ):
        assert torch.equal(spoilt["color"], plain["color"])
        assert not torch.allclose(spoilt["previous_color"], plain["previous_color"], atol=0.02)
        assert (spoilt["has_previous"] <= plain["has_previous"]).all()
        known += [spoilt["has_previous"].float().sum(), plain["has_previous"].float().sum()]
    assert 0 < sum(known[::2]) < sum(known[1::2])


def test_training_with_a_cache_is_training_without(tmp_path: Path) -> None:
    def of(cache: str | None) -> list[dict[str, torch.Tensor]]:
        return epoch(loaders(settings={"targets": targets("neighbors", "segments", cache=cache)}))

    plain, written, read = of(None), of(str(tmp_path)), of(str(tmp_path))
    for batches in (written, read):
        for one, other in zip(plain, batches, strict=True):
            assert one.keys() == other.keys()
            assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("augment", "name", "choices", "message"),
    [
        (Augment(), "flow", {"cache": "targets"}, r"set augment=none, or targets\.cache=null"),
        (None, "flow", {"flow": FlowSettings(method="truth")}, r"targets\.flow\.method=dis"),
    ],
)
def test_what_does_not_fit_together_is_refused_at_once(augment, name, choices, message) -> None:
    settings = {"targets": targets(name, **choices)}
    with pytest.raises(ValueError, match=message):
        loaders(augment=augment, settings=settings)


@pytest.mark.parametrize(
    ("wanted", "cuda", "cores", "expected"),
    [
        (None, False, 4, 0),
        (0, False, 4, 0),
        (3, False, 4, 3),
        (None, True, 4, 4),
        (None, True, 64, 8),
        (0, True, 64, 0),
    ],
)
def test_how_many_processes_load(monkeypatch, wanted, cuda, cores, expected) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)
    loader = loaders(workers=wanted).train_dataloader()
    assert loader.num_workers == expected
    assert loader.persistent_workers == (expected > 0)
    assert loaders(workers=wanted).val_dataloader().num_workers == 0


def test_more_processes_than_the_batch_has_samples_are_refused() -> None:
    made = loaders()
    made.trainer = SimpleNamespace(global_rank=0, world_size=4)
    with pytest.raises(ValueError, match=r"sampling\.batch_size: 2 .* multiple of the 4"):
        made.train_dataloader()
