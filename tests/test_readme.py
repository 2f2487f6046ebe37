"""The README is true: programs exist, options parse, settings compose, files are there."""

import re
import tomllib

import pytest

from tests.documented import check_command, commands, planned_rows
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


def test_every_program_is_shown():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["scripts"]) <= {words[0] for words in COMMANDS}


def test_every_table_command_plans_its_rows():
    shown = [words[1:] for words in COMMANDS if words[0] == "colorize-table"]
    assert [planned_rows(words) for words in shown] == [15, 15, 32]


@pytest.mark.parametrize(
    "path", re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", README.read_text())
)
def test_every_link_leads_to_a_file(path):
    assert (ROOT / (path[0] or path[1])).exists()
