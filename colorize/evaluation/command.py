"""``colorize-evaluate``: measure a checkpoint on a split, or coloured frames against true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize.base.settings_command import SettingsCommand
from colorize.base.start import importing
from colorize.evaluation.settings import EvaluateConfig

if TYPE_CHECKING:
    from omegaconf import DictConfig

COMMAND = SettingsCommand(
    program="colorize-evaluate",
    sentence="Measure a checkpoint on clips, or frames that any tool coloured against true ones.",
    examples="""\
examples:
  colorize-evaluate checkpoint=runs/series/model.safetensors data=clips data.root=datasets/series
  colorize-evaluate prediction=coloured truth=frames output=comparison
  colorize-evaluate checkpoint=model.safetensors data=cartoon every=6 metric=[psnr,lab]

results.md, results.csv, results.json and a contact sheet are written to output=FOLDER.
metric=[...] chooses among psnr, ssim, lpips, lab, colorfulness, segment_spread, warp_error and
distribution; every=N measures every N-th frame. --cfg job shows all settings.
""",
    config="evaluate",
    schema=lambda: EvaluateConfig,
)


def main() -> None:
    """Run the console script ``colorize-evaluate``."""
    COMMAND.run(_evaluate)


def _evaluate(config: DictConfig) -> object:
    # PyTorch takes seconds to import: --help and a mistake need not wait for it.
    with importing():
        from colorize.evaluation.evaluate import evaluate
    return evaluate(config)
