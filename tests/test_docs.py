"""The documentation is true: its scripts, commands and recipes run, and its site builds."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documented import Block, blocks, check_command, commands, entry_point, run
from tests.places import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
RECIPES = [page for page in PAGES if page.startswith("extend/") and page != "extend/index.md"]
SCRIPTED = [
    page
    for page in PAGES
    if page not in ["tutorial.md", *RECIPES] and blocks(DOCS / page, "python")
]
RECORDS = sorted((ROOT / "experiments").glob("*/README.md"))
SHOWN = [(page, words) for page in PAGES for words in commands(DOCS / page)]
# "Author 2019,", "Author et al. 2019" and "Author & Other 2019", as docstrings cite.
CITED = re.compile(
    r"\b([A-Z][\w-]+)(?: et al\.| & [A-Z]\w+|, Wu and Dalal| and Süsstrunk) (?:19|20)\d\d\b"
    r"|\b([A-Z][a-z]+) (?:19|20)\d\d, [A-Z]"
)
# What the recipes add, which is not there where the commands are checked.
ADDED = re.compile(r"\b(saturation|chroma_error|pixelwise|arrays)\b")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (page, words)
        for page, words in SHOWN
        if not (page in RECIPES and ADDED.search(" ".join(words)))
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each),
)
def test_every_command_would_start(page, words):
    check_command(words)


@pytest.mark.parametrize("page", SCRIPTED)
def test_the_scripts_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for script in blocks(DOCS / page, "python"):
        exec(compile(script.text, page, "exec"), names)


def test_the_tutorial_colours_a_film_as_it_stands_there(tmp_path, monkeypatch):
    """Every block in order, but what says that it is not run; the painted film is much nearer."""
    monkeypatch.chdir(tmp_path)
    Path("tools").symlink_to(ROOT / "tools")
    names: dict[str, object] = {}
    for block in blocks(DOCS / "tutorial.md", "sh", "python"):
        if block.note.startswith("not run: "):
            continue
        if block.language == "python":
            exec(compile(block.text, "tutorial.md", "exec"), names)
        for words in block.commands if block.language == "sh" else []:
            run(words, monkeypatch)
    guessed, painted = (Path("measured") / name / "results.csv" for name in ("guessed", "painted"))
    assert _psnr(painted) > _psnr(guessed) + 6
    assert Path("sheet.png").stat().st_size > 10_000


def _psnr(path: Path) -> float:
    """Return the PSNR of coloured frames in a table of ``colorize-evaluate``."""
    with path.open() as file:
        (row,) = (
            row
            for row in csv.DictReader(file)
            if (row["scope"], row["variant"]) == ("total", "colorized")
        )
    return float(row["psnr"])


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """Return a copy of the repository to which all recipes were applied."""
    root = tmp_path_factory.mktemp("extended")
    ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
    for name in ("colorize", "classify", "conf", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    for name in ("pyproject.toml", "experiments", "tools"):
        (root / name).symlink_to(ROOT / name)
    for recipe in RECIPES:
        for block in blocks(DOCS / recipe, "python", "yaml"):
            if block.title:
                _apply(block, root)
    return root


def _apply(block: Block, root: Path) -> None:
    """Write the file of a block, add its line to what opens in a file, or replace a line there."""
    path, _, where = block.title.partition(", ")
    file = root / path
    if not where:
        assert not file.exists(), f"{path} is there already"
        file.write_text(block.text)
        return
    text = file.read_text()
    how, _, what = where.partition(" ")
    if how == "in":
        (place,) = re.findall(rf"^{what} = \{{\n", text, flags=re.MULTILINE)
        changed = text.replace(place, place + block.text)
    else:
        what = where.removeprefix("instead of ")
        changed = text.replace(what + "\n", block.text)
    assert changed != text, f"{path} has no {what}"
    file.write_text(changed)


def test_every_recipe_passes_its_test_and_those_of_the_repository(extended):
    """What its page says to test, the layout, and a step with its YAML, all in the copy."""
    tested = [
        each
        for recipe in RECIPES
        for words in commands(DOCS / recipe)
        if "pytest" in words
        for each in words[words.index("pytest") + 1 :]
    ]
    assert len(tested) == len(RECIPES)
    in_copy(
        extended,
        *("-m", "pytest", "-p", "no:cacheprovider", "tests/test_layout.py", "tests/test_conf.py"),
        *(*tested, "-k", "saturation or chroma_error or pixelwise or arrays or differences"),
    )


def test_a_training_runs_with_the_loss_of_the_recipe(extended, tmp_path):
    (words,) = (each for each in commands(DOCS / "extend/loss.md") if each[0] == "colorize-train")
    module, function = entry_point(words[0])
    started = f"from {module} import {function} as start; start()"
    in_copy(extended, "-c", started, *words[1:], f"directory={tmp_path / 'run'}")
    assert (tmp_path / "run" / "model.safetensors").is_file()
    assert "saturation" in (tmp_path / "run" / "history.csv").read_text()


def test_every_caller_takes_the_changed_shot_detector(extended):
    shown = "import colorize.films.plan.analysis as films; print(films.shot_starts.__module__)"
    assert in_copy(extended, "-c", shown).split() == ["colorize.shots.differences"]


def in_copy(root: Path, *arguments: str) -> str:
    """Run Python in a copy of the repository, with its code; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_page_is_in_the_navigation():
    listed = re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text().split("\nnav:")[1])
    records = [f"experiments/{path.parent.name}/index.md" for path in RECORDS]
    assert sorted(listed) == sorted([*PAGES, *records, "contributing.md"])


def test_every_citation_mark_is_in_the_bibliography():
    """A mark is one capital letter in brackets, as docstrings write it; types have more."""
    text = (DOCS / "bibliography.md").read_text()
    for package in ("colorize", "classify"):
        for path in (ROOT / package).rglob("*.py"):
            for mark in re.findall(r"(?<![\w\]])(\[[A-Z]\])(?!\w)", path.read_text()):
                assert f"**{mark}**" in text, (path, mark)


def test_every_cited_work_is_in_the_bibliography():
    """``Source: Author … year`` and its like: the author stands in the bibliography."""
    text = (DOCS / "bibliography.md").read_text()
    for package in ("colorize", "classify"):
        for path in (ROOT / package).rglob("*.py"):
            for author in map("".join, CITED.findall(path.read_text())):
                assert author in text, (path, author)


def test_the_site_builds_without_a_remark():
    assert "build/site/index.html" in in_copy(ROOT, "tools/docs.py")
    for page in (*PAGES, "experiments/demo/index.md", "contributing.md"):
        assert (ROOT / "build" / "site" / page).with_suffix(".html").is_file()
