"""Folders of suggestions: what lies in them, what comes back painted, and further rounds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.base.errors import UserError
from colorize.base.progress import Event, Remark, listening
from colorize.films.plan.references import find_frames, read_references
from colorize.films.suggest.folder import Round, suggest_into
from colorize.inference.loaded import LoadedNetworks
from colorize.media import open_source
from colorize.media.pictures.openraster import COLORS, DRAWING, LUMINOSITY, Layer, encode_openraster
from tests.colorize.films.drawn import moving_blocks, tinted, write_frames

LENGTHS = (6, 5)


@pytest.fixture(scope="module")
def networks() -> LoadedNetworks:
    return LoadedNetworks.load("default", device="cpu", short_side=64)


@pytest.fixture
def film(tmp_path) -> Path:
    return write_frames(tmp_path / "in", moving_blocks(LENGTHS))


def ask(film: Path, folder: Path, networks: LoadedNetworks, **options) -> Round:
    with open_source(film) as source:
        return suggest_into(folder, source, networks, **options)


def gray_of(film: Path, name: str) -> np.ndarray:
    return np.array(Image.open(film / f"{name}.png"))


def paint(path: Path, gray: np.ndarray) -> None:
    """Paint a suggested OpenRaster file as a paint program does: flat, under the drawing."""
    lines = np.repeat(gray[..., None], 3, axis=2)
    flat = np.full_like(lines, (150, 90, 80))
    layers = [Layer(DRAWING, lines, operation=LUMINOSITY), Layer(COLORS, flat)]
    path.write_bytes(encode_openraster(layers, merged=lines))


def test_a_folder_has_each_frame_in_gray_in_layers_and_as_a_draft(film, networks, tmp_path) -> None:
    folder = tmp_path / "to-colour"
    done = ask(film, folder, networks, count=2)
    assert len(done.names) == 2
    names = set(done.names)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"suggestions.json", "suggestions.png"} | {
        place.format(name) for name in names for place in ("{}.png", "{}.ora", "draft/{}.png")
    }
    for name in names:
        gray = np.array(Image.open(folder / f"{name}.png"))
        assert (gray == gray_of(film, name)[..., None]).all()
        draft = np.array(Image.open(folder / "draft" / f"{name}.png"))
        assert np.ptp(draft.astype(int), axis=2).max() > 5
    content = json.loads((folder / "suggestions.json").read_bytes())
    assert content["format"] == "tooncolor-suggestions-1"
    assert content["frames"] == sum(LENGTHS)
    listed = content["suggestions"]
    assert [each["name"] for each in listed] == list(done.names)
    assert [each["covered"] for each in listed] == sorted(each["covered"] for each in listed)
    assert np.array(Image.open(folder / "suggestions.png")).shape[2] == 3


def test_painted_frames_come_back_and_the_others_are_waited_for(film, networks, tmp_path) -> None:
    folder = tmp_path / "to-colour"
    first, second = ask(film, folder, networks, count=2).names
    with pytest.raises(UserError, match=r"holds no painted frame yet: paint .*\.ora"):
        read_references([folder])
    paint(folder / f"{first}.ora", gray_of(film, first))
    said: list[Event] = []
    with listening(said.append):
        found = read_references([folder])
    assert [each.name for each in found] == [f"{first}.ora"]
    texts = [each.text for each in said if isinstance(each, Remark)]
    assert texts == [f"{folder}: 1 suggested frames are not painted yet: {second}"]
    with open_source(film) as source:
        (shown,) = find_frames(found, source, count=sum(LENGTHS), spans=[(0, 6), (6, 11)])
    assert shown.frame == int(first)  # files of this film are called 0.png, 1.png …


def test_the_gray_picture_may_be_painted_over_instead(film, networks, tmp_path) -> None:
    folder = tmp_path / "to-colour"
    (name,) = ask(film, folder, networks, count=1).names
    Image.fromarray(tinted(gray_of(film, name))).save(folder / f"{name}.png")
    assert [each.name for each in read_references([folder])] == [f"{name}.png"]


def test_further_frames_keep_what_is_painted_and_follow_it(film, networks, tmp_path) -> None:
    folder = tmp_path / "to-colour"
    (first,) = ask(film, folder, networks, count=1).names
    paint(folder / f"{first}.ora", gray_of(film, first))
    painted = (folder / f"{first}.ora").read_bytes()
    more = ask(film, folder, networks, count=1, further=True)
    assert (folder / f"{first}.ora").read_bytes() == painted
    listed = json.loads((folder / "suggestions.json").read_bytes())["suggestions"]
    assert [(each["name"], each["round"]) for each in listed] == [(first, 1), (more.names[0], 2)]
    assert more.names[0] != first
    guides = {name for shot in more.shots for name in shot.guided_by}
    assert guides == {f"{first}.ora"}


def test_rounds_are_not_mixed_up(film, networks, tmp_path) -> None:
    folder = tmp_path / "to-colour"
    with pytest.raises(UserError, match="holds no suggestions yet; begin with -n"):
        ask(film, folder, networks, count=1, further=True)
    ask(film, folder, networks, count=1)
    with pytest.raises(UserError, match="holds suggestions already; ask for further ones"):
        ask(film, folder, networks, count=1)
    with pytest.raises(UserError, match=r"is the input .* or lies inside it"):
        ask(film, film / "inside", networks, count=1)
    with pytest.raises(UserError, match="is one picture"):
        ask(film / "0.png", tmp_path / "other", networks, count=1)
    (folder / "suggestions.json").write_text("[]")
    with pytest.raises(UserError, match="is no list of suggestions"):
        ask(film, folder, networks, count=1, further=True)


def test_a_film_in_colour_asks_for_nothing(networks, tmp_path) -> None:
    frames = [tinted(each) for each in moving_blocks([4])]
    folder = write_frames(tmp_path / "in", frames)
    with pytest.raises(UserError, match="is in colour already; --recolor"):
        ask(folder, tmp_path / "to-colour", networks, count=1)
