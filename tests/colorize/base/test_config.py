"""What a user sees of a mistake: one line, the key, the nearest valid name, exit code 2."""

import sys

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from colorize.base.config import build, config_directory, given_settings, register_schema
from colorize.training import command
from colorize.training.settings import TrainConfig
from tests.places import ROOT


@pytest.fixture
def error_line(tmp_path, monkeypatch, capsys):
    """Return a function: run colorize-train in an empty folder, give its one error line."""

    def run(*overrides):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # set by the entry: restore it afterwards
        monkeypatch.setattr(sys, "argv", ["colorize-train", *overrides])
        with pytest.raises(SystemExit) as stopped:
            command.main()
        assert stopped.value.code == 2
        errors = capsys.readouterr().err
        assert errors.count("\n") == 1, errors
        assert not list(tmp_path.rglob("*.ckpt"))
        return errors

    return run


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (("experiment=prototype", "trainer.max_epochz=3"), ("trainer.max_epochz", "'max_epochs'")),
        (("experiment=prototyp",), ("experiment/prototyp", "'prototype'")),
        (("loss=[rank_diversty]",), ("loss/rank_diversty", "'rank_diversity'")),
        (("trainer.max_epochs=many",), ("trainer.max_epochs", "'many'", "Integer")),
        (("optimizer.schedule=cosin",), ("optimizer.schedule", "cosine")),
        (("data=clips", "data.root=absent"), ("absent/manifest.json", "colorize-prepare")),
        (("guides=truth",), ("unknown setting guides: it is called targets now",)),
        (("guides.cache=DIR",), ("unknown setting guides: it is called targets now",)),
        (("weights=balanced",), ("unknown setting weights: it is called loss_weights now",)),
        (("++weights.segment=3",), ("unknown setting weights: it is called loss_weights now",)),
        (("corruption.drop=0.5",), ("corruption.drop does nothing", "model.inputs=gray_previous")),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(error_line, overrides, parts):
    line = error_line(*overrides)
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("trainer: {max_epochz: 3}", ("max_epochz", "experiment/mine", "'max_epochs'")),
        ("model: {outputz: 3}", ("model.outputz", "'outputs'")),
        ("optimiser: {learning_rate: 1.0}", ("optimiser", "'optimizer'")),
        ("weights: {segment: 3}", ("weights", "experiment/mine", "called loss_weights now")),
        ("defaults: [override /guides: x]", ("guides in experiment/mine: it is called targets",)),
        ("defaults: [override /modle: x]", ("modle in experiment/mine; did you mean 'model'?",)),
    ],
)
def test_a_misspelt_key_in_an_experiment_file_is_named(error_line, tmp_path, text, parts):
    folder = tmp_path / "conf" / "experiment"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"# @package _global_\n{text}\n")
    search = f"hydra.searchpath=[file://{tmp_path / 'conf'}]"
    line = error_line("experiment=mine", search)
    assert all(part in line for part in parts), line


def test_what_the_command_line_gives_counts_for_a_single_job_alone(monkeypatch):
    register_schema("train", TrainConfig)
    given = ["targets.cache=DIR", "++corruption.drop=0.5", "model=prototype"]
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        config = compose("train", overrides=given, return_hydra_config=True)
    assert given_settings() == []  # there is no command line
    monkeypatch.setattr(HydraConfig.instance(), "cfg", config)
    config.hydra.mode = RunMode.RUN
    assert given_settings() == ["targets.cache", "corruption.drop", "model"]
    config.hydra.mode = RunMode.MULTIRUN
    assert given_settings() == []


def test_building_nothing_gives_nothing():
    assert build(None) is None


def test_the_yaml_files_are_beside_the_package():
    assert (config_directory() / "train.yaml").is_file()
    assert config_directory().parent == ROOT
