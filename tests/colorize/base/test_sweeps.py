"""Arguments of sweeps: globs into folders, names of directories, and the list of jobs."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from colorize.base.config import config_directory, register_schema
from colorize.base.sweeps import axes, combinations, directory_name, expanded, fixed, keys, prepared
from colorize.training.settings import TrainConfig


@pytest.fixture
def folder(tmp_path):
    for name in ("b_one", "a_two", "c"):
        (tmp_path / "experiment" / "table" / f"{name}.yaml").parent.mkdir(
            parents=True, exist_ok=True
        )
        (tmp_path / "experiment" / "table" / f"{name}.yaml").write_text("")
    return tmp_path


def test_a_glob_into_a_folder_becomes_its_files(folder):
    assert expanded(["-m", "experiment=glob(table/*)", "seed=1"], folder=folder) == [
        "-m",
        "experiment=table/a_two,table/b_one,table/c",
        "seed=1",
    ]
    chosen = expanded(["experiment=glob(table/*_*)"], folder=folder)
    assert chosen == ["experiment=table/a_two,table/b_one"]
    others = ["experiment=glob(*)", "experiment=table/c", "note='glob(table/*)'"]
    assert expanded(others, folder=folder) == others


def test_a_glob_that_matches_nothing_says_what_there_is(folder):
    with pytest.raises(ValueError, match=r"glob\(table/x\*\) matches no file: .*a_two, b_one, c"):
        expanded(["experiment=glob(table/x*)"], folder=folder)
    with pytest.raises(ValueError, match="experiment/absent holds none"):
        expanded(["experiment=glob(absent/*)"], folder=folder)


@pytest.mark.parametrize(
    "arguments", [["-m", "seed=1"], ["--multirun"], ["seed=0,1"], ["sweep=table1"]]
)
def test_only_sweeps_get_other_names(arguments, folder):
    assert prepared(arguments, folder=folder)[:-1] == arguments
    assert prepared(["--help"], folder=folder) == ["--help"]
    assert prepared(["seed=1", "loss=[a,b]"], folder=folder) == ["seed=1", "loss=[a,b]"]


def test_a_directory_is_named_by_what_differs_and_hydra_agrees(monkeypatch):
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)  # as it is afterwards
    register_schema("train", TrainConfig)
    swept = ["seed=0,1", "model=prototype,prototype_chroma"]
    same = ["data=clips", "data.root=/a/long/path", "sampling.stages=[{epochs: 1, size: [8, 8]}]"]
    arguments = prepared([*same, *swept, "++trainer.max_epochs=1"], folder=config_directory())
    job = {"seed": "1", "model": "prototype"}
    of_job = [f"{key}={value}" for key, value in job.items()]
    plain = [each for each in arguments if each not in swept]
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        config = compose("train", overrides=[*plain, *of_job], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    assert config.hydra.sweep.subdir == "model-prototype_seed-1" == directory_name(job)


def test_names_that_the_user_chose_are_kept():
    mine = "hydra.job.config.override_dirname.exclude_keys=[seed]"
    assert prepared(["seed=0,1", mine], folder=config_directory()) == ["seed=0,1", mine]


def test_axes_join_the_file_of_a_sweep_and_the_command_line():
    parameters = {"model": "a,b", "loss": "[x],[x,y]"}
    assert axes(parameters, ["seed=range(3)", "name=n", "model=b"]) == {
        "model": ["b"],
        "loss": ["[x]", "[x,y]"],
        "seed": ["0", "1", "2"],
    }
    assert axes({}, ["name=n", "-m"]) == {}


def test_fixed_arguments_are_those_of_every_job():
    assert fixed(["-m", "seed=0,1", "loss=[a,b]", "loss=[a],[b]", "~augment"]) == [
        "-m",
        "loss=[a,b]",
        "~augment",
    ]


def test_combinations_are_the_product():
    assert combinations({"a": ["1", "2"], "b": ["x", "y"]}) == [
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
    ]


def test_keys_are_the_settings_and_groups_that_arguments_set():
    arguments = ["seed=0,1", "+a.b=1", "++c=2", "~d", "hydra/launcher=joblib", "-m"]
    assert keys(arguments) == ["seed", "a.b", "c", "hydra/launcher"]
