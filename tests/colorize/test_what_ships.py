"""What is measured is what ships: every way to colour a shot gives the same pixels, to the bit.

With the shipped weights: ``colorize`` on a folder of frames, the reader that ``colorize-evaluate``
measures, the sheet of choices and the choices drawn for the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.app.tasks.colour import draw_choices
from colorize.cartoon import CartoonSeries
from colorize.data import Clip, ClipDataset
from colorize.evaluation.footage import EngineReader, colored_clips
from colorize.films import command as cli
from colorize.films.plan.analysis import middle
from colorize.films.plan.manifest import Manifest, Shot, read_manifest
from colorize.films.sheet import sheet_rows
from colorize.imaging.tensors import to_tensor
from colorize.inference.colorizer import Colorizer
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import open_source
from tests.colorize.films.drawn import write_frames

LENGTH = 5  # of each shot: as many as a preview of its middle frame looks at
GIVEN = {0: [], 1: [0], 2: [2, 7]}  # the frames that are shown of a clip of ten


@pytest.fixture(scope="module")
def networks() -> LoadedNetworks:
    return LoadedNetworks.load(device="cpu")


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Two shots of coloured frames, cut hard."""
    series = CartoonSeries(seed=9300, size=(72, 96), shots=3, frames_per_shot=LENGTH, effects=False)
    return np.concatenate([series.color(0), series.color(1)])


@dataclass(frozen=True)
class Film:
    """What ``colorize`` has made of a folder."""

    source: Path
    manifest: Manifest
    pixels: np.ndarray


@pytest.fixture(scope="module", params=sorted(GIVEN), ids=lambda count: f"{count} references")
def count(request) -> int:
    return request.param


@pytest.fixture(scope="module")
def film(count: int, frames: np.ndarray, tmp_path_factory) -> Film:
    folder = tmp_path_factory.mktemp("film")
    source, output = write_frames(folder / "in", list(frames)), folder / "out"
    (folder / "given").mkdir()
    options = ["--device", "cpu", "--recolor"]
    for number in GIVEN[count]:
        file = folder / "given" / f"{number}.png"
        Image.fromarray(frames[number]).save(file)
        options += ["--reference", str(file)]
    cli.main([str(source), "-o", str(output), *options])
    pixels = [np.array(Image.open(output / f"{number}.png")) for number in range(len(frames))]
    manifest = read_manifest(output / ".job" / "manifest.json")
    return Film(source, manifest, np.stack(pixels))


def shots(film: Film) -> Iterator[tuple[Shot, np.ndarray]]:
    return ((shot, film.pixels[middle(shot)]) for shot in film.manifest.shots)


def test_the_film_is_in_colour_and_cut_where_it_should_be(film: Film, count: int) -> None:
    assert np.ptp(film.pixels.astype(int), axis=3).mean() > 5
    assert [shot.start for shot in film.manifest.shots] == [0, LENGTH]
    assert [each.frame for each in film.manifest.references] == GIVEN[count]


def test_the_reader_of_evaluation_gives_the_films_pixels(
    film: Film, count: int, networks: LoadedNetworks, frames: np.ndarray
) -> None:
    clip = Clip(name="film", frames=frames, shots=(0, LENGTH))
    batches = colored_clips(
        EngineReader(networks, RenderSettings()),
        ClipDataset(clips=[clip]),
        every=1,
        batch_size=3,
        whole=True,
        references=count,
    )
    measured = torch.cat([batch.outputs for batch in batches])
    assert torch.equal(measured[:, 0], to_tensor(film.pixels))


def test_the_sheet_shows_the_films_pixels(film: Film, networks: LoadedNetworks) -> None:
    with open_source(film.source) as source:
        rows = list(sheet_rows(source, film.manifest, networks))
    for (_, expected), row in zip(shots(film), rows, strict=True):
        assert len(row.outputs) == 1
        assert np.array_equal(row.outputs[0], expected)


def test_the_page_draws_the_films_pixels(
    film: Film, networks: LoadedNetworks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[np.ndarray] = []

    def encoded(path: Path, picture: np.ndarray, *others: object) -> bytes:
        drawn.append(picture)
        return b""

    module = import_module("colorize.app.tasks.colour")
    monkeypatch.setattr(module, "encode_picture", encoded)  # a JPEG would lose some
    draw_choices(film.source, film.manifest, networks, tmp_path)
    for (_, expected), picture in zip(shots(film), drawn, strict=True):
        assert np.array_equal(picture, expected)


def test_the_python_api_gives_the_films_pixels(film: Film, frames: np.ndarray) -> None:
    colorizer = Colorizer.load(device="cpu")
    for shot in film.manifest.shots:
        own = [n for n in range(shot.start, shot.stop) if f"{n}.png" in shot.guided_by]
        given = {n - shot.start: frames[n] for n in own}
        if len(own) == len(shot.guided_by):  # no frame of the other shot serves it too
            found = colorizer(list(frames[shot.start : shot.stop]), references=given)
            assert np.array_equal(np.stack(found), film.pixels[shot.start : shot.stop])
