"""Which references colour which shot, by hand-made likenesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from colorize.inference import choice
from colorize.inference.choice import Span, choose_references
from colorize.inference.library import ColoredPicture, Library
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame
from tests.colorize.tiny import generator


class Alike(Library):
    """A library whose likenesses are known: by the frame's gray, which is its number."""

    def __init__(
        self, frames: Mapping[str, int | None], alike: Mapping[tuple[int, str], float]
    ) -> None:
        networks = LoadedNetworks(generator(), short_side=8, device="cpu")
        super().__init__(
            networks, [ColoredPicture(name, self._never, at) for name, at in frames.items()]
        )
        self.alike, self.asked = alike, list[tuple[int, tuple[str, ...]]]()

    @staticmethod
    def _never() -> Frame:
        raise AssertionError("its likeness is known")

    def shows_all(self, name: str) -> bool:
        return not name.startswith("part")

    def likeness(self, gray, names) -> list[float]:  # type: ignore[no-untyped-def]
        number = round(float(gray[0, 0, 0, 0]) * 255)
        self.asked.append((number, tuple(names)))
        return [self.alike.get((number, name), 0.0) for name in names]


def frames(wanted: set[int]) -> Iterator[Frame]:
    return (Frame(n, "", np.full((8, 8, 3), n, np.uint8)) for n in sorted(wanted))


@pytest.fixture(autouse=True)
def _threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "LEAST_LIKENESS", 0.5)


def test_a_shot_without_own_frames_takes_all_that_show_its_middle_the_likest_first() -> None:
    library = Alike({"a": None, "b": None, "c": 2}, {(8, "a"): 0.6, (8, "b"): 0.2, (8, "c"): 0.9})
    shots = [Span(0, 6), Span(6, 11), None]
    assert choose_references(shots, library, frames) == [("c",), ("c", "a"), ()]


def test_an_unnumbered_reference_beside_a_numbered_one_serves_its_shot_too() -> None:
    library = Alike({"own": 2, "sheet": None, "other": None}, {(3, "sheet"): 0.8})
    assert choose_references([Span(0, 6)], library, frames) == [("own", "sheet")]
    assert library.asked == [(frame, ("sheet", "other")) for frame in (0, 3, 5)]


def test_a_reference_need_not_show_the_middle_of_a_shot_that_moves() -> None:
    # Where a camera turns, the first and the last frame show other things than the middle.
    alike = {(0, "from"): 0.7, (3, "from"): 0.4, (3, "to"): 0.3, (5, "to"): 0.9, (3, "no"): 0.4}
    library = Alike({"no": None, "from": None, "own": 2, "to": None}, alike)
    assert choose_references([Span(0, 6)], library, frames) == [("own", "to", "from")]


def test_a_shot_takes_frames_of_the_one_beside_it_where_it_dissolves_into_it() -> None:
    # The last frame of the first shot shows the second; the first of the second not the first.
    library = Alike({"a": 2, "b": 8, "c": 9}, {(5, "b"): 0.3, (5, "c"): 0.9, (6, "a"): 0.2})
    shots = [Span(0, 6), Span(6, 10), None]
    assert choose_references(shots, library, frames) == [("a", "c"), ("b", "c"), ()]
    assert library.asked == [(5, ("b", "c")), (6, ("a",))]


def test_a_shot_of_which_parts_are_painted_also_takes_frames_of_others() -> None:
    library = Alike({"part": 2, "b": 8, "c": 9}, {(3, "b"): 0.8, (3, "c"): 0.4})
    shots = [Span(0, 6), Span(6, 10)]
    assert choose_references(shots, library, frames) == [("part", "b"), ("b", "c")]
    alone = Alike({"part": 2}, {})
    assert choose_references([Span(0, 6)], alone, frames) == [("part",)]
    assert alone.asked == []


def test_without_references_nothing_is_looked_at() -> None:
    library = Alike({}, {})
    assert choose_references([Span(0, 6), None], library, frames) == [(), ()]
    assert library.asked == []


def test_a_shot_of_one_frame_is_looked_at_once_for_all_reasons() -> None:
    library = Alike({"a": 0, "b": 1, "sheet": None}, {(1, "sheet"): 0.9, (1, "a"): 0.7})
    chosen = choose_references([Span(0, 1), Span(1, 2)], library, frames)
    assert chosen[1] == ("b", "sheet", "a")
    assert (1, ("a", "sheet")) in library.asked
