from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from colorize.data.augment import Augment
from colorize.data.clip import Clip
from colorize.data.clips import ClipDataset
from colorize.data.manifest import ClipRecord, DatasetError, Manifest, save_manifest
from colorize.data.sampler import EpochSampler, Sample, Stage
from colorize.data.splits import PreparedClips

SIZE = (24, 40)


def array(seed: int, frames: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (frames, *SIZE, 3), dtype=np.uint8)


def in_memory(**settings: Any) -> ClipDataset:
    clips = [
        Clip(name="run", frames=array(0, 6), shots=(0, 4)),
        Clip(name="sit", frames=array(1, 3)),
        Clip(name="still", frames=array(2, 1)),
    ]
    return ClipDataset(clips=clips, **settings)


def record(name: str, frames: int, **changes: Any) -> ClipRecord:
    values: dict[str, Any] = {
        "name": name,
        "source": f"{name}.mp4",
        "path": f"/films/{name}.mp4",
        "fingerprint": f"of {name}",
        "first_frame": 2,
        "size": SIZE,
        "fit": "crop",
        "frames": frames,
        "rate": "24000/1001",
        "shots": (0,),
        "dark_frames": 0,
        "repeated_frames": 0,
        "split": "train",
    }
    return ClipRecord(**{**values, **changes})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset on disk with the frames of :func:`in_memory` and one clip for validation."""
    (tmp_path / "frames").mkdir()
    records = [
        record("run", 6, shots=(0, 4)),
        record("sit", 3),
        record("still", 1),
        record("other", 2, split="val"),
    ]
    for seed, each in enumerate(records):
        np.save(tmp_path / each.file, array(seed, each.frames))
    save_manifest(Manifest(SIZE, "crop", tuple(records), (0.8, 0.1, 0.1), 0), tmp_path)
    return tmp_path


def request(clip: int, frame: int, *, length: int = 1, size: Any = SIZE, seed: int = 0) -> Sample:
    return Sample(clip=clip, frame=frame, length=length, size=size, seed=seed)


def test_pairs_never_cross_a_cut() -> None:
    dataset = in_memory()
    pairs = [tuple(row) for row in dataset.runs(2).tolist()]
    assert pairs == [(0, 1), (0, 2), (0, 3), (0, 5), (1, 1), (1, 2)]
    assert dataset.runs(3).tolist() == [[0, 2], [0, 3], [1, 2]]
    assert dataset.runs(4).tolist() == [[0, 3]]
    assert dataset.runs(5).shape == (0, 2)
    assert len(dataset) == len(dataset.runs(1)) == 10
    assert dataset.runs(1)[6].tolist() == [1, 0]


def test_a_clip_without_noted_shots_is_one_shot() -> None:
    assert Clip(name="run", frames=array(0, 4), shots=()).runs(3).tolist() == [2, 3]
    assert Clip(name="run", frames=array(0, 4), shots=(2,)).runs(2).tolist() == [1, 3]


@pytest.mark.parametrize(
    ("shots", "expected"),
    [
        ((0, 2, 5), [(0, 2), (0, 2), (2, 5), (2, 5), (2, 5), (5, 6)]),
        ((), [(0, 6)] * 6),
        ((4,), [(0, 4)] * 4 + [(4, 6)] * 2),
    ],
)
def test_the_shot_of_a_frame_ends_where_the_next_begins(shots: tuple, expected: list) -> None:
    clip = Clip(name="run", frames=array(0, 6), shots=shots)
    assert [clip.shot_of(frame) for frame in range(6)] == expected


@pytest.mark.parametrize("augment", [None, Augment(crop=1.0, flip=0.5, tone=1.0, hue=0.1)])
def test_the_frame_before_is_varied_as_its_frame(augment: Augment | None) -> None:
    plain, both = in_memory(augment=augment), in_memory(augment=augment, previous=True)
    for seed in range(4):
        size = (16, 20)
        item = both[request(0, 3, length=2, size=size, seed=seed)]
        whole = plain[request(0, 3, length=3, size=size, seed=seed)]
        assert item.keys() == {"gray", "color", "previous_color", "has_previous"}
        torch.testing.assert_close(item["color"], whole["color"][1:], atol=1e-6, rtol=0)
        torch.testing.assert_close(item["previous_color"], whole["color"][:2], atol=1e-6, rtol=0)
        assert item["has_previous"].tolist() == [True, True]
        assert item["previous_color"].shape == (2, 3, 16, 20)
        assert not torch.equal(item["previous_color"][1], item["color"][1])


def test_a_frame_that_starts_a_shot_stands_for_the_frame_before() -> None:
    dataset = in_memory(previous=True)
    for clip, frame in ((0, 0), (0, 4), (1, 0)):
        still = dataset[request(clip, frame)]
        assert torch.equal(still["previous_color"], still["color"])
        assert still["has_previous"].tolist() == [False]
    run = dataset[request(0, 5, length=2)]
    assert torch.equal(run["previous_color"], run["color"][[0, 0]])
    assert run["has_previous"].tolist() == [False, True]
    assert ClipDataset(clips=dataset.clips)[request(0, 2)].keys() == {"gray", "color"}


class Watched(np.ndarray):
    """Frames that note which of them are read."""

    read: ClassVar[list[tuple[int, int]]] = []

    def __getitem__(self, frames: Any) -> Any:
        self.read.append((frames.start, frames.stop))
        return np.asarray(self)[frames]


@pytest.mark.parametrize(("previous", "expected"), [(False, (2, 4)), (True, (1, 4))])
def test_no_more_frames_are_read_than_asked_for(previous: bool, expected: tuple) -> None:
    clip = Clip(name="run", frames=array(0, 6).view(Watched), shots=(0, 4))
    Watched.read.clear()
    _ = ClipDataset(clips=[clip], previous=previous)[request(0, 3, length=2)]
    assert Watched.read == [expected]


def test_what_is_known_of_a_clip_is_rendered_when_asked_for_and_kept() -> None:
    asked = []

    def truth(names: frozenset[str]) -> dict[str, np.ndarray]:
        asked.append(set(names))
        return {name: np.full((4, *SIZE), len(name)) for name in names}

    clip = Clip(name="run", frames=array(0, 4), truth=truth)
    assert asked == []
    flow, again = (clip.known(frozenset({"flow"}))["flow"] for _ in range(2))
    assert again is flow
    assert clip.known(frozenset({"segments"}))["segments"].max() == 8
    assert clip.known(frozenset({"flow", "segments"})).keys() == {"flow", "segments"}
    assert asked == [{"flow"}, {"flow", "segments"}]
    with pytest.raises(ValueError, match="clip 'sit': its true flow and segments are not known"):
        in_memory().clips[1].known(frozenset({"flow"}))


def test_a_still_and_a_pair_are_the_stored_frames_and_their_luma() -> None:
    dataset = in_memory()
    still, pair = dataset[request(0, 5)], dataset[request(1, 2, length=2)]
    assert still["gray"].shape == (1, 1, *SIZE)
    assert pair["gray"].shape == (2, 1, *SIZE)
    for example, frames in ((still, array(0, 6)[5:6]), (pair, array(1, 3)[1:3])):
        assert example["color"].dtype == example["gray"].dtype == torch.float32
        expected = frames.transpose(0, 3, 1, 2) / 255
        np.testing.assert_allclose(example["color"].numpy(), expected, atol=1e-6)
        for gray, frame in zip(example["gray"][:, 0], frames, strict=True):
            luma = cv2.cvtColor(frame.astype(np.float32) / 255, cv2.COLOR_RGB2GRAY)
            np.testing.assert_allclose(gray.numpy(), luma, atol=1e-6)


def test_another_size_is_reached_by_the_area_filter() -> None:
    color = in_memory()[request(0, 2, size=(12, 20))]["color"][0]
    blocks = array(0, 6)[2].reshape(12, 2, 20, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1) / 255
    assert np.abs(color.numpy() - blocks).max() <= 0.51 / 255


def test_gray_stays_the_luma_of_the_varied_colours() -> None:
    dataset = in_memory(augment=Augment(tone=1.0, hue=0.3))
    for seed in range(5):
        example = dataset[request(0, 2, length=2, size=(16, 16), seed=seed)]
        red, green, blue = example["color"].double().unbind(1)
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        torch.testing.assert_close(example["gray"][:, 0].double(), luma, atol=1e-6, rtol=0)


def test_the_seed_of_a_sample_decides_its_variation() -> None:
    dataset = in_memory(augment=Augment())
    first, again, other = (dataset[request(0, 2, seed=seed)]["color"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(in_memory(augment=Augment())[request(0, 2, seed=1)]["color"], first)
    plain = ClipDataset(clips=dataset.clips)[request(0, 2)]["color"]
    assert torch.equal(plain, in_memory()[request(0, 2)]["color"])


def test_a_prepared_dataset_serves_what_was_stored(root: Path) -> None:
    dataset = PreparedClips(root=root).split("train")
    assert [clip.name for clip in dataset.clips] == ["run", "sit", "still"]
    np.testing.assert_array_equal(dataset.runs(2), in_memory().runs(2))
    for sample in (request(0, 3, length=2), request(2, 0)):
        assert torch.equal(dataset[sample]["color"], in_memory()[sample]["color"])
    for clip, expected in zip(dataset.clips, in_memory().clips, strict=True):
        assert clip.name == expected.name
        np.testing.assert_array_equal(clip.frames, expected.frames)


def test_frames_on_disk_are_mapped_and_pickled_as_a_path(root: Path) -> None:
    dataset = PreparedClips(root=root).split("train")
    assert isinstance(dataset.clips[0].frames, np.memmap)
    before = len(pickle.dumps(dataset))
    dataset[request(0, 0)]
    packed = pickle.dumps(dataset)
    assert len(packed) == before < array(0, 6).nbytes
    copy = pickle.loads(packed)
    assert torch.equal(copy[request(0, 1)]["color"], dataset[request(0, 1)]["color"])


def test_workers_deliver_what_one_process_delivers(root: Path) -> None:
    dataset = ClipDataset(
        clips=PreparedClips(root=root).split("train").clips, augment=Augment(tone=0.5)
    )

    def batches(workers: int) -> list[dict[str, torch.Tensor]]:
        sampler = EpochSampler(
            dataset, stills=8, pairs=4, batch_size=2, seed=1, schedule=[Stage(1, (16, 24))]
        )
        context = "forkserver" if workers else None
        return list(
            DataLoader(
                dataset,
                batch_sampler=sampler,
                num_workers=workers,
                multiprocessing_context=context,
            )
        )

    alone, helped = batches(0), batches(2)
    assert len(alone) == len(helped) == 6
    for one, other in zip(alone, helped, strict=True):
        assert one.keys() == other.keys() == {"gray", "color"}
        assert one["gray"].shape[0] == 2
        assert one["gray"].shape[2:] == (1, 16, 24)
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_the_fingerprint_changes_with_the_data_only(root: Path) -> None:
    first = in_memory().fingerprint
    assert in_memory(augment=Augment()).fingerprint == first
    changed = array(0, 6)
    changed[5, -1, -1, -1] ^= 1
    clips = [Clip(name="run", frames=changed, shots=(0, 4)), *in_memory().clips[1:]]
    assert ClipDataset(clips=clips).fingerprint != first
    stored = PreparedClips(root=root).split("train").fingerprint
    assert PreparedClips(root=root).split("train").fingerprint == stored
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["clips"][0]["first_frame"] = 3
    (root / "manifest.json").write_text(json.dumps(manifest))
    assert PreparedClips(root=root).split("train").fingerprint != stored


def edit(root: Path, **changes: Any) -> None:
    manifest = json.loads((root / "manifest.json").read_text())
    (root / "manifest.json").write_text(json.dumps({**manifest, **changes}))


def test_what_is_wrong_with_a_dataset_is_said_in_one_line(root: Path, tmp_path: Path) -> None:
    def opened(split: str = "train", at: Path = root) -> ClipDataset:
        return PreparedClips(root=at).split(split)

    with pytest.raises(DatasetError, match=r"nowhere/manifest\.json: no prepared .* colorize-prep"):
        opened(at=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="split is 'valid': expected train, val or test"):
        opened("valid")
    with pytest.raises(DatasetError, match="no clip is in the split 'test'"):
        opened("test")
    np.save(root / "frames" / "sit.npy", array(1, 4))
    with pytest.raises(DatasetError, match=r"sit\.npy: expected uint8 \(3, 24.* got uint8 \(4, 24"):
        _ = opened().clips[1].frames
    (root / "frames" / "sit.npy").unlink()
    with pytest.raises(DatasetError, match=r"sit\.npy: missing; run the same colorize-prepare"):
        opened()
    edit(root, version=99)
    with pytest.raises(DatasetError, match="expected version 1, got 99"):
        opened()
    edit(root, format="other")
    with pytest.raises(DatasetError, match="not the manifest of a tooncolor-dataset"):
        opened()
    (root / "manifest.json").write_text("{")
    with pytest.raises(DatasetError, match="expected JSON"):
        opened()


def test_a_file_of_frames_needs_its_shape() -> None:
    with pytest.raises(ValueError, match="'run': give the shape"):
        Clip(name="run", frames=Path("run.npy"))
