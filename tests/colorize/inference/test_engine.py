"""The shot engine: all colourings of a shot in order, in pieces, previewed, within memory."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from colorize.base.progress import Event, Remark, listening
from colorize.imaging.color import join_in_gamut, rgb_to_chroma
from colorize.imaging.geometry import resize
from colorize.imaging.upsampling import upsample_chroma
from colorize.inference import engine as engine_module
from colorize.inference.effort import OutOfMemoryError
from colorize.inference.engine import ShotEngine, longest_piece, pieces, preview_window
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from tests.colorize.films.drawn import moving_blocks, tinted
from tests.colorize.tiny import write_reference_safetensors, write_safetensors

LOOSE = RenderSettings(stillness=0.0)


def deep(gray: np.ndarray, number: int) -> Frame:
    """A gray picture as a frame of 16 bits."""
    return Frame(number, "", np.repeat(gray.astype(np.uint16)[..., None] * 257, 3, axis=2))


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Twelve frames of 64x96, a block that moves."""
    return [deep(gray, number) for number, gray in enumerate(moving_blocks((12,)))]


@pytest.fixture
def load(tmp_path: Path):
    def load(**choices: Any) -> LoadedNetworks:
        path = write_safetensors(tmp_path / "model.safetensors", **choices)
        return LoadedNetworks.load(path, device="cpu")

    return load


@pytest.fixture(scope="module")
def guided(tmp_path_factory) -> LoadedNetworks:
    path = tmp_path_factory.mktemp("guided") / "model.safetensors"
    return LoadedNetworks.load(write_reference_safetensors(path), device="cpu")


def library(networks: LoadedNetworks, frames: list[Frame], **at: int | None) -> Library:
    """Frames in colour, by name; one of no number is frame 9."""

    def colored(number: int | None) -> Frame:
        place = 9 if number is None else number
        gray = (frames[place].rgb[..., 0] // 257).astype(np.uint8)
        return Frame(0, "", tinted(gray, red=60 if number is None else 40))

    pictures = [ColoredPicture(name, partial(colored, n), n) for name, n in at.items()]
    return Library(networks, pictures)


def pixels(colored: Any, k: int = 0) -> np.ndarray:
    return np.stack([each[k].rgb for each in colored])


def gray_of(frames: list[Frame]) -> torch.Tensor:
    return torch.stack([torch.from_numpy(each.gray())[None] for each in frames])


def test_every_frame_comes_in_all_colourings_or_in_the_chosen_one(load, frames) -> None:
    networks = load()
    engine = ShotEngine(networks, RenderSettings())
    together = list(engine(frames))
    assert [len(each) for each in together] == [2] * 12
    assert [each[0].index for each in together] == list(range(12))
    for k in range(2):
        assert np.array_equal(pixels(together, k), pixels(engine(frames, variant=k)))
    assert not np.array_equal(pixels(together, 0), pixels(together, 1))


def test_colours_are_the_networks_joined_to_the_luma(load, frames) -> None:
    networks = load()
    luma = gray_of(frames)
    chroma = rgb_to_chroma(networks.model(networks.small(luma)).colors[:, 1])
    whole = torch.cat(
        [upsample_chroma(*each) for each in zip(chroma.split(1), luma.split(1), strict=True)]
    )
    expected = join_in_gamut(luma, whole).permute(0, 2, 3, 1).numpy() * 65535
    found = pixels(ShotEngine(networks, LOOSE)(frames, variant=1))
    assert np.abs(found - expected).max() <= 4
    assert np.ptp(found.astype(int), axis=3).max() > 257 * 20


def test_without_stillness_a_frame_is_coloured_as_it_is_alone(load, frames) -> None:
    engine = ShotEngine(load(), LOOSE, batch_size=3)
    alone = np.concatenate([pixels(engine([each])) for each in frames])
    assert np.abs(pixels(engine(frames)).astype(int) - alone).max() <= 3


@pytest.mark.parametrize("refine", [True, False])
def test_a_refined_shot_goes_on_from_frame_to_frame(load, frames, refine: bool) -> None:
    networks = load(refiner={"channels": [4, 4]})
    settings = RenderSettings(stillness=0.0, refine=refine)
    whole, parts = (
        pixels(ShotEngine(networks, settings, batch_size=size)(frames)) for size in (12, 5)
    )
    assert np.abs(whole.astype(int) - parts).max() <= 3
    alone = pixels(ShotEngine(networks, settings)(frames[8:]))
    assert bool(np.abs(whole[8:].astype(int) - alone).max() > 500) is refine


@pytest.mark.parametrize("stillness", [0.0, 0.9])
def test_a_shot_in_pieces_goes_on(guided, frames, monkeypatch, stillness: float) -> None:
    settings = RenderSettings(stillness=stillness)
    engine = ShotEngine(guided, settings, library=library(guided, frames, a=0, b=11, sheet=None))
    names = ["a", "b", "sheet"]
    whole = pixels(engine(frames, names=names))
    monkeypatch.setattr(engine_module, "longest_piece", lambda size: 5)
    parts = pixels(engine(frames, names=names))
    # The state that a film's parts leave to each other, one after the other.
    state: dict[str, torch.Tensor] = {}
    joining, by_hand = engine.joining(), []
    for piece in (frames[:5], frames[5:10], frames[10:]):
        chroma, state = engine.coloring(piece, variant=0, before=state, names=names)
        by_hand += list(joining(piece, chroma[:, 0], before=joining.state, names=names))
    assert np.array_equal(parts, np.stack([each.rgb for each in by_hand]))
    assert np.abs(whole.astype(int) - parts).mean() < 0.01 * 65535
    if stillness:
        assert np.array_equal(parts[4][56:], parts[5][56:])  # still, over the end of a piece


def test_pieces_hold_what_fits_the_memory(frames) -> None:
    assert longest_piece((64, 96)) == 240
    assert longest_piece((2160, 3840)) == 21
    assert longest_piece((20000, 20000)) == 8
    assert [len(piece) for piece in pieces(frames * 41)] == [240, 240, 12]


@pytest.mark.parametrize(
    ("shot", "index", "expected"),
    [((0, 20), 10, range(8, 13)), ((4, 7), 5, range(4, 7)), ((0, 1), 0, range(1))],
)
def test_a_preview_looks_at_the_frames_around(shot, index, expected) -> None:
    assert preview_window(*shot, index) == expected


def test_a_preview_of_a_short_shot_is_the_film_to_the_bit(guided, frames) -> None:
    shot = frames[3:8]
    engine = ShotEngine(guided, RenderSettings(), library=library(guided, frames, a=4, sheet=None))
    (preview,) = engine.preview(shot, 5, names=["a", "sheet"])
    film = list(engine(shot, names=["a", "sheet"]))
    assert preview.index == 5
    assert np.array_equal(preview.rgb, film[2][0].rgb)


def test_an_unnumbered_reference_serves_beside_a_numbered_one(guided, frames) -> None:
    engine = ShotEngine(guided, LOOSE, library=library(guided, frames, a=0, sheet=None))
    both, numbered, loose, none = (
        pixels(engine(frames[:4], names=names)).astype(int)
        for names in (["a", "sheet"], ["a"], ["sheet"], [])
    )
    for other in (numbered, loose, none):
        assert np.abs(both[1:] - other[1:]).max() > 257
    assert np.array_equal(both[0], numbered[0])  # it is given


def test_no_more_references_are_looked_at_than_the_settings_say(guided, frames) -> None:
    known = library(guided, frames, a=0, b=6, c=11)
    one = ShotEngine(guided, RenderSettings(stillness=0.0, references_per_frame=1), library=known)
    nearest = pixels(one(frames[:4], names=["a", "b", "c"]))
    assert np.array_equal(nearest, pixels(one(frames[:4], names=["a"])))
    four = ShotEngine(guided, LOOSE, library=known)
    assert not np.array_equal(nearest, pixels(four(frames[:4], names=["a", "b", "c"])))


def test_own_luma_is_the_networks_rgb_resized(load, frames) -> None:
    networks = load(head="rgb", luma="free")
    free = networks.model(networks.small(gray_of(frames))).colors
    engine = ShotEngine(networks, LOOSE, own_luma=True)
    for k in range(2):
        expected = resize(free[:, k], (64, 96)).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 65535
        found = pixels(engine(frames), k)
        assert np.abs(found - expected).max() <= 1
    kept = pixels(ShotEngine(networks, LOOSE)(frames))
    assert np.abs(kept.astype(int) - pixels(engine(frames))).max() > 2000


def test_own_luma_goes_without_stillness_only(load) -> None:
    with pytest.raises(AssertionError, match="what is smoothed is chroma"):
        ShotEngine(load(), RenderSettings(stillness=0.5), own_luma=True)


def test_fast_gives_nearly_the_same_colours_in_half_precision(load, frames) -> None:
    networks, seen = load(), []
    module = next(each for each in networks.model.modules() if isinstance(each, torch.nn.Conv2d))
    module.register_forward_hook(lambda module, given, made: seen.append(made.dtype))
    exact, fast = (
        pixels(ShotEngine(networks, RenderSettings(stillness=0.0, fast=fast))(frames[:2]))
        for fast in (False, True)
    )
    assert seen == [torch.float32, torch.bfloat16]
    assert 0 < np.abs(exact.astype(int) - fast).mean() < 0.005 * 65535


def test_the_working_size_of_the_settings_counts(load, frames) -> None:
    networks, seen = load(), []
    module = next(each for each in networks.model.modules() if isinstance(each, torch.nn.Conv2d))
    module.register_forward_hook(lambda module, given, made: seen.append(given[0].shape[-2:]))
    for settings in (LOOSE, RenderSettings(short_side=16)):
        list(ShotEngine(networks, settings)(frames[:1]))
    assert [tuple(size) for size in seen] == [(32, 48), (16, 24)]


def greedy(monkeypatch: pytest.MonkeyPatch, *, frames: int, rows: int) -> None:
    """Let memory run out with more frames at once, or higher ones."""
    forward = torch.nn.Conv2d.forward

    def forward_within(self: Any, images: torch.Tensor) -> torch.Tensor:
        if len(images) > frames or images.shape[-2] > rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")
        return forward(self, images)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", forward_within)


def test_memory_that_runs_out_costs_the_batch_not_the_colours(load, frames, monkeypatch) -> None:
    networks, events = load(), list[Event]()
    whole = pixels(ShotEngine(networks, RenderSettings())(frames))
    greedy(monkeypatch, frames=2, rows=1000)
    with listening(events.append):
        less = pixels(ShotEngine(networks, RenderSettings())(frames))
    told = [each.text for each in events if isinstance(each, Remark)]
    assert told == ["memory ran out: going on with 2 frames at a time"]
    assert np.abs(whole.astype(int) - less).max() <= 257


def test_memory_that_runs_out_in_the_middle_of_a_shot_costs_the_size(
    load, frames, monkeypatch
) -> None:
    networks = load()
    monkeypatch.setattr(engine_module, "longest_piece", lambda size: 6)
    colored = ShotEngine(networks, RenderSettings(stillness=0.0, short_side=64))(frames)
    first = [next(colored) for _ in range(6)]
    greedy(monkeypatch, frames=1, rows=40)
    rest = pixels(colored)
    assert len(first) + len(rest) == 12
    # What follows is coloured as a shot of its own at half the size.
    alone = ShotEngine(networks, RenderSettings(stillness=0.0, short_side=32))(frames[6:])
    assert np.abs(rest.astype(int) - pixels(alone)).max() <= 3


def test_memory_that_never_suffices_is_an_error(load, frames, monkeypatch) -> None:
    greedy(monkeypatch, frames=0, rows=0)
    with pytest.raises(OutOfMemoryError, match="does not suffice for one frame at 32 pixels"):
        list(ShotEngine(load(), RenderSettings())(frames))


class Stop(Exception):
    """What a stopped job raises."""


def test_a_shot_can_be_stopped_between_batches(load, frames) -> None:
    asked: list[None] = []

    def check() -> None:
        asked.append(None)
        if len(asked) == 3:
            raise Stop

    with pytest.raises(Stop):
        list(ShotEngine(load(), RenderSettings(), check=check)(frames))
