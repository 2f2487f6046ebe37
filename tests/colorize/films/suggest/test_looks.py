"""Which frames of a film are looked at, and which of them are worth a suggestion."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.films.suggest.looks import frames_to_look_at, look_at_frames
from colorize.inference.loaded import LoadedNetworks
from colorize.media import open_source
from tests.colorize.films.drawn import moving_blocks, write_frames
from tests.colorize.tiny import write_reference_safetensors


def test_a_short_film_is_looked_at_whole() -> None:
    assert frames_to_look_at([(0, 3), (3, 5)]) == dict.fromkeys(range(5), 1.0)


def test_a_long_film_is_looked_at_evenly_and_each_frame_stands_for_its_share() -> None:
    spans = [(0, 4000), (4000, 4010), (4010, 10000)]
    found = frames_to_look_at(spans, most=100)
    assert len(found) <= 100 + len(spans)
    assert sum(found.values()) == pytest.approx(10000)
    for start, stop in spans:
        own = sorted(frame for frame in found if start <= frame < stop)
        assert sum(found[frame] for frame in own) == pytest.approx(stop - start)
        assert np.ptp(np.diff([start, *own, stop])[1:-1]) <= 1 if len(own) > 2 else own


def test_of_very_many_shots_the_longest_are_looked_at() -> None:
    spans = [(10 * n, 10 * n + 10) for n in range(50)] + [(500, 540)]
    found = frames_to_look_at(spans, most=20)
    assert len(found) <= 40
    assert any(frame >= 500 for frame in found)


def test_others_asked_for_stand_for_no_frame() -> None:
    found = frames_to_look_at([(0, 300)], most=3, also=[7, 50])
    assert found[7] == 0
    assert found[50] == 100  # it is looked at anyway


def test_blank_and_faded_frames_are_told_from_clear_ones(tmp_path) -> None:
    pictures = moving_blocks([5])
    pictures[0] = np.full_like(pictures[0], 16)  # black
    pictures[1] = (pictures[1] * 0.3).astype(np.uint8)  # still fading in
    folder = write_frames(tmp_path / "in", pictures)
    path = write_reference_safetensors(tmp_path / "model.safetensors")
    networks = LoadedNetworks.load(path, device="cpu")
    with open_source(folder) as source:
        looks = look_at_frames(source, [(0, 5)], frames_to_look_at([(0, 5)]), networks)
    assert looks.frame == [0, 1, 2, 3, 4]
    assert looks.clear.tolist() == [False, False, True, True, True]
    assert looks.keys.square().sum(dim=1).numpy() == pytest.approx(1, abs=1e-4)
