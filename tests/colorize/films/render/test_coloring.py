"""Colouring a part of a shot by references: tracks go on from part to part, and can be stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from colorize.films.render.coloring import Coloring
from colorize.films.render.effort import Effort
from colorize.films.render.guides import Guides

from colorize.films.plan.manifest import Manifest, Origin, Reference, Settings
from colorize.inference.colorizer import Colorizer
from colorize.media import Frame, fingerprint
from tests.colorize.films.drawn import moving_blocks, save, tinted
from tests.colorize.tiny import write_reference_safetensors

NAMES = ("a.png", "b.png")


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
def coloring(tmp_path_factory, frames) -> Coloring:
    folder = tmp_path_factory.mktemp("coloring")
    checkpoint = write_reference_safetensors(folder / "model.safetensors")
    colorizer = Colorizer.load(checkpoint, device="cpu", short_side=32)
    references = []
    for name, frame in zip(NAMES, (0, 5), strict=True):
        path = save(folder / "r" / name, tinted(frames[frame].rgb[..., 0]))
        references.append(Reference(name, str(path), fingerprint(path), frame))
    settings = Settings(
        checkpoint=str(checkpoint), weights=fingerprint(checkpoint), short_side=32, refine=False,
        variant=0, stillness=0.0, saturation=1.0, quality=90, recolor=False,
    )  # fmt: skip
    manifest = Manifest(
        source=Origin("in", "folder", 8, "5f" * 32),
        shots=(),
        settings=settings,
        references=tuple(references),
    )
    effort = Effort(batch_size=2, short_side=32, say=print)
    return Coloring(
        colorizer, effort=effort, refine=False, stillness=0.0, guides=Guides(colorizer, manifest)
    )


def test_tracks_go_on_from_the_part_before(coloring: Coloring, frames: list[Frame]) -> None:
    first, state = coloring(frames[:4], variant=0, before={}, names=NAMES)
    assert first.shape[0] == 4
    assert {"tracks.gray", "tracks.flow.a.png", "tracks.flow.b.png"} <= set(state)
    going_on, _ = coloring(frames[4:], variant=0, before=state, names=NAMES)
    without = {name: each for name, each in state.items() if not name.startswith("tracks.")}
    anew, _ = coloring(frames[4:], variant=0, before=without, names=NAMES)
    again, _ = coloring(frames[4:], variant=0, before=state, names=NAMES)
    assert torch.equal(going_on, again)
    assert not torch.equal(going_on[0], anew[0])
    none, plain = coloring(frames[:4], variant=0, before={}, names=())
    assert not any(name.startswith("tracks.") for name in plain)
    assert not torch.equal(none, first)


def test_tracking_can_be_stopped(coloring: Coloring, frames: list[Frame], monkeypatch) -> None:
    asked: list[None] = []

    def check() -> None:
        asked.append(None)
        if len(asked) == 3:
            raise Stop

    monkeypatch.setattr(coloring, "_check", check)
    with pytest.raises(Stop):
        coloring(frames, variant=0, before={}, names=NAMES)
