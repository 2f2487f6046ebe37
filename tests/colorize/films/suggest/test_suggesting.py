"""Suggestions for whole films: what is taken first, what is left out, and what is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from colorize.base.errors import UserError
from colorize.base.progress import Event, Progress, listening
from colorize.films.suggest import Suggestion, suggest
from colorize.inference.loaded import LoadedNetworks
from colorize.media import open_source
from tests.colorize.films.drawn import moving_blocks, write_frames
from tests.colorize.tiny import write_reference_safetensors, write_safetensors

SPANS = [(0, 4), (4, 14), (14, 17)]


@pytest.fixture(scope="module")
def shipped() -> LoadedNetworks:
    return LoadedNetworks.load("default", device="cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    lengths = [stop - start for start, stop in SPANS]
    return write_frames(tmp_path_factory.mktemp("film") / "in", moving_blocks(lengths))


def ask(folder: Path, networks: LoadedNetworks, **options) -> list[Suggestion]:
    with open_source(folder) as source:
        return suggest(source, SPANS, networks, **options)


def test_each_shot_is_served_the_longest_first(folder, shipped) -> None:
    found = ask(folder, shipped, count=3)
    shots = [next(n for n, (a, b) in enumerate(SPANS) if a <= each.frame < b) for each in found]
    assert shots == [1, 0, 2]
    assert [each.serves[0].shot for each in found] == shots
    assert all(each.gain > 0.03 for each in found)
    covered = np.cumsum([each.gain for each in found])
    assert [each.covered for each in found] == pytest.approx(covered)
    assert 0.8 < covered[-1] < 1


def test_what_is_coloured_already_serves(folder, shipped) -> None:
    first, second = ask(folder, shipped, count=2)
    (further,) = ask(folder, shipped, count=1, given=[first.frame])
    assert further.frame == second.frame
    assert further.covered == pytest.approx(second.covered, abs=1e-4)


def test_nothing_is_suggested_where_nothing_more_is_served(folder, shipped) -> None:
    assert ask(folder, shipped, count=2, given=range(17)) == []


def test_progress_is_told(folder, shipped) -> None:
    told: list[Event] = []
    with listening(told.append):
        ask(folder, shipped, count=1)
    tasks = {each.task for each in told if isinstance(each, Progress) and each.finished}
    assert tasks == {"looking at frames", "comparing frames", "choosing frames"}


def test_a_model_without_references_and_an_empty_film_are_refused(folder, tmp_path) -> None:
    plain = LoadedNetworks.load(write_safetensors(tmp_path / "plain.safetensors"), device="cpu")
    with pytest.raises(UserError, match="takes no references"):
        ask(folder, plain, count=1)
    networks = LoadedNetworks.load(
        write_reference_safetensors(tmp_path / "model.safetensors"), device="cpu"
    )
    blank = write_frames(tmp_path / "blank", [np.full((64, 96), 16, np.uint8)] * 17)
    with pytest.raises(UserError, match="no frame shows anything"):
        ask(blank, networks, count=1)
