"""``colorize-table``: train and measure every row of a table with every seed, and compare them."""

from __future__ import annotations

import sys

from colorize.base.errors import fail, one_line_errors
from colorize.base.settings_command import SettingsCommand, config_directory, described
from colorize.base.start import importing
from colorize.base.terminal import terminal
from colorize.evaluation.table.settings import TableConfig

_EXAMPLES = """\
examples:
  colorize-table data.root=DIR protocol=tiny seed=0,1
  colorize-table data.root=DIR protocol=short rows=[rank_diversity_segment] seed=0,1,2
  colorize-table data.root=DIR seed=0,1,2 hydra/launcher=joblib hydra.launcher.n_jobs=2

DIR is a dataset of colorize-prepare. protocol=tiny takes minutes and no weights of others, short
an afternoon, paper (the default) the paper's 500 epochs. rows=[...] chooses among

{rows}

Other rows: sweep=lattice, sweep=inputs, or axes of your own:
  colorize-table sweep=by_hand model=prototype,prototype_chroma seed=0,1 name=heads
On a cluster: hydra/launcher=submitit_slurm hydra.launcher.partition=gpu
  hydra.launcher.gpus_per_node=1 hydra.launcher.timeout_min=1440

Every training setting can be given, and evaluation.SETTING too. The same command again goes on
where it stopped: what is finished is neither trained nor measured again. For another setting give
the table another name=NAME. table.md, results.json, table.png, curves.png and frames.png are in
runs/NAME.
"""


def _rows() -> str:
    """Return a line for each row of the paper's table, with what it is there."""
    found = described(config_directory() / "experiment" / "table1")
    width = max(map(len, found))
    return "\n".join(
        f"  {name.ljust(width)}  {text.removeprefix('Table I: ').split('. ')[0].rstrip('.')}"
        for name, text in found.items()
    )


COMMAND = SettingsCommand(
    program="colorize-table",
    sentence="Train and measure every row of the paper's table with every seed, and compare them.",
    examples=_EXAMPLES.format(rows=_rows()),
    config="table",
    schema=lambda: TableConfig,
    options=False,
)


def main() -> None:
    """Run the console script ``colorize-table``."""
    arguments = sys.argv[1:]
    COMMAND.check(arguments)
    with one_line_errors(), terminal():
        # PyTorch takes seconds to import: --help and a mistake need not wait for it.
        with importing():
            from colorize.evaluation.table.rows import make_table
        missing = make_table(arguments)
    if missing:
        fail(f"{missing} of the table's runs are missing, as said above; mend that, and the same "
             "command goes on", code=1)  # fmt: skip
