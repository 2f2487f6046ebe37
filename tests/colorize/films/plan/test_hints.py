"""Hints by name: which frame each lies on, what is refused, and what a job makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.base.errors import UserError
from colorize.films.plan.hints import check_hints, read_hints
from colorize.films.plan.manifest import AUTO, Settings, read_manifest
from colorize.films.run import run_job
from colorize.inference.loaded import LoadedNetworks
from colorize.media import fingerprint, open_source
from tests.colorize.films.drawn import moving_blocks, write_frames
from tests.colorize.tiny import write_reference_safetensors

LENGTHS = (6, 5)
LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return write_reference_safetensors(folder / "model.safetensors")


@pytest.fixture
def film(tmp_path) -> Path:
    return write_frames(tmp_path / "in", moving_blocks(LENGTHS))


def dots(path: Path, *, size: tuple[int, int] = (64, 96), painted: int = 12) -> Path:
    """A dot of flat colour, without any line of the drawing."""
    rgba = np.zeros((*size, 4), np.uint8)
    rgba[4 : 4 + painted, 50 : 50 + painted] = (150, 90, 80, 255)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(rgba).save(path)
    return path


def colour(film: Path, output: Path, checkpoint: Path, **given) -> list[np.ndarray]:
    settings = Settings(
        checkpoint=str(checkpoint), weights=fingerprint(checkpoint), short_side=32, refine=False,
        variant=AUTO, stillness=0.5, saturation=1.0, quality=90, recolor=False,
    )  # fmt: skip
    colorizer = LoadedNetworks.load(checkpoint, device="cpu", short_side=32)
    run_job(film, output, colorizer=colorizer, settings=settings, **given)
    files = sorted(output.glob("*.png"), key=lambda path: int(path.stem))
    return [np.array(Image.open(path)) for path in files]


def test_the_name_says_which_frame(film, tmp_path) -> None:
    for name in ("7.png", "2 (copy).png", "film_0003.png"):
        dots(tmp_path / "dots" / name)
    with open_source(film) as source:
        found = read_hints([tmp_path / "dots"], source)
    assert {each.name: each.frame for each in found} == {
        "2 (copy).png": 2, "7.png": 7, "film_0003.png": 3
    }  # fmt: skip
    assert all(each.hint for each in found)


def test_a_name_of_no_frame_is_refused_with_one_that_is(film, tmp_path) -> None:
    for name in ("sky.png", "film_0011.png"):
        path = dots(tmp_path / "dots" / name)
        with (
            open_source(film) as source,
            pytest.raises(UserError, match=rf"{name}: its name says no frame of .* as 0\.png is"),
        ):
            read_hints([path], source)


def test_a_hint_beyond_the_end_and_a_name_given_twice_are_refused(film, tmp_path) -> None:
    path = dots(tmp_path / "dots" / "7.png")
    with open_source(film) as source:
        found = read_hints([path], source)
    with pytest.raises(UserError, match="called after frame 7, but the frames are 0 to 4"):
        check_hints(found, 5, beside=())
    with pytest.raises(UserError, match=r"two references are called 7\.png"):
        check_hints(found, 11, beside=found)


def test_what_shows_nothing_is_refused(film, tmp_path) -> None:
    path = dots(tmp_path / "dots" / "7.png", painted=0)
    with open_source(film) as source, pytest.raises(UserError, match="has no colours"):
        read_hints([path], source)


def test_flat_paint_stays_on_its_frame_at_the_luma_of_the_drawing(
    film, tmp_path, checkpoint
) -> None:
    """No line is drawn in it, and a folder's other name for the frame would fit no better."""
    dots(tmp_path / "dots" / "2.png")
    given = {"hints": [tmp_path / "dots"]}
    plain = colour(film, tmp_path / "plain", checkpoint)
    hinted = colour(film, tmp_path / "out", checkpoint, **given)
    shown = (slice(6, 14), slice(52, 60))
    gray = np.array(Image.open(film / "2.png")).astype(float)
    inside = hinted[2][shown].astype(float)
    assert np.abs(inside @ LUMA - gray[shown]).max() <= 1
    red = inside[..., 0] - gray[shown]
    expected = 150 - np.array([150, 90, 80]) @ LUMA
    assert np.abs(red - expected).max() <= 2
    assert np.abs(plain[2][shown].astype(float)[..., 0] - gray[shown] - expected).min() > 5
    assert any((a != b).any() for a, b in zip(plain[:2], hinted[:2], strict=True))


def test_hints_are_kept_in_the_manifest_until_others_are_given(film, tmp_path, checkpoint) -> None:
    dots(tmp_path / "dots" / "2.png")
    output = tmp_path / "out"
    first = colour(film, output, checkpoint, hints=[tmp_path / "dots"])
    (kept,) = read_manifest(output / ".job" / "manifest.json").references
    assert (kept.name, kept.frame, kept.hint) == ("2.png", 2, True)
    again = colour(film, output, checkpoint)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    colour(film, output, checkpoint, hints=[])
    assert read_manifest(output / ".job" / "manifest.json").references == ()
