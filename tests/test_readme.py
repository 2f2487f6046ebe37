"""The README is true: programs exist, options parse, settings compose, files are there."""

import re
import tomllib

import numpy as np
import pytest
from PIL import Image

from colorize.cartoon import CartoonSeries
from colorize.films.command import main as colorize
from colorize.media import open_source, write_video
from tests.documented import blocks, check_command, commands, planned_rows, run
from tests.places import ROOT

README = ROOT / "README.md"
COMMANDS = commands(README)


def test_it_shows_the_two_commands_of_a_newcomer():
    assert ["make", "demo"] in COMMANDS
    assert ["make", "test"] in COMMANDS


def test_it_is_short_enough_to_be_read():
    assert len(README.read_text().splitlines()) <= 150


def test_continuous_integration_runs_the_test_command_of_the_readme():
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_would_start(words):
    check_command(words)


@pytest.fixture
def film(tmp_path, monkeypatch):
    """A black-and-white film of a shot in the current folder, its frame 12 in colour beside it."""
    monkeypatch.chdir(tmp_path)
    series = CartoonSeries(seed=9201, size=(72, 128), shots=3, frames_per_shot=14, effects=False)
    drawn = [np.asarray(frame) for frame in series.color(1)]
    grays = [(frame @ [0.299, 0.587, 0.114]).round().astype(np.uint8) for frame in drawn]
    write_video("film.mp4", (np.repeat(each[..., None], 3, axis=2) for each in grays), rate=24)
    Image.fromarray(drawn[12]).save("film_0012.png")
    return drawn


def difference(first, second):
    return np.abs(first.astype(float) - second).mean()


def test_the_command_that_corrects_a_frame_does_it(film):
    [words] = [words for words in COMMANDS if words[-1] == "film_0012.png" and "-o" in words]
    assert words[0] == "colorize"
    colorize(words[1:])
    corrected = [frame.rgb for frame in open_source("film-colour.mp4")]
    colorize([*words[1:-2], "--no-references"])
    guessed = [frame.rgb for frame in open_source("film-colour.mp4")]
    assert difference(corrected[12], film[12]) < 6, "what a film's compression adds"
    assert difference(corrected[12], film[12]) < 0.5 * difference(guessed[12], film[12])
    assert difference(corrected[0], film[0]) < difference(guessed[0], film[0]), "its shot follows"


def test_what_it_shows_of_python_runs(film):
    [block] = blocks(README, "python")
    shown = {}
    exec(block.text, shown)
    coloured = shown["coloured"]
    assert len(coloured) == len(film)
    assert {(each.shape, each.dtype.name) for each in coloured} == {((72, 128, 3), "uint8")}
    plain = shown["Colorizer"].load()(shown["shot"])
    assert difference(coloured[0], film[0]) < difference(plain[0], film[0])


def test_every_program_is_shown():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["scripts"]) <= {words[0] for words in COMMANDS}


def test_every_table_command_plans_its_rows():
    shown = [words[1:] for words in COMMANDS if words[0] == "colorize-table"]
    assert [planned_rows(words) for words in shown] == [2, 15, 32]


def test_five_minutes_lead_from_two_folders_to_a_table_and_colours(tmp_path, monkeypatch):
    """As they stand there, but with less to train on, which says nothing of the time it takes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # set by the commands: restore it afterwards
    series = CartoonSeries(seed=4, size=(54, 96), shots=3, frames_per_shot=6, effects=False)
    for folder, shots in {"some": (0, 1), "others": (2,)}.items():
        (tmp_path / "frames" / folder).mkdir(parents=True)
        for shot in shots:
            for number, frame in enumerate(series.color(shot)):
                name = f"shot{shot}_{number:04d}.png"
                Image.fromarray(frame).save(tmp_path / "frames" / folder / name)
    (walk,) = [each.commands for each in blocks(README, "sh") if "--test" in each.text]
    assert len(walk) <= 4
    few = ["sampling.stills=4", "sampling.pairs=4", "model.channels=[4,4]"]
    for words in walk:
        settings = [word for word in words if "=" in word and not word.startswith("data.root")]
        assert len(settings) <= 3, words
        run([*words, *few] if words[0] == "colorize-table" else words, monkeypatch)
    table = (tmp_path / "runs" / "table1" / "table.md").read_text()
    assert "| rank_diversity_segment | none | 2 |" in table
    assert "set by the protocol: features=none" in table
    assert (tmp_path / "runs" / "table1" / "curves.png").is_file()
    assert (tmp_path / "runs" / "train" / "model.safetensors").is_file()
    names = [path.name for path in sorted((tmp_path / "coloured").glob("*.png"))]
    assert names == [f"shot2_{number:04d}.png" for number in range(6)]


@pytest.mark.parametrize(
    "path", re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", README.read_text())
)
def test_every_link_leads_to_a_file(path):
    assert (ROOT / (path[0] or path[1])).exists()
