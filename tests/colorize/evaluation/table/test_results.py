"""What a table reads of its runs: their states, their settings, and their names."""

from pathlib import Path

import pytest

from colorize.evaluation.table.page import Published
from colorize.evaluation.table.results import Job, collect, is_stamped, stamp, write_state

SETTINGS = {"training": {"seed": 0, "betas": (0.9, 0.999)}, "every": 1}


@pytest.mark.parametrize(
    ("values", "row", "name"),
    [
        ({"experiment": "table1/segment"}, "segment", "segment"),
        (
            {"model": "prototype", "experiment": "lattice/main", "loss": "[a,b]"},
            "main, model=prototype, loss=[a,b]",
            "main_loss-a+b_model-prototype",
        ),
    ],
)
def test_a_row_is_called_by_its_experiment_and_lies_where_hydra_puts_it(values, row, name):
    job = Job.of(values, seed=3, directory=Path("runs/x"))
    assert job == Job(row, 3, Path("runs/x") / name / "seed-3")


def test_a_stamp_holds_for_the_same_settings_alone(tmp_path):
    file = tmp_path / "measured.json"
    assert not is_stamped(file, SETTINGS)
    stamp(file, SETTINGS)
    assert is_stamped(file, {"training": {"seed": 0, "betas": [0.9, 0.999]}, "every": 1})
    assert not is_stamped(file, SETTINGS | {"every": 2})


def test_every_missing_run_is_named_with_its_reason(tmp_path, capsys):
    jobs = [Job("row", seed, tmp_path / f"seed-{seed}") for seed in range(4)]
    write_state(jobs[1].folder, "failed", reason="no such file", details="Traceback ...")
    write_state(jobs[2].folder, "stopped before its end")
    write_state(jobs[3].folder, "done")  # but its measurements were removed
    missing = collect(jobs, tmp_path, published=Published(), score="val/psnr/mean")
    assert [gap.reason for gap in missing] == [
        "not begun",
        "no such file",
        "stopped before its end",
        "its measurements are gone",
    ]
    assert "missing: row, seed 1: no such file" in capsys.readouterr().out
    assert not (tmp_path / "results.json").exists()
