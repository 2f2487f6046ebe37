"""Batches keep to shots, and colours that depend on the frame before see all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from colorize.cartoon import CartoonSeries
from colorize.data import Clip, ClipDataset
from colorize.data.references import ReferenceScope
from colorize.evaluation import footage
from colorize.evaluation.baselines import Baseline
from colorize.evaluation.footage import (
    Batch,
    FootageError,
    PairedFrames,
    StreamReader,
    colored_clips,
)
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.inference.colorizer import Colorizer
from colorize.media import open_source
from colorize.motion.propagation import Tracks
from tests.colorize.media.films import make_film
from tests.colorize.tiny import write_reference_safetensors, write_safetensors

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def dataset() -> ClipDataset:
    """Return a clip of two shots of 5 and 7 frames, and one of 3 frames."""
    series = CartoonSeries(seed=3, size=(32, 48), shots=3, frames_per_shot=7, effects=False)
    first, second, third = (series.color(shot) for shot in range(3))
    frames = np.concatenate([first[:5], second])
    clips = [Clip(name="two", frames=frames, shots=(0, 5)), Clip(name="one", frames=third[:3])]
    return ClipDataset(clips=clips)


def _colorizer(folder: Path, **choices: object) -> Colorizer:
    return Colorizer.load(write_safetensors(folder / "m.safetensors", **choices), device="cpu")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Colorizer:
    return _colorizer(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def refined(tmp_path_factory) -> Colorizer:
    return _colorizer(tmp_path_factory.mktemp("refined"), refiner={"channels": [4, 4]})


def _walk(colorizer: Colorizer, dataset: ClipDataset, **choices: object) -> list[Batch]:
    refine = choices.pop("refine", None)
    settings = {"every": 1, "batch_size": 4, "whole": True} | choices
    return list(colored_clips(StreamReader(colorizer.stream(refine=refine)), dataset, **settings))


def _layout(batches: list[Batch]) -> list[tuple[str, int, list[int], list[int]]]:
    return [(b.clip, b.shot, [int(name) for name in b.names], b.measured) for b in batches]


def test_batches_end_with_their_shot(plain: Colorizer, dataset: ClipDataset) -> None:
    assert _layout(_walk(plain, dataset)) == [
        ("two", 0, [0, 1, 2, 3], [0, 1, 2, 3]),
        ("two", 0, [4], [0]),
        ("two", 5, [5, 6, 7, 8], [0, 1, 2, 3]),
        ("two", 5, [9, 10, 11], [0, 1, 2]),
        ("one", 0, [0, 1, 2], [0, 1, 2]),
    ]


def test_all_frames_are_coloured_and_every_third_measured(
    plain: Colorizer, dataset: ClipDataset
) -> None:
    whole = _walk(plain, dataset, every=3)
    assert _layout(whole)[:3] == [
        ("two", 0, [0, 1, 2, 3], [0, 3]),
        ("two", 0, [4], []),
        ("two", 5, [5, 6, 7, 8], [1]),
    ]
    part = whole[0].only_measured()
    assert (part.names, part.measured) == (["000000", "000003"], [0, 1])
    assert torch.equal(part.outputs, whole[0].outputs[[0, 3]])
    assert torch.equal(part.truth, whole[0].truth[[0, 3]])
    assert whole[1].only_measured().names == []


def test_frames_that_nothing_needs_are_not_coloured(plain: Colorizer, dataset: ClipDataset) -> None:
    few = _walk(plain, dataset, every=3, whole=False)
    assert _layout(few) == [
        ("two", 0, [0, 3], [0, 1]),
        ("two", 5, [6, 9], [0, 1]),
        ("one", 0, [0], [0]),
    ]
    whole = _walk(plain, dataset, every=3)
    torch.testing.assert_close(few[0].outputs, whole[0].outputs[[0, 3]])
    expected = plain.variants(few[0].gray)
    torch.testing.assert_close(few[0].outputs, expected)


@pytest.mark.parametrize(
    ("scope", "count", "shown"),
    [("clip", 2, {0: [3, 9], 5: [3, 9]}), ("shot", 1, {0: [2], 5: [8]})],
)
def test_frames_shown_in_colour_serve_their_scope_and_are_not_measured(
    dataset: ClipDataset, scope: ReferenceScope, count: int, shown: dict[int, list[int]]
) -> None:
    """Copied colours say which frame they come from."""
    settings = {"every": 1, "batch_size": 4, "whole": False, "references": count, "scope": scope}
    batches = list(colored_clips(Baseline("copied"), dataset, **settings))
    everywhere = {number for numbers in shown.values() for number in numbers}
    clip, measured = dataset.clips[0], set[int]()
    for batch in (each for each in batches if each.clip == clip.name):
        numbers = [int(name) for name in batch.names]
        measured.update(numbers[place] for place in batch.measured)
        for number, output in zip(numbers, batch.outputs, strict=True):
            nearest = min(shown[batch.shot], key=lambda other: abs(other - number))
            source = to_tensor(clip.frames[nearest][None], CPU)
            expected = join_in_gamut(rgb_to_luma(output), rgb_to_chroma(source))
            torch.testing.assert_close(output, expected, atol=1e-5, rtol=0)
    assert measured == set(range(clip.count)) - everywhere


@pytest.mark.parametrize("every", [1, 3])
def test_all_frames_are_watched_also_those_that_are_not_coloured(
    dataset: ClipDataset, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footage, "_WATCHED", 4)
    seen: list[object] = []

    class Watching(Baseline):
        def reset(self) -> None:
            seen.append("shot")

        def watch(self, gray: Iterator[Tensor], numbers: Sequence[int]) -> None:
            clip = dataset.clips[0 if seen.count("shot") < 3 else 1]
            expected = rgb_to_luma(to_tensor(clip.frames[list(numbers)], CPU))
            assert torch.equal(torch.cat(list(gray)), expected)
            seen.append(list(numbers))

    settings = {"every": every, "batch_size": 2, "whole": False, "references": 1, "scope": "clip"}
    for batch in colored_clips(Watching("copied"), dataset, **settings):
        numbers = [int(name) for name in batch.names]
        assert set(numbers) <= set(seen[-1])
    assert seen == [
        "shot", [0, 1, 2, 3], [4], "shot", [5, 6, 7, 8], [9, 10, 11], "shot", [0, 1, 2]
    ]  # fmt: skip


def test_watched_frames_are_coloured_by_their_tracks(tmp_path: Path, dataset: ClipDataset) -> None:
    checkpoint = write_reference_safetensors(tmp_path / "m.safetensors")
    stream = Colorizer.load(checkpoint, device="cpu").stream()
    reader = StreamReader(stream)
    truth = to_tensor(dataset.clips[0].frames[:5], CPU)
    gray = rgb_to_luma(truth)
    reader.show([truth[:1]], [0])
    reader.reset()
    reader.watch(iter(gray[:3].split(1)), [0, 1, 2])
    reader.watch(iter(gray[3:].split(1)), [3, 4])
    colored = reader(gray[4:], [4])

    first = Tracks(gray[:3])
    first.follow("0", gray[:1])
    then = Tracks(gray[3:], before=first.state)
    then.follow("0", gray[:1])
    torch.testing.assert_close(colored, stream(gray[4:], tracked=then.of(["0"], [1])))
    assert (colored - stream(gray[4:])).abs().max() > 1e-4
    reader.reset()  # another shot, not watched: no track of this one may remain
    torch.testing.assert_close(reader(gray[4:], [4]), stream(gray[4:]))


def test_a_refined_frame_goes_on_from_the_one_before_it_also_over_batches(
    refined: Colorizer, dataset: ClipDataset
) -> None:
    whole = _walk(refined, dataset, batch_size=12)
    parts = _walk(refined, dataset, batch_size=2, every=5, whole=False)
    assert [b.shot for b in whole] == [0, 5, 0]
    joined = torch.cat([b.outputs for b in parts])
    torch.testing.assert_close(joined, torch.cat([b.outputs for b in whole]), atol=1e-5, rtol=0)
    # A shot starts afresh: after a cut the colours are those of the shot alone.
    alone = refined.stream()(whole[1].gray)
    torch.testing.assert_close(whole[1].outputs, alone, atol=1e-5, rtol=0)
    carried = refined.stream()(torch.cat([whole[0].gray, whole[1].gray]))[5:]
    assert float((carried - alone).abs().max()) > 1e-3


def test_without_the_refiner_the_main_network_is_measured(
    refined: Colorizer, dataset: ClipDataset
) -> None:
    alone = _walk(refined, dataset, refine=False, every=3, whole=False)
    assert [len(b.names) for b in alone] == [2, 2, 1]  # it needs no other frames
    torch.testing.assert_close(alone[0].outputs, refined.variants(alone[0].gray))


def _write(folder: Path, frames: list[np.ndarray]) -> Path:
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:02d}.png")
    return folder


def _pairs(prediction: Path, truth: Path) -> PairedFrames:
    return PairedFrames("c", prediction=open_source(prediction), truth=open_source(truth))


def _batches(pairs: PairedFrames, **choices: object) -> list[Batch]:
    settings = {"every": 1, "batch_size": 8, "whole": True} | choices
    return list(pairs.batches(device=CPU, **settings))


def test_shots_of_frames_are_found_in_the_truth(tmp_path: Path) -> None:
    series = CartoonSeries(seed=3, size=(54, 96), shots=2, frames_per_shot=10, effects=False)
    frames = [*series.color(0), *series.color(1)]
    _write(tmp_path / "truth", frames)
    _write(tmp_path / "tool", [frame // 2 for frame in frames])
    pairs = _pairs(tmp_path / "tool", tmp_path / "truth")
    batches = _batches(pairs)
    assert [(b.shot, len(b.names)) for b in batches] == [(0, 8), (0, 2), (10, 8), (10, 2)]
    assert torch.equal(batches[2].truth, to_tensor(np.stack(frames[10:18]), CPU))
    assert torch.equal(batches[2].outputs[:, 0], to_tensor(np.stack(frames[10:18]) // 2, CPU))
    few = _batches(pairs, every=6, whole=False)
    assert [(b.names, b.measured) for b in few] == [
        (["00.png", "06.png", "12.png", "18.png"], [0, 1, 2, 3])
    ]
    every = _batches(pairs, every=6)
    assert [b.names[i] for b in every for i in b.measured] == few[0].names


def test_frames_of_another_size_start_a_shot(tmp_path: Path) -> None:
    large, small = np.full((40, 60, 3), 90, np.uint8), np.full((40, 50, 3), 90, np.uint8)
    for folder in ("tool", "truth"):
        _write(tmp_path / folder, [large, large, small, large])
    batches = _batches(_pairs(tmp_path / "tool", tmp_path / "truth"))
    assert [(b.shot, b.truth.shape[-1], len(b.names)) for b in batches] == [
        (0, 60, 2),
        (2, 50, 1),
        (3, 60, 1),
    ]


def test_films_of_unlike_lengths_are_refused(tmp_path: Path) -> None:
    make_film(tmp_path / "truth.mp4", count=6, audio=None)
    make_film(tmp_path / "tool.mp4", count=4, audio=None)
    pairs = _pairs(tmp_path / "tool.mp4", tmp_path / "truth.mp4")
    with pytest.raises(FootageError, match=r"differ in length after 4 frames"):
        _batches(pairs)


def test_sixteen_bits_keep_their_depth() -> None:
    frames = np.array([[[[65535, 257, 128]]]], dtype=np.uint16)
    expected = torch.tensor([1.0, 1 / 255, 128 / 65535]).view(1, 3, 1, 1)
    torch.testing.assert_close(to_tensor(frames, CPU), expected)
