"""The jobs that one call of colorize-table makes."""

from pathlib import Path

from hydra import compose, initialize_config_dir

from colorize.base.config import check, config_directory
from colorize.evaluation.table.plan import plan_table, register


def planned(*overrides):
    register()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        return plan_table(overrides)


def test_rows_come_from_the_sweep_and_all_lie_in_the_directory_of_the_table():
    plan = planned("data.root=x", "model.inputs=gray,gray_pair", "directory='runs/a b'")
    assert plan.directory == Path("runs/a b")
    assert len(plan.jobs) == 5 * 2
    assert plan.jobs[1].row == "rank_diversity_bilateral_temporal, model.inputs=gray_pair"
    assert len({job.folder for job in plan.jobs}) == 10
    assert all(job.folder.is_relative_to("runs/a b") for job in plan.jobs)
    assert plan.arguments[-1] == "directory='runs/a b'"


def test_one_row_of_a_sweep_can_be_asked_for():
    row = "rank_diversity_segment"
    (job,) = planned("data.root=x", f"experiment=table1/{row}", "seed=3").jobs
    assert (job.row, job.seed) == (row, 3)
    assert str(job.folder) == f"runs/table1/experiment=table1/{row}/seed-3"


def test_a_cluster_takes_one_job_for_each_row_and_seed() -> None:
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        register()
        overrides = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu", "data.root=x"]
        config = compose("table", overrides=overrides, return_hydra_config=True)
        assert config.hydra.launcher._target_.endswith("SlurmLauncher")
        plan = plan_table([*overrides, "seed=0,1,2"])
    assert len(plan.jobs) == 5 * 3
    assert plan.jobs[0].row == "rank_diversity_bilateral_temporal"
    assert {job.row for job in plan.jobs} | {"gray input"} == set(config.paper.rows)
    known = set(config.paper.rows)
    for claim in config.paper.claims:
        assert {claim.row, *claim.over} <= known
    del config.hydra
    check(config)
