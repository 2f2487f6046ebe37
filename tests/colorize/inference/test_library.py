"""The coloured pictures of a film: looked at once, those of each frame, and own frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.geometry import resize
from colorize.imaging.tensors import to_tensor
from colorize.inference.library import ColoredPicture, Library, own_colors
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame
from tests.colorize.tiny import write_reference_safetensors

SIZE = (32, 48)


def picture(seed: int) -> Frame:
    return Frame(0, "", np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> LoadedNetworks:
    path: Path = tmp_path_factory.mktemp("library") / "model.safetensors"
    return LoadedNetworks.load(write_reference_safetensors(path), device="cpu")


def library(networks: LoadedNetworks, **frames: int | None) -> Library:
    pictures = [
        ColoredPicture(name, lambda seed=seed: picture(seed), frame)  # type: ignore[misc]
        for seed, (name, frame) in enumerate(frames.items())
    ]
    return Library(networks, pictures)


def test_the_nearest_in_time_come_first_then_pictures_of_no_frame(networks) -> None:
    given = library(networks, sheet=None, a=0, b=10, c=20, more=None)
    names = ["sheet", "a", "b", "c", "more"]
    assert given.nearest(names, near=12, most=16) == ["b", "c", "a", "sheet", "more"]
    assert given.nearest(names, near=1, most=2) == ["a", "b"]
    assert given.nearest(["more", "sheet"], near=1, most=4) == ["more", "sheet"]


def test_an_unnumbered_picture_serves_beside_a_numbered_one(networks) -> None:
    given = library(networks, sheet=None, a=0)
    assert given.nearest(["a", "sheet"], near=3, most=4) == ["a", "sheet"]
    shown = given.of(["a", "sheet"], size=SIZE)
    assert shown.counts == (2,)
    assert shown.frame.tolist() == [[0, -1]]


def test_pictures_are_read_once_for_each_size(networks) -> None:
    read: list[int] = []

    def reading() -> Frame:
        read.append(1)
        return picture(0)

    given = Library(networks, [ColoredPicture("a", reading)])
    first = given.of(["a"], size=SIZE)
    again = given.of(["a"], size=SIZE)
    assert len(read) == 1
    assert torch.equal(first.luma, again.luma)
    given.of(["a"], size=(16, 24))
    assert len(read) == 2


def test_the_references_of_a_frame_are_those_of_their_names_in_order(networks) -> None:
    given = library(networks, a=0, b=3)
    seen = given.of(["b", "a"], size=SIZE)
    assert seen.frame.tolist() == [[3, 0]]
    expected = torch.stack([rgb_to_chroma(to_tensor(picture(n).rgb[None]))[0] for n in (1, 0)])
    torch.testing.assert_close(seen.chroma[0], expected)


def test_the_frame_itself_is_found_among_the_references_of_its_shot(networks) -> None:
    given = library(networks, sheet=None, a=0, b=3)
    found = given.own(["sheet", "a", "b"], 3)
    assert found is not None
    assert found.name == "b"
    assert given.own(["sheet", "a"], 3) is None
    assert given.own(["sheet", "a", "b"], 1) is None


def test_own_colours_are_those_of_the_picture_with_its_opacity() -> None:
    alpha = np.zeros(SIZE, dtype=np.uint8)
    alpha[:16] = 255
    whole = ColoredPicture("a", lambda: picture(0), 0)
    cut = ColoredPicture("a", lambda: Frame(0, "", picture(0).rgb, alpha), 0)
    expected = rgb_to_chroma(resize(to_tensor(picture(0).rgb[None]), (16, 24)))
    chroma, opacity = own_colors(whole, (16, 24))
    assert opacity is None
    torch.testing.assert_close(chroma, expected)
    chroma, opacity = own_colors(cut, (16, 24))
    assert opacity is not None
    assert float(opacity[..., :7, :].min()) == 1
    assert float(opacity[..., 9:, :].max()) == 0
    torch.testing.assert_close(chroma[..., :7, :], expected[..., :7, :], atol=1e-5, rtol=0)
    assert float(chroma[..., 9:, :].abs().max()) < 1e-6


def hinted() -> tuple[Frame, Frame, np.ndarray]:
    """Hints of a frame, that frame, and where the hints are."""
    alpha = np.zeros(SIZE, np.uint8)
    alpha[8:12, 8:12] = 255
    return Frame(0, "", picture(0).rgb, alpha), picture(1), alpha > 0


def test_around_hints_the_drawing_is_that_of_the_frame(networks) -> None:
    """What is transparent has the frame's luma, and so have the hints, whatever they were painted.

    Without a frame, white stands there.
    """
    hints, frame, there = hinted()
    shown = networks.look_at([hints], size=SIZE, numbers=[3], drawings=[frame])
    torch.testing.assert_close(shown.luma[0, 0, 0], torch.from_numpy(frame.gray()))
    assert torch.equal(shown.mask[0, 0, 0] > 0, torch.from_numpy(there))
    expected = rgb_to_chroma(to_tensor(hints.rgb[None]))[0, :, 8:12, 8:12]
    torch.testing.assert_close(shown.chroma[0, 0, :, 8:12, 8:12], expected)
    alone = networks.look_at([hints], size=SIZE, numbers=[3])
    assert (alone.luma[0, 0, 0][~there] == 1).all()


def test_hints_are_completed_to_a_reference_that_shows_all_of_its_frame(networks) -> None:
    hints, frame, there = hinted()
    given = Library(
        networks,
        [
            ColoredPicture("hint", lambda: hints, 3, lambda: frame),
            ColoredPicture("a", lambda: picture(2), 0),
        ],
    )
    alone, beside = (given.of(names, size=SIZE) for names in (["hint"], ["a", "hint"]))
    for shown, column in ((alone, 0), (beside, 1)):
        assert shown.mask is None
        torch.testing.assert_close(shown.luma[0, column, 0], torch.from_numpy(frame.gray()))
        own = rgb_to_chroma(to_tensor(hints.rgb[None]))[0][:, there]
        torch.testing.assert_close(shown.chroma[0, column][:, there], own, rtol=0, atol=1e-5)
        rest = shown.chroma[0, column][:, ~there]
        assert rest.std() > 0.001
    # Whole pictures beside it say something of the rest.
    assert not torch.allclose(alone.chroma[0, 0], beside.chroma[0, 1], atol=1e-4)
    picked = given.pictures["hint"]
    colors, opacity = given.colors_of(picked, ["a", "hint"], SIZE)
    assert opacity is None
    assert torch.equal(colors[0], beside.chroma[0, 1])


def test_parts_of_pictures_that_are_no_frame_stay_parts(networks) -> None:
    hints, frame, there = hinted()
    for number, drawing in ((None, None), (3, None), (None, lambda: frame)):
        given = Library(networks, [ColoredPicture("a", lambda: hints, number, drawing)])
        shown = given.of(["a"], size=SIZE)
        assert torch.equal(shown.mask[0, 0, 0] > 0, torch.from_numpy(there))


def test_the_paper_of_a_sheet_shows_nothing_but_that_of_a_frame_does(networks) -> None:
    rgb = np.full((*SIZE, 3), 255, np.uint8)
    rgb[8:24, 12:36] = (200, 40, 40)
    drawn = Frame(0, "", rgb)
    sheet, frame = (
        Library(networks, [ColoredPicture("a", lambda: drawn, number)]).of(["a"], size=SIZE)
        for number in (None, 2)
    )
    assert sheet.mask is not None
    assert sheet.mask[0, 0, 0].sum() == 16 * 24
    assert sheet.mask[0, 0, 0, 8:24, 12:36].all()
    assert frame.mask is None


def test_fills_are_completed_by_what_is_known_without_them_as_well(
    tmp_path_factory, monkeypatch
) -> None:
    """A part that is filled says little of the rest; many say more; dots are left to themselves."""
    path = tmp_path_factory.mktemp("sure") / "model.safetensors"
    made = {"unguided": "committee", "tells_spread": True}
    networks = LoadedNetworks.load(write_reference_safetensors(path, **made), device="cpu")
    frame = picture(1)

    def shown(*places: tuple[int, int], side: int) -> References:
        alpha = np.zeros(SIZE, np.uint8)
        for y, x in places:
            alpha[y : y + side, x : x + side] = 255
        hints = Frame(0, "", picture(0).rgb, alpha)
        return networks.look_at([hints], size=SIZE, numbers=[3], drawings=[frame])

    one, three = shown((4, 4), side=8), shown((4, 4), (4, 24), (20, 10), side=8)
    # Nothing is spread here: what comes out is what the network is taken to know.
    monkeypatch.setattr(
        "colorize.inference.loaded.spread_hints",
        lambda luma, hints, shown, *, prior, spread: prior,
    )
    for hints, parts in ((one, 1), (three, 3)):
        found = networks.complete(hints).references.chroma[:, 0]
        by_hints = networks._guided().paint(hints.luma[0], hints)
        alone = networks.without_hints(hints)
        share = 0.25 * parts / by_hints.spread**2
        share = share / (share + 1 / alone.spread**2)
        expected = share * by_hints.chroma + (1 - share) * alone.chroma
        assert (by_hints.chroma - alone.chroma).abs().max() > 0.01
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    dots = shown((4, 4), (4, 24), (20, 10), side=1)
    calls: list[int] = []
    networks.complete(dots, without=lambda: calls.append(1))
    assert calls == []


def test_hints_show_parts_of_their_frame_and_other_pictures_all(networks) -> None:
    hints, frame, _ = hinted()
    given = Library(
        networks,
        [
            ColoredPicture("hint", lambda: hints, 3, lambda: frame),
            ColoredPicture("a", lambda: picture(2), 0),
        ],
    )
    assert [given.shows_all(name) for name in ("hint", "a")] == [False, True]
