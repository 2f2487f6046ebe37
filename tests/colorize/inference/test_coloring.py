"""Colouring a piece of a shot at the working size: what the network and references say of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
import torch

from colorize.base.progress import Event, Remark, listening
from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.geometry import resize
from colorize.imaging.tensors import to_tensor
from colorize.inference.coloring import Coloring, _emboldened
from colorize.inference.effort import Effort
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from tests.colorize.films.drawn import moving_blocks, tinted
from tests.colorize.tiny import write_reference_safetensors

NAMES, GIVEN = ("a.png", "b.png"), (0, 5)


class Stop(Exception):
    """What a stopped job raises."""


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    grays = moving_blocks((8,))
    return [
        Frame(index=n, name=f"{n}.png", rgb=np.repeat(gray[..., None], 3, axis=-1))
        for n, gray in enumerate(grays)
    ]


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> LoadedNetworks:
    folder = tmp_path_factory.mktemp("coloring")
    checkpoint = write_reference_safetensors(folder / "model.safetensors")
    return LoadedNetworks.load(checkpoint, device="cpu", short_side=32)


def colored_frame(frame: Frame, *, alpha: np.ndarray | None = None) -> Frame:
    return Frame(0, "", tinted(frame.rgb[..., 0]), alpha)


def make(
    networks: LoadedNetworks, frames: Sequence[Frame], *, alpha: np.ndarray | None = None
) -> Coloring:
    """A coloring by two references: frames 0 and 5 in colour."""
    pictures = [
        ColoredPicture(name, partial(colored_frame, frames[at], alpha=alpha), at)
        for name, at in zip(NAMES, GIVEN, strict=True)
    ]
    return Coloring(
        networks,
        RenderSettings(stillness=0.0),
        effort=Effort(batch_size=2, short_side=32),
        library=Library(networks, pictures),
    )


@pytest.fixture
def coloring(networks: LoadedNetworks, frames: list[Frame]) -> Coloring:
    return make(networks, frames)


def test_chroma_is_that_of_the_network_at_the_working_size(
    networks: LoadedNetworks, frames: list[Frame]
) -> None:
    coloring = Coloring(
        networks, RenderSettings(stillness=0.0), effort=Effort(batch_size=3, short_side=32)
    )
    chroma, _ = coloring(frames[:4], variant=None, before={})
    small = networks.small(torch.stack([torch.from_numpy(each.gray())[None] for each in frames]))
    expected = rgb_to_chroma(networks.model(small[:4]).colors)
    assert chroma.shape == (4, 1, 2, 32, 48)
    torch.testing.assert_close(chroma, expected, atol=1e-5, rtol=0)
    assert float(chroma.abs().max()) > 0.05


def test_a_frame_that_is_given_has_its_own_chroma_where_it_is_opaque(
    networks: LoadedNetworks, frames: list[Frame]
) -> None:
    alpha = np.full((64, 96), 255, dtype=np.uint8)
    alpha[:, :48] = 0
    whole, _ = make(networks, frames)(frames, variant=0, before={}, names=NAMES)
    half, _ = make(networks, frames, alpha=alpha)(frames, variant=0, before={}, names=NAMES)
    free, _ = make(networks, frames)(frames, variant=0, before={}, names=())
    for at in GIVEN:
        own = rgb_to_chroma(resize(to_tensor(tinted(frames[at].rgb[..., 0])[None]), (32, 48)))
        torch.testing.assert_close(whole[at], own, atol=1e-6, rtol=0)
        torch.testing.assert_close(half[at][..., 26:], own[..., 26:], atol=1e-5, rtol=0)
        assert float((half[at][..., :23] - own[..., :23]).abs().mean()) > 0.02
        assert float((whole[at] - free[at]).abs().mean()) > 0.02


def test_flow_goes_on_from_the_part_before(coloring: Coloring, frames: list[Frame]) -> None:
    first, state = coloring(frames[:4], variant=0, before={}, names=NAMES)
    assert first.shape[0] == 4
    assert {"propagated.gray", "propagated.flow.a.png", "propagated.flow.b.png"} <= set(state)
    going_on, _ = coloring(frames[4:], variant=0, before=state, names=NAMES)
    without = {name: each for name, each in state.items() if not name.startswith("propagated.")}
    anew, _ = coloring(frames[4:], variant=0, before=without, names=NAMES)
    again, _ = coloring(frames[4:], variant=0, before=state, names=NAMES)
    assert torch.equal(going_on, again)
    assert not torch.equal(going_on[0], anew[0])
    none, plain = coloring(frames[:4], variant=0, before={}, names=())
    assert not any(name.startswith("propagated.") for name in plain)
    assert not torch.equal(none, first)


def test_following_references_can_be_stopped(
    coloring: Coloring, frames: list[Frame], monkeypatch
) -> None:
    asked: list[None] = []

    def check() -> None:
        asked.append(None)
        if len(asked) == 3:
            raise Stop

    monkeypatch.setattr(coloring, "_check", check)
    with pytest.raises(Stop):
        coloring(frames, variant=0, before={}, names=NAMES)


def test_vivid_colours_are_as_strong_as_what_may_be_there() -> None:
    """A chroma of (0.03, 0.04), errors of 0.06 √2 in each channel: 0.0025 + 2 · 0.0072 is 0.13²."""
    chroma = torch.tensor([0.03, 0.04]).view(1, 1, 2, 1, 1)
    spread = torch.full((1, 1, 1, 1), 0.06 * 2**0.5)
    bold = _emboldened(chroma, spread, 1.0)
    torch.testing.assert_close(bold, chroma * 0.13 / 0.05)
    half = _emboldened(chroma, spread, 0.5)
    torch.testing.assert_close(half, chroma * (0.13 / 0.05) ** 0.5)
    # What is sure stays, and what is nearly gray does not burst into colour.
    torch.testing.assert_close(_emboldened(chroma, 0 * spread, 1.0), chroma)
    torch.testing.assert_close(_emboldened(chroma / 100, spread, 1.0), chroma / 25)


def test_vivid_that_does_nothing_is_told(networks) -> None:
    told: list[Event] = []
    with listening(told.append):
        RenderSettings(vivid=0.5).fitted(networks)
        RenderSettings().fitted(networks)
    [remark] = [each for each in told if isinstance(each, Remark)]
    assert "vivid does nothing here" in remark.text
