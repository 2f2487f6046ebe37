"""What the documentation shows: its blocks of code, and whether a command of it could run."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import classify.cli
import classify.config
import classify.screen
from colorize.app import command as app_command
from colorize.base import sweeps
from colorize.base.config import check, config_directory, register_schema
from colorize.data.prepare import command as prepare
from colorize.evaluation.settings import EvaluateConfig
from colorize.evaluation.table import plan
from colorize.films import command as cli
from colorize.films import sheet_command as sheet
from colorize.films import suggest_command as suggest
from colorize.training.settings import TrainConfig
from tests.places import ROOT

_BLOCK = re.compile(
    r'(?:^<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>\w+)(?: title="(?P<title>[^\n]*)")?\n'
    r"(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, title and text, and what the comment above it says."""

    language: str
    title: str
    text: str
    note: str

    @property
    def commands(self) -> list[list[str]]:
        """The commands of a block of a shell, as words."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page that are in one of some languages, in order."""
    found = (match.groupdict(default="") for match in _BLOCK.finditer(page.read_text()))
    return [Block(**each) for each in found if each["language"] in languages]


def commands(page: Path) -> list[list[str]]:
    """Return the commands that a page shows."""
    return [words for block in blocks(page, "sh") for words in block.commands]


def check_command(words: Sequence[str]) -> None:
    """Refuse a command that would not start: an unknown program, option, setting or target."""
    program, arguments = Path(words[0]).name, list(words[1:])
    assert program in CHECKS, f"no check knows {program}"
    CHECKS[program](arguments)


def _parses(parser: Callable, attribute: str, words: list[str]) -> None:
    assert getattr(parser().parse_args(words), attribute)


def _composes(name: str, register: Callable[[], None], words: list[str]) -> None:
    register()
    if "-m" in words:  # one job of the sweep
        words = [word.split(",")[0] for word in words if word != "-m"]
    words = [word for word in words if word not in ("--cfg", "job")]
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        check(compose(name, overrides=words))


def planned_rows(words: Sequence[str]) -> int:
    """Return how many runs a command of ``colorize-table`` plans, all of which compose."""
    plan.register()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        planned = plan.plan_table(words)
        check(compose("table", overrides=[*sweeps.fixed(words), "features.weights=random"]))
    return len(planned.jobs)


def _is_a_target(words: list[str]) -> None:
    (target,) = words
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE), target


def _is_there(words: list[str]) -> None:
    if words[:2] != ["-m", "pytest"]:
        assert (ROOT / words[0]).is_file(), words[0]


def _plans(words: list[str]) -> None:
    assert planned_rows(words) > 0


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "make": _is_a_target,
    "python": _is_there,
    "colorize": partial(_parses, cli.parser, "output"),
    "colorize-app": partial(_parses, app_command.parser, "folders"),
    "colorize-sheet": partial(_parses, sheet.parser, "job"),
    "colorize-suggest": partial(_parses, suggest.parser, "output"),
    "colorize-prepare": partial(_parses, prepare.parser, "root"),
    "colorize-train": partial(_composes, "train", partial(register_schema, "train", TrainConfig)),
    "colorize-evaluate": partial(
        _composes, "evaluate", partial(register_schema, "evaluate", EvaluateConfig)
    ),
    "colorize-table": _plans,
    "classify": partial(_parses, classify.cli.parser, "checkpoint"),
    "classify-screen": partial(_parses, classify.screen.parser, "keep"),
    "classify-train": partial(_composes, "classify_train", classify.config.register_schemas),
    "classify-evaluate": partial(_composes, "classify_evaluate", classify.config.register_schemas),
}


def run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command of the documentation in this process and the current folder."""
    monkeypatch.setattr(sys, "argv", words)
    if words[0] == "python":
        monkeypatch.setattr(sys, "argv", words[1:])
        runpy.run_path(words[1], run_name="__main__")
        return
    module, function = entry_point(words[0])
    getattr(importlib.import_module(module), function)()


def entry_point(program: str) -> list[str]:
    """Return the module and the function that a console script starts."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["scripts"][program].split(":")
