"""The README is true: programs exist, options parse, settings compose, files are there."""

import re
import shlex
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
from colorize.training.settings import TrainConfig
from tests.places import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
LINES = [
    shlex.split(line, comments=True)
    for block in BLOCKS
    for line in block.replace("\\\n", " ").splitlines()
]
COMMANDS = [words for words in LINES if words]


def commands(program):
    found = [words[1:] for words in COMMANDS if Path(words[0]).name == program]
    assert found, f"the README shows no {program}"
    return found


def test_it_shows_the_two_commands_of_a_newcomer():
    assert ["make", "demo"] in COMMANDS
    assert ["make", "test"] in COMMANDS


@pytest.mark.parametrize("words", commands("make"))
def test_every_make_target_exists(words):
    assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_continuous_integration_runs_the_test_command_of_the_readme():
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("words", commands("colorize"))
def test_every_colorize_command_parses(words):
    options = cli.parser().parse_args(words)
    assert options.input
    assert options.output


@pytest.mark.parametrize("words", commands("colorize-app"))
def test_every_page_command_parses(words):
    options = app_command.parser().parse_args(words)
    assert options.folders


@pytest.mark.parametrize("words", commands("colorize-sheet"))
def test_every_sheet_command_parses(words):
    assert sheet.parser().parse_args(words).job


@pytest.mark.parametrize("words", commands("colorize-prepare"))
def test_every_prepare_command_parses(words):
    assert prepare.parser().parse_args(words).sources


@pytest.mark.parametrize("program", ["train", "evaluate"])
def test_every_hydra_command_composes_and_fits(program):
    register_schema("train", TrainConfig)
    register_schema("evaluate", EvaluateConfig)
    for line in commands(f"colorize-{program}"):
        words = line
        if "-m" in line:  # one job of the sweep
            words = [word.split(",")[0] for word in line if word != "-m"]
        with initialize_config_dir(str(config_directory()), version_base="1.3"):
            check(compose(program, overrides=words))


@pytest.mark.parametrize("words", commands("classify"))
def test_every_classify_command_parses(words):
    assert classify.cli.parser().parse_args(words).checkpoint


@pytest.mark.parametrize("words", commands("classify-screen"))
def test_every_screening_command_parses(words):
    assert classify.screen.parser().parse_args(words).keep


@pytest.mark.parametrize("program", ["train", "evaluate"])
def test_every_command_of_the_classifiers_composes_and_fits(program):
    classify.config.register_schemas()
    for words in commands(f"classify-{program}"):
        with initialize_config_dir(str(config_directory()), version_base="1.3"):
            check(compose(f"classify_{program}", overrides=words))


def test_every_table_command_plans_its_rows():
    plan.register()
    counts = []
    for words in commands("colorize-table"):
        with initialize_config_dir(str(config_directory()), version_base="1.3"):
            planned = plan.plan_table(words)
            fixed = sweeps.fixed(words)
            config = compose("table", overrides=[*fixed, "features.weights=random"])
        check(config)
        counts.append(len(planned.jobs))
    assert counts == [15, 15, 32]


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", README))
def test_every_link_leads_to_a_file(path):
    assert (ROOT / (path[0] or path[1])).exists()


def test_the_tree_names_what_is_there():
    tree = README.split("```text\n")[1].split("```")[0]
    for line in tree.splitlines():
        if name := re.match(r"([\w./-]+)\s{2,}", line):
            assert (ROOT / name[1]).exists(), name[1]
