"""``colorize-table``: train and measure every row of a table with every seed, and compare them."""

from __future__ import annotations

import argparse

from colorize.base.errors import fail, one_line_errors
from colorize.base.start import importing
from colorize.base.terminal import terminal


def main() -> None:
    """Run the console script ``colorize-table``."""
    arguments = parser().parse_args().overrides
    with one_line_errors(), terminal():
        # PyTorch takes seconds to import: --help and a mistake need not wait for it.
        with importing():
            from colorize.evaluation.table.rows import make_table
        missing = make_table(arguments)
    if missing:
        fail(f"{missing} of the table's runs are missing; the same command goes on", code=1)


def parser() -> argparse.ArgumentParser:
    """Return the command line: Hydra overrides, and what they can be."""
    shown = argparse.ArgumentParser(
        prog="colorize-table",
        description=__doc__.split(": ", 1)[1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""\
examples:
  colorize-table data.root=DIR seed=0,1,2 protocol=short
  colorize-table data.root=DIR seed=0,1,2 hydra/launcher=joblib hydra.launcher.n_jobs=2
  colorize-table data.root=DIR seed=0,1,2 hydra/launcher=submitit_slurm \\
      hydra.launcher.partition=gpu hydra.launcher.gpus_per_node=1 hydra.launcher.timeout_min=1440
  colorize-table sweep=lattice data.root=DIR protocol=short directory=runs/lattice-short
  colorize-table sweep=by_hand model=prototype,prototype_chroma seed=0,1 name=heads

Rows are the jobs of sweep=table1 (default), lattice, inputs, or of axes by hand. Every training
setting can be overridden, and evaluation.SETTING too. The same command again goes on where it
stopped: what is finished is neither trained nor measured again. results.json, table.md, and
table.png, curves.png and frames.png are in the directory of the table, runs/NAME.""",
    )
    shown.add_argument(
        "overrides", nargs="*", metavar="SETTING=VALUE", help="a setting, as Hydra's"
    )
    return shown
