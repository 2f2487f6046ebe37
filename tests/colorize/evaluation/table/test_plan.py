"""The jobs that one call of colorize-table makes."""

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from colorize.base.config import ConfigError, check, config_directory
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
    assert str(job.folder) == f"runs/table1/{row}/seed-3"


def test_rows_are_chosen_by_their_names_in_the_order_asked_for():
    rows = ["rank_diversity_segment", "rank_diversity_bilateral"]
    plan = planned("data.root=x", f"rows=[{','.join(rows)}]", "seed=0,1")
    assert [(job.row, job.seed) for job in plan.jobs] == [(r, s) for r in rows for s in (0, 1)]
    assert not any(argument.startswith("rows") for argument in plan.arguments)
    (job,) = planned("data.root=x", f"rows={rows[0]}").jobs
    assert job.folder == Path("runs/table1/rank_diversity_segment/seed-0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rows=[rank_diversity_segmnt]"], "no row 'rank_diversity_segmnt'; did you mean 'rank_d"),
        (["rows=[main]", "sweep=inputs"], "this sweep has none: leave it out"),
        (["rows=[x]", "experiment=prototype"], "rows and experiment both choose rows"),
        (
            ["sweep=by_hand", "data=clips", "loss=[bilateral],bilateral"],
            "two rows would share a folder",
        ),
    ],
)
def test_rows_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        planned("data.root=x", *arguments)


def test_a_protocol_sets_what_the_command_line_does_not():
    plan = planned("data.root=x", "protocol=tiny", "rows=[rank_diversity_segment]")
    assert "features=none" in plan.preset
    assert plan.config.features is None
    assert plan.config.sampling.batch_size == 4
    assert "lpips" not in plan.config.evaluation.metric
    given = ("features.weights=F", "evaluation.metric.lpips.net=vgg", "sampling.batch_size=2")
    plan = planned("data.root=x", "protocol=tiny", *given)
    assert plan.config.features.weights == "F"
    assert plan.config.sampling.batch_size == 2
    assert plan.config.evaluation.metric.lpips.net == "vgg"
    assert plan.config.evaluation.every == 6
    chosen = planned("data.root=x", "protocol=tiny", "metric@evaluation.metric=[ssim]")
    assert list(chosen.config.evaluation.metric) == ["ssim"]
    assert planned("data.root=x", "protocol=short").preset == []


def test_hydra_puts_a_single_row_where_the_plan_says(monkeypatch):
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)  # as it is afterwards
    register()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        plan = plan_table(["data.root=x", "rows=[rank_diversity_segment]"])
        config = compose("table", overrides=plan.arguments, return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    assert plan.directory / config.hydra.sweep.subdir == plan.jobs[0].folder


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
