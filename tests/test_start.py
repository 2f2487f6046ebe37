"""Commands start quickly: a fresh interpreter imports nothing that it does not use."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.places import ROOT

SLOW = ("torchvision", "scipy", "skimage", "matplotlib", "hydra", "lightning")
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
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
def test_help_needs_no_network(script: str, tmp_path: Path) -> None:
    names, shown = loaded(command(script), "--help", cwd=tmp_path)
    assert script in shown or "You must specify 'classifier'" in shown
    assert not names & {"torch", "cv2", "av", *SLOW} - {"hydra"}


REFUSED = [
    ("colorize", ["gone.png", "-o", "out.png"], "error: gone.png does not exist"),
    ("colorize", ["gone.png"], "error: the following arguments are required: -o/--output"),
    ("colorize-sheet", ["gone.mp4"], "error: gone.mp4: no job lies there"),
    ("colorize-prepare", ["clips/", "-o", "data", "--fit", "squash"], "invalid choice: 'squash'"),
    ("colorize-train", ["trainer.max_epoch=3"], "did you mean 'max_epochs'?"),
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
    assert not names & {"torch", *SLOW} - {"hydra"}
