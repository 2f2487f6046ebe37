"""Painted things are found again: in the same frame moved, and not where they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from colorize.base.errors import UserError
from colorize.imaging.fills import find_regions
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.recognition import LEAST_SCORE, Example, Recognizer
from colorize.media import Frame
from tests.colorize.tiny import write_reference_safetensors, write_safetensors

COAT = 5


@pytest.fixture(scope="module")
def colorizer(tmp_path_factory) -> LoadedNetworks:
    path = write_reference_safetensors(tmp_path_factory.mktemp("model") / "model.safetensors")
    return LoadedNetworks.load(path, device="cpu", short_side=64)


def scene(at: int | None) -> np.ndarray:
    """Return a frame with a light square at some column, or without it."""
    luma = np.full((64, 128), 0.3, np.float32)
    luma[40:] = 0.5
    if at is not None:
        luma[14:42, at : at + 24] = 0.05
        luma[17:39, at + 3 : at + 21] = 0.9
    return luma


def example(at: int) -> Example:
    layer = np.zeros((64, 128), np.uint16)
    layer[17:39, at + 3 : at + 21] = COAT
    return Example(drawn(scene(at)), layer)


def drawn(luma: np.ndarray) -> Frame:
    gray = np.rint(luma * 255).astype(np.uint8)
    return Frame(0, "", np.repeat(gray[..., None], 3, axis=2))


def test_a_painted_thing_is_found_where_it_went(colorizer: LoadedNetworks) -> None:
    found = Recognizer(colorizer, [example(16)])
    luma = scene(80)
    offers = found.offers(drawn(luma), find_regions(luma))
    assert [each.swatch for each in offers] == [COAT]
    assert LEAST_SCORE <= offers[0].score <= 1
    assert offers[0].mask[20:36, 86:98].all()
    assert not offers[0].mask[:, :70].any()


def test_nothing_is_offered_where_it_is_not(colorizer: LoadedNetworks) -> None:
    luma = scene(None)
    assert Recognizer(colorizer, [example(16)]).offers(drawn(luma), find_regions(luma)) == []
    assert Recognizer(colorizer, []).offers(drawn(luma), find_regions(luma)) == []


def test_a_model_without_references_is_refused(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="takes no references"):
        Recognizer(LoadedNetworks.load(path, device="cpu", short_side=32), [example(16)])
