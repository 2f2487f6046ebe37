"""Commands start quickly: a fresh interpreter imports nothing that it does not use."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.places import ROOT

SLOW = ("torchvision", "scipy", "skimage", "matplotlib", "hydra", "lightning")
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
# What may be there when a command only says something: Python's own, ours, and what this
# installation loads at every start.
_STARTED = subprocess.run(
    [sys.executable, "-c", "import sys; print(*{name.split('.')[0] for name in sys.modules})"],
    capture_output=True, text=True, check=True,
).stdout.split()  # fmt: skip
OWN = {*sys.stdlib_module_names, *_STARTED, "colorize", "classify", "lazy_loader"}
# What it takes to look for a picture.
MEDIA = {"PIL", "av", "cv2", "jaxtyping", "numpy", "cython_runtime"}
_LOADED = "print('\\nloaded', *sorted({name.split('.')[0] for name in sys.modules}))"


def loaded(code: str, *arguments: str, cwd: Path | None = None) -> tuple[set[str], str]:
    """Run ``code`` afresh; return the packages that it imported, and what it printed."""
    program = f"import sys\ntry:\n    {code}\nfinally:\n    {_LOADED}"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=cwd
    )
    assert "Traceback" not in done.stderr, done.stderr
    *printed, names = done.stdout.strip().split("\n")
    assert names.startswith("loaded ")
    return set(names.split()[1:]), "\n".join(printed) + done.stderr


def command(script: str) -> str:
    module, function = SCRIPTS[script].split(":")
    return f"from {module} import {function}; {function}()"


def test_who_colours_imports_no_more_than_it_uses() -> None:
    names, _ = loaded("import colorize.inference.colorizer")
    assert "torch" in names
    assert not names & set(SLOW)


def test_whole_films_import_no_more_than_they_use() -> None:
    names, _ = loaded("import colorize.films.run")
    assert not names & set(SLOW)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_comes_at_once_with_a_sentence_and_three_examples(script: str, tmp_path: Path) -> None:
    names, shown = loaded(command(script), "--help", cwd=tmp_path)
    sentence, nothing, title, *lines = shown.splitlines()
    assert sentence.endswith(".")
    assert (nothing, title) == ("", "examples:")
    examples = [line.split() for line in itertools.takewhile(str.strip, lines)]
    assert len(examples) >= 3
    assert {words[0] for words in examples} <= SCRIPTS.keys()
    assert script in {words[0] for words in examples}
    assert "options:" in shown
    assert not names - OWN, "a library is imported that --help does not need"


REFUSED = [
    ("colorize", ["gone.png", "-o", "out.png"], "error: gone.png does not exist"),
    ("colorize", ["gone.png"], "error: the following arguments are required: -o/--output"),
    ("colorize-sheet", ["gone.mp4"], "error: gone.mp4: no job lies there"),
    ("colorize-suggest", ["gone.png", "-o", "out"], "error: gone.png does not exist"),
    ("colorize-suggest", ["film.mp4", "-n", "0", "-o", "out"], "'0' is not a positive whole"),
    ("colorize-prepare", ["clips/", "-o", "data", "--fit", "squash"], "invalid choice: 'squash'"),
    ("colorize-train", ["trainer.max_epoch=3"], "did you mean 'max_epochs'?"),
    ("colorize-train", ["experiment=prototyp"], "did you mean 'prototype'?"),
    ("colorize-table", ["protocol=tiny", "rwos=[a]"], "did you mean 'rows'?"),
    ("colorize-table", ["--rows", "a"], "error: colorize-table has no option --rows"),
    ("colorize-app", ["--prt", "3"], "error: unrecognized arguments: --prt"),
    ("classify-evaluate", ["devise=cpu"], "did you mean 'device'?"),
    ("colorize-evaluate", ["evry=3"], "did you mean 'every'?"),
    ("classify", ["cat.png"], "error: the following arguments are required: --checkpoint"),
    ("classify-screen", ["cats/"], "error: --checkpoint is not given"),
    ("classify-train", ["clasifier=mnist"], "error: "),
]


@pytest.mark.parametrize(("script", "arguments", "message"), REFUSED)
def test_a_mistake_is_refused_without_a_network(
    script: str, arguments: list[str], message: str, tmp_path: Path
) -> None:
    names, shown = loaded(command(script), *arguments, cwd=tmp_path)
    assert message in shown
    needed = MEDIA if "gone.png" in message else set()
    assert not {name for name in names if not name.startswith("_cython")} - OWN - needed
