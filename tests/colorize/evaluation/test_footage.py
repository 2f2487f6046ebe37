"""Batches keep to shots, and colours that depend on the frame before see all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.base.errors import UserError
from colorize.cartoon import CartoonSeries
from colorize.data import Clip, ClipDataset
from colorize.data.references import ReferenceScope
from colorize.evaluation.baselines import Baseline
from colorize.evaluation.footage import (
    Batch,
    EngineReader,
    PairedFrames,
    colored_clips,
)
from colorize.imaging.color import join_in_gamut, rgb_to_chroma, rgb_to_luma
from colorize.imaging.tensors import to_tensor
from colorize.inference.engine import ShotEngine
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, open_source
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


def _networks(folder: Path, **choices: object) -> LoadedNetworks:
    return LoadedNetworks.load(write_safetensors(folder / "m.safetensors", **choices), device="cpu")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> LoadedNetworks:
    return _networks(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def refined(tmp_path_factory) -> LoadedNetworks:
    return _networks(tmp_path_factory.mktemp("refined"), refiner={"channels": [4, 4]})


LOOSE = RenderSettings(stillness=0.0)


def _walk(
    networks: LoadedNetworks,
    dataset: ClipDataset,
    look: RenderSettings = LOOSE,
    **choices: object,
) -> list[Batch]:
    settings = {"every": 1, "batch_size": 4, "whole": True} | choices
    reader = EngineReader(networks, look, batch_size=int(str(settings["batch_size"])))
    return list(colored_clips(reader, dataset, **settings))


def _of_engine(
    networks: LoadedNetworks, pictures: np.ndarray, look: RenderSettings = LOOSE
) -> torch.Tensor:
    """What the shot engine makes of a shot: every frame in its K colourings."""
    frames = [Frame(number, "", rgb) for number, rgb in enumerate(pictures)]
    colored = [np.stack([each.rgb for each in row]) for row in ShotEngine(networks, look)(frames)]
    return torch.stack([to_tensor(row) for row in colored])


def _layout(batches: list[Batch]) -> list[tuple[str, int, list[int], list[int]]]:
    return [(b.clip, b.shot, [int(name) for name in b.names], b.measured) for b in batches]


def test_batches_end_with_their_shot(plain: LoadedNetworks, dataset: ClipDataset) -> None:
    assert _layout(_walk(plain, dataset)) == [
        ("two", 0, [0, 1, 2, 3], [0, 1, 2, 3]),
        ("two", 0, [4], [0]),
        ("two", 5, [5, 6, 7, 8], [0, 1, 2, 3]),
        ("two", 5, [9, 10, 11], [0, 1, 2]),
        ("one", 0, [0, 1, 2], [0, 1, 2]),
    ]


def test_all_frames_are_coloured_and_every_third_measured(
    plain: LoadedNetworks, dataset: ClipDataset
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


def test_frames_that_nothing_needs_are_not_coloured(
    plain: LoadedNetworks, dataset: ClipDataset
) -> None:
    few = _walk(plain, dataset, every=3, whole=False)
    assert _layout(few) == [
        ("two", 0, [0, 3], [0, 1]),
        ("two", 5, [6, 9], [0, 1]),
        ("one", 0, [0], [0]),
    ]
    whole = _walk(plain, dataset, every=3)
    assert (few[0].outputs - whole[0].outputs[[0, 3]]).abs().max() <= 1 / 255 + 1e-6
    assert torch.equal(few[0].outputs, _of_engine(plain, dataset.clips[0].frames[[0, 3]]))


def test_colours_that_hold_still_need_the_frames_around(
    plain: LoadedNetworks, dataset: ClipDataset
) -> None:
    shown = _walk(plain, dataset, RenderSettings(), every=3, whole=False, batch_size=12)
    assert _layout(shown)[1] == ("two", 5, [5, 6, 7, 8, 9, 10, 11], [1, 4])
    expected = _of_engine(plain, dataset.clips[0].frames[5:], RenderSettings())
    assert torch.equal(shown[1].outputs, expected)
    assert not torch.equal(expected, _of_engine(plain, dataset.clips[0].frames[5:]))


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


def test_frames_are_shown_in_colour_to_the_engine_but_not_measured(
    tmp_path: Path, dataset: ClipDataset
) -> None:
    path = write_reference_safetensors(tmp_path / "m.safetensors")
    networks = LoadedNetworks.load(path, device="cpu")
    shown, hidden, without = (
        _walk(networks, dataset, references=count, scope="shot", show=show)
        for count, show in ((1, True), (1, False), (0, True))
    )
    measured = {(b.clip, b.names[place]) for b in shown for place in b.measured}
    own = {("two", "000002"), ("two", "000008"), ("one", "000001")}
    assert measured == {(b.clip, name) for b in shown for name in b.names} - own
    assert _layout(hidden) == _layout(shown)
    outputs, left_out, alone = (
        torch.cat([b.outputs for b in each]) for each in (shown, hidden, without)
    )
    assert torch.equal(left_out, alone)
    assert (outputs - alone).abs().max() > 0.01
    # What is shown comes out with its own colours.
    chroma = rgb_to_chroma(outputs[2])
    true = rgb_to_chroma(to_tensor(dataset.clips[0].frames[2:3]))
    assert (chroma - true).abs().max() < 0.01


def test_references_make_all_frames_of_a_shot_needed(tmp_path: Path, dataset: ClipDataset) -> None:
    path = write_reference_safetensors(tmp_path / "m.safetensors")
    networks = LoadedNetworks.load(path, device="cpu")
    settings = {"every": 3, "whole": False, "references": 1, "batch_size": 12}
    few = _walk(networks, dataset, **settings)
    assert [len(batch.names) for batch in few] == [5, 7, 3]
    # Flow is propagated along all of them, so that the measured ones are those of a film.
    whole = _walk(networks, dataset, **{**settings, "whole": True, "every": 1})
    assert all(torch.equal(a.outputs, b.outputs) for a, b in zip(few, whole, strict=True))


def test_a_refined_frame_goes_on_from_the_one_before_it_also_over_batches(
    refined: LoadedNetworks, dataset: ClipDataset
) -> None:
    whole = _walk(refined, dataset, batch_size=12)
    parts = _walk(refined, dataset, batch_size=2, every=5, whole=False)
    assert [b.shot for b in whole] == [0, 5, 0]
    joined = torch.cat([b.outputs for b in parts])
    expected = torch.cat([b.outputs for b in whole])
    assert (joined - expected).abs().max() <= 1 / 255 + 1e-6
    # A shot starts afresh: after a cut the colours are those of the shot alone.
    frames = dataset.clips[0].frames
    alone = _of_engine(refined, frames[5:])
    assert (whole[1].outputs - alone).abs().max() <= 1 / 255 + 1e-6
    carried = _of_engine(refined, frames)[5:]
    assert float((carried - alone).abs().max()) > 0.01


def test_without_the_refiner_the_main_network_is_measured(
    refined: LoadedNetworks, dataset: ClipDataset
) -> None:
    look = RenderSettings(stillness=0.0, refine=False)
    alone = _walk(refined, dataset, look, every=3, whole=False)
    assert [len(b.names) for b in alone] == [2, 2, 1]  # it needs no other frames
    expected = _of_engine(refined, dataset.clips[0].frames[[0, 3]], look)
    assert torch.equal(alone[0].outputs, expected)


def test_free_rgb_is_measured_as_the_network_says_it(tmp_path: Path, dataset: ClipDataset) -> None:
    networks = _networks(tmp_path, head="rgb", luma="free")
    reader = EngineReader(networks, LOOSE, own_luma=True)
    settings = {"every": 1, "batch_size": 4, "whole": True}
    batch = next(iter(colored_clips(reader, dataset, **settings)))
    expected = networks.model(batch.gray).colors.clamp(0, 1)  # of the size of its training
    assert (batch.outputs - expected).abs().max() <= 0.51 / 255
    assert (rgb_to_luma(batch.outputs[:, 0]) - batch.gray).abs().max() > 0.05


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


def test_a_jump_in_frame_numbers_starts_a_shot(tmp_path: Path) -> None:
    for folder in ("tool", "truth"):
        _write(tmp_path / folder, [np.full((40, 60, 3), 90, np.uint8)] * 5)
        (tmp_path / folder / "03.png").rename(tmp_path / folder / "90.png")
        (tmp_path / folder / "04.png").rename(tmp_path / folder / "91.png")
    batches = _batches(_pairs(tmp_path / "tool", tmp_path / "truth"))
    assert [(b.shot, b.names) for b in batches] == [
        (0, ["00.png", "01.png", "02.png"]),
        (3, ["90.png", "91.png"]),
    ]


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
    with pytest.raises(UserError, match=r"differ in length after 4 frames"):
        _batches(pairs)


def test_sixteen_bits_keep_their_depth() -> None:
    frames = np.array([[[[65535, 257, 128]]]], dtype=np.uint16)
    expected = torch.tensor([1.0, 1 / 255, 128 / 65535]).view(1, 3, 1, 1)
    torch.testing.assert_close(to_tensor(frames, CPU), expected)
