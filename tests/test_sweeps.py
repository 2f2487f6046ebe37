"""Every job of every sweep composes and fits; protocols add up; the rows are the paper's."""

import functools
import itertools

import pytest
import torch
from hydra import compose, initialize_config_dir

from colorize.base import sweeps
from colorize.base.config import check, config_directory, register_schema
from colorize.inference.checkpoints import load_checkpoint
from colorize.training.settings import TrainConfig
from colorize.training.train import assemble
from tests.forked import run

CONF = config_directory()
TABLE1 = sorted(path.stem for path in (CONF / "experiment" / "table1").glob("*.yaml"))
PROTOCOLS = sorted(path.stem for path in (CONF / "protocol").glob("*.yaml"))
SIZES = {"by_hand": 1, "inputs": 4, "lattice": 8 * 2 * 2, "seeds": 3, "table1": 5}
TINY = ("debug=tiny", "features.weights=random", "model.channels=[4,4,4]")


def train_config(*overrides, **options):
    register_schema("train", TrainConfig)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides), **options)


@functools.cache
def configs(sweep):
    """Return the settings of every job of a sweep file."""
    return [train_config(*job) for job in jobs(sweep)]


@functools.cache
def jobs(sweep):
    """Return the overrides of every job of a sweep file."""
    config = train_config(f"sweep={sweep}", return_hydra_config=True)
    axes = sweeps.axes(config.hydra.sweeper.params or {}, [])
    return [
        [f"sweep={sweep}", *(f"{key}={value}" for key, value in job.items())]
        for job in sweeps.combinations(axes)
    ]


def test_every_sweep_has_the_number_of_jobs_that_it_states():
    assert {path.stem: len(jobs(path.stem)) for path in (CONF / "sweep").glob("*.yaml")} == SIZES


@pytest.mark.parametrize("sweep", sorted(SIZES))
def test_every_job_of_a_sweep_composes_and_fits(sweep):
    found = set()
    for config in configs(sweep):
        if config.data._target_.endswith("PreparedClips"):
            config.data.root = "somewhere"
        check(config)
        losses = tuple(config.loss)
        assert (config.refiner is not None) == ("refinement" in losses)
        found.add((losses, config.model.head, config.model.inputs, config.seed))
    assert len(found) == SIZES[sweep]  # every job is another setting


def test_the_lattice_holds_every_subset_of_the_losses():
    wanted = {
        frozenset({"rank_diversity", *chosen})
        for count in range(4)
        for chosen in itertools.combinations(("bilateral", "temporal", "segment"), count)
    }
    found = {frozenset(config.loss) - {"refinement"} for config in configs("lattice")}
    assert found == wanted


@pytest.mark.parametrize("number", [0, 15, 31])  # the least, one in the middle, the most
def test_points_of_the_lattice_build(number):
    job = jobs("lattice")[number]
    task, _ = assemble(train_config(*job, *TINY))
    assert (task.refiner is not None) == any("refined" in override for override in job)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_epochs_of_a_protocol_add_up(name):
    protocol = train_config(f"protocol={name}").protocol
    assert protocol.epochs == protocol.small_epochs + protocol.large_epochs
    assert protocol.small_epochs * 3 == protocol.large_epochs * 2  # 200 : 300
    assert all(a < b for a, b in zip(protocol.small, protocol.large, strict=True))


@pytest.mark.parametrize("row", TABLE1)
def test_a_row_of_the_paper_has_its_values_and_its_schedule(row):
    config = train_config(f"experiment=table1/{row}")
    settings = (config.model.head, config.model.outputs, config.features.taps[-1])
    assert settings == ("rgb", 4, "conv5_2")
    assert (config.optimizer.learning_rate, config.optimizer.schedule) == (1e-4, "constant")
    sampling = config.sampling
    assert (sampling.batch_size, sampling.stills, sampling.pairs) == (1, 5000, 1000)
    assert config.augment is None
    two = [(200, [116, 160]), (300, [240, 320])]
    stages = [(stage.epochs, list(stage.size)) for stage in sampling.stages]
    assert stages == (two if "segment" in config.loss else [(500, [240, 320])])
    assert config.trainer.max_epochs == 500
    assert config.name == row
    named = "_".join(config.loss).replace("refinement", "refined")
    assert named == row


@pytest.mark.parametrize("row", TABLE1)
def test_the_command_line_reaches_every_row(row):
    config = train_config(
        f"experiment=table1/{row}",
        *("protocol=short", "features=vgg19_relu3_1", "features.weights=FILE"),
        *("sampling.batch_size=8", "optimizer.learning_rate=1e-3", "model.channels=[8,16]"),
    )
    assert config.sampling.stages[-1].size == [72, 128]
    assert (config.sampling.stills, config.sampling.pairs) == (400, 80)
    assert config.trainer.max_epochs == config.protocol.epochs == 15
    assert config.model.features.weights == config.loss.rank_diversity.features.weights == "FILE"
    assert (config.sampling.batch_size, config.optimizer.learning_rate) == (8, 1e-3)
    assert config.model.channels == [8, 16]


def test_a_schedule_on_the_command_line_wins_over_an_experiment_and_takes_its_protocol():
    config = train_config("experiment=prototype", "schedule=two_sizes", "protocol=short")
    assert [stage.size for stage in config.sampling.stages] == [[54, 96], [72, 128]]
    config = train_config("experiment=table1/rank_diversity_segment", "schedule=one_size")
    assert [stage.epochs for stage in config.sampling.stages] == [500]
    config = train_config("experiment=first-light", "schedule=two_sizes")
    assert [stage.epochs for stage in config.sampling.stages] == [200, 300]


def test_all_rows_of_the_paper_train_to_their_end(tmp_path):
    # Hydra checks features.weights before it looks at the rows, so their features are named here.
    rows = ("experiment=glob(table1/*)", "features=vgg19")
    few = ("validation.pictures=0", "trainer.max_epochs=1")
    run("colorize-train", "-m", *rows, *TINY, *few, f"directory={tmp_path}")
    found = {path.parent.name: path for path in tmp_path.rglob("model.safetensors")}
    assert sorted(found) == TABLE1
    checkpoints = {name: load_checkpoint(path) for name, path in found.items()}
    plain, refined = (
        checkpoints[f"rank_diversity_bilateral_temporal{suffix}"] for suffix in ("", "_refined")
    )
    assert plain.refiner is None
    assert refined.refiner is not None
    for name, weight in plain.weights.items():  # f and g share no gradient
        torch.testing.assert_close(refined.weights[name], weight, rtol=0, atol=0)
