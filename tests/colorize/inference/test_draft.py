"""A frame while it is painted: coloured as in its film, unsure where nothing was shown."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.inference.draft import draft
from colorize.inference.engine import ShotEngine
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame
from tests.colorize.films.drawn import moving_blocks, tinted
from tests.colorize.tiny import write_reference_safetensors

SETTINGS = RenderSettings()
GRAYS = moving_blocks((6,))
FRAMES = [
    Frame(number, "", np.repeat(gray[..., None], 3, axis=2)) for number, gray in enumerate(GRAYS)
]


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> LoadedNetworks:
    path = tmp_path_factory.mktemp("draft") / "model.safetensors"
    return LoadedNetworks.load(write_reference_safetensors(path), device="cpu")


def hints(number: int, *, red: int = 40) -> ColoredPicture:
    """A square of colour in a frame."""
    alpha = np.zeros(GRAYS[0].shape, np.uint8)
    alpha[16:32, 4:28] = 255
    read = Frame(0, "", tinted(GRAYS[number], red=red), alpha)
    return ColoredPicture(f"hint {number}", lambda: read, number, lambda: FRAMES[number])


def whole(number: int) -> ColoredPicture:
    read = Frame(0, "", tinted(GRAYS[number]))
    return ColoredPicture(f"whole {number}", lambda: read, number)


@pytest.mark.parametrize("given", [[], [whole(2)], [hints(2)], [hints(2), whole(5)], [hints(0)]])
def test_a_draft_is_the_frame_as_the_engine_colours_it_alone(networks, given) -> None:
    library = Library(networks, given)
    names = list(library.pictures)
    engine = ShotEngine(networks, SETTINGS, library=library if names else None)
    ((expected,),) = engine([FRAMES[2]], names=names)
    found = draft(networks, SETTINGS, FRAMES[2], library, names)
    assert np.array_equal(found.frame.rgb, expected.rgb)
    assert np.ptp(found.frame.rgb.astype(int), axis=2).max() > 10


def test_what_is_painted_is_sure_and_what_it_reaches_surer_than_without(networks) -> None:
    alone = draft(networks, SETTINGS, FRAMES[2], Library(networks, [])).unsure
    library = Library(networks, [hints(2)])
    beside = draft(networks, SETTINGS, FRAMES[2], library, ["hint 2"]).unsure
    height, width = alone.shape
    rows, columns = slice(height // 4 + 1, height // 2 - 1), slice(width // 16, width // 4)
    assert beside[rows, columns].max() < 1e-6
    assert beside.max() > 0.01
    assert alone.min() > 0
    shown = Library(networks, [whole(2)])
    assert not draft(networks, SETTINGS, FRAMES[2], shown, ["whole 2"]).unsure.any()


def test_a_renewed_library_looks_anew_at_what_is_another_picture_alone(
    networks, monkeypatch
) -> None:
    first, second, third = hints(2), hints(4), whole(5)
    library = Library(networks, [first, second, third])
    names = list(library.pictures)
    size = (32, 48)
    before = library.of(names, size=size)
    looks: list[int | None] = []
    look_at = LoadedNetworks.look_at

    def looking(self, pictures, *, size, numbers=None, drawings=None):
        looks.extend(numbers)
        return look_at(self, pictures, size=size, numbers=numbers, drawings=drawings)

    monkeypatch.setattr(LoadedNetworks, "look_at", looking)
    after = library.renewed([first, hints(4, red=90), third]).of(names, size=size)
    assert looks == [4]
    assert np.array_equal(before.chroma[:, 2], after.chroma[:, 2])
    for column in (0, 1):  # what is painted in one frame also completes the other
        assert not np.array_equal(before.chroma[:, column], after.chroma[:, column])
